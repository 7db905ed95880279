"""``farthing cache``: how full the answer cache is, and emptying it."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from farthing.cli.common import clock, config_option, json_line, json_option, policy_of, store_option
from farthing.errors import StoreError
from farthing.levers.recall.semantic.questions import open_questions
from farthing.levers.recall.store import AnswerStore, open_answers
from farthing.policy.units import seconds, size


@click.group()
def cache() -> None:
    """Answers that are kept so that they are not paid for twice."""


@cache.command()
@config_option
@store_option
@json_option
def stats(config: Path | None, store: str | None, as_json: bool) -> None:
    """Entries, bytes, hits, evictions; questions that can be found by their meaning."""
    answers = _open(config, store)
    questions = open_questions(answers, clock)
    found = msgspec.structs.asdict(answers.stats()) | {"questions": questions.stats().entries}
    questions.close()
    answers.close()
    if as_json:
        click.echo(json_line(found))
        return
    for name, value in found.items():
        click.echo(f"{name:10} {value:,}")


@cache.command()
@click.option("--tenant", help="Only the answers of this tenant.")
@click.option("--feature", help="Only the answers first asked for by this feature.")
@click.option("--older-than", metavar="DURATION", help="Only answers older than this, for example 24h.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@config_option
@store_option
def purge(
    tenant: str | None,
    feature: str | None,
    older_than: str | None,
    everything: bool,
    config: Path | None,
    store: str | None,
) -> None:
    """Delete answers; a running gateway stops serving them at once."""
    if not (tenant or feature or older_than or everything):
        raise click.UsageError("say what to delete: --tenant, --feature, --older-than, or --all")
    try:
        before = clock() - seconds(older_than) if older_than else None
    except ValueError as problem:
        raise click.UsageError(f"--older-than: {problem}") from None
    answers = _open(config, store)
    questions = open_questions(answers, clock)
    count = answers.purge(tenant=tenant, feature=feature, older_than=before)
    questions.purge(tenant=tenant, feature=feature, older_than=before)
    questions.close()
    answers.close()
    click.echo(f"{count:,} answers deleted.")


def _open(config: Path | None, store: str | None) -> AnswerStore:
    policy = policy_of(config, store)
    path = Path(policy.store.cache)
    if not path.exists():
        raise StoreError(
            f"there is no cache at {path}: `farthing serve` makes one; or name another with --store or [store] url"
        )
    answers = open_answers(path, size(policy.cache.max_size), clock)
    if answers.message is not None:
        click.echo(f"farthing: {answers.message}", err=True)
    return answers
