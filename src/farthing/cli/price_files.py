"""``farthing prices update``, ``set`` and ``check``: where prices come from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from farthing.cli.common import clock, config_option, console, json_line, json_option, policy_of
from farthing.cli.fetch import get, sources
from farthing.cli.text import UNKNOWN, plural
from farthing.errors import ConfigError, PriceError, StatementError

if TYPE_CHECKING:
    from rich.table import Table

    from farthing.prices.catalog import Catalog
    from farthing.prices.newer import Change
    from farthing.prices.second import Checked


class Updated(msgspec.Struct, frozen=True):
    """What ``update --json`` prints."""

    source: str
    was: str
    written: bool
    changes: list[Change]


@click.command()
@click.argument("source", metavar="[FILE|URL]", required=False)
@click.option("--yes", is_flag=True, help="Put it in place; without it only the difference is shown.")
@config_option
@json_option
def update(source: str | None, yes: bool, config: Path | None, as_json: bool) -> int:
    """Show what a newer price catalogue would change, and with --yes take it.

    It comes from the installed genai-prices, or from a FILE or URL with what `python -m farthing.prices.bake` writes.
    It is checked in full first; if anything is wrong with it the old prices stay.
    """
    from farthing.prices import newer
    from farthing.prices.book import PriceBook

    target = Path(policy_of(config, None).store.prices)
    old = PriceBook.load(None, target).catalog
    new = newer.merged(old, newer.parse(source or "genai-prices", _fetched(source)))
    found = Updated(new.source, old.source, yes, newer.changes(old, new))
    if yes:
        _refuse_older(new, old)
        newer.write(target, new)
    click.echo(json_line(found)) if as_json else _updated(found, target)
    return 0


@click.command("set")
@click.argument("model")
@click.argument("prices", metavar="CLASS=USD...", nargs=-1, required=True)
@click.option("--provider", help="Its name in the settings (default: the beginning of a name like openai/gpt-4o).")
@click.option("--from", "since", metavar="DATE", help="The first day on which it holds, for example 2026-07-01.")
@config_option
def set_(model: str, prices: Sequence[str], provider: str | None, since: str | None, config: Path | None) -> int:
    """Add a price of your own for MODEL to the file of [prices] file, in dollars per million tokens.

    For example: farthing prices set acme/big-1 input=1.20 output=4.80
    """
    file = policy_of(config, None).prices.file
    if file is None:
        raise ConfigError("[prices] file is not set: name the file for your own prices there, for example prices.toml")
    first, slash, rest = model.partition("/")
    if provider is None and slash:
        provider, model = first, rest
    if provider is None:
        raise click.UsageError("name the provider: --provider acme, or acme/big-1")
    _append(Path(file), _entry({"provider": provider, "model": model}, since, prices))
    click.echo(
        f"{provider}/{model} is in {file}; a gateway takes it when it starts, `farthing prices reprice` for the past."
    )
    return 0


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("match", required=False, default="")
@click.option("--provider", help="Only this provider's.")
@config_option
@json_option
def check(file: Path, match: str, provider: str | None, config: Path | None, as_json: bool) -> int:
    """Compare the prices in force with a second source.

    FILE is of LiteLLM's form (model_prices_and_context_window.json); only models with MATCH in the name.
    The exit code is 1 if any differ.
    """
    from farthing.prices import second
    from farthing.prices.book import PriceBook

    policy = policy_of(config, None)
    book = PriceBook.load(Path(policy.prices.file) if policy.prices.file else None, Path(policy.store.prices))
    found = second.check(book, second.read(file), clock(), provider, match)
    click.echo(json_line(found)) if as_json else _checked(found, book.source, file.name)
    return 1 if found.apart else 0


def _fetched(source: str | None) -> bytes:
    """The bytes of a catalogue. Raises ``PriceError``."""
    if source is not None:
        try:
            return next(iter(sources(source, os.environ, None, get)))[1]
        except StatementError as problem:
            raise PriceError(str(problem)) from problem
    try:
        from farthing.prices.bake import bake

        return bake().encode()
    except ImportError as problem:
        raise PriceError(
            "genai-prices is not installed: pip install -U genai-prices, or give a FILE or URL"
        ) from problem


def _refuse_older(new: Catalog, old: Catalog) -> None:
    from farthing.prices.newer import version

    if version(new) and version(new) < version(old):
        raise PriceError(f"{new.source} is older than {old.source}: the newer one stays")


def _entry(names: Mapping[str, str], since: str | None, prices: Sequence[str]) -> str:
    """A ``[[price]]`` in TOML. What it says is checked when it is read back."""
    lines = [f"{key} = {msgspec.json.encode(name).decode()}" for key, name in names.items()]
    lines += [f"from = {since}"] if since else []
    for one in prices:
        name, equals, usd = one.partition("=")
        if not equals:
            raise click.UsageError(f"{one!r} is not CLASS=USD, for example input=1.20")
        lines.append(f"{name.strip()} = {msgspec.json.encode(usd.strip()).decode()}")
    return "\n".join(["[[price]]", *lines]) + "\n"


def _append(path: Path, entry: str) -> None:
    """Add it, unless the file would no longer be right. Raises ``PriceError``."""
    from farthing.prices import overrides

    try:
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        draft = path.with_name(path.name + ".new")
        draft.write_text(f"{old.rstrip()}\n\n{entry}" if old.strip() else entry, encoding="utf-8")
        try:
            overrides.read(draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as problem:
        raise PriceError(f"{path}: cannot be written: {problem.strerror}") from problem


def _updated(found: Updated, target: Path) -> None:
    if found.changes:
        console().print(_changes(found.changes))
    said = f"{found.source} (in force: {found.was}): {plural(len(found.changes), 'model')} with other prices"
    click.echo(f"{said}. Written to {target}." if found.written else f"{said}. Nothing is written without --yes.")


def _changes(changes: Iterable[Change]) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown = Table(title="US dollars per million tokens (searches, requests: per thousand)", title_justify="left")
    for name in ("provider", "model", "was", "becomes"):
        shown.add_column(name, overflow="fold")
    for one in changes:
        was, becomes = one.was or {}, one.becomes or {}
        names = [name for name in {**was, **becomes} if was.get(name) != becomes.get(name)]
        cells = ("; ".join(f"{name} {its[name]}" for name in names if name in its) or UNKNOWN for its in (was, becomes))
        shown.add_row(Text(one.provider), Text(one.model), *cells)
    return shown


def _checked(found: Checked, source: str, other: str) -> None:
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=f"{source} and {other} differ (US dollars per million tokens)", title_justify="left")
    for name in ("provider", "model", "price", "farthing", other):
        shown.add_column(name, overflow="fold", justify="left" if name in {"provider", "model", "price"} else "right")
    for one in found.apart:
        shown.add_row(Text(one.provider), Text(one.model), one.price, one.farthing or UNKNOWN, one.other)
    if found.apart:
        console().print(shown)
    models = len({(one.provider, one.model) for one in found.apart})
    click.echo(
        f"{plural(found.compared, 'model')} compared, {models:,} differ; {len(found.unknown):,} are only in {other}."
    )
