"""``farthing prices``: which price holds, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from farthing.cli.common import clock, config_option, console, json_line, json_option, policy_of
from farthing.cli.price_files import check, set_, update
from farthing.cli.reprice import history, reprice, undo
from farthing.cli.when import moment

if TYPE_CHECKING:
    from rich.table import Table

    from farthing.prices.book import PriceBook, PriceLine

at_option = click.option("--at", metavar="TIME", help="Prices as they were then (default: now).")
FIRST = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")


@click.group()
def prices() -> None:
    """Show which price holds for a model, and where it comes from; price the past again."""


for one in (update, set_, check, reprice, undo, history):
    prices.add_command(one)


@prices.command("list")
@click.argument("match", required=False)
@click.option("--provider", help="Only this provider's.")
@at_option
@config_option
@json_option
def list_(match: str | None, provider: str | None, at: str | None, config: Path | None, as_json: bool) -> int:
    """List prices (of models with MATCH in the name)."""
    now = clock()
    found = list(_book(config).entries(_at(at, now), provider, match))
    if as_json:
        for line in found:
            click.echo(json_line(line))
    elif found:
        console().print(table(found, FIRST))
    if not found:
        click.echo("farthing: no prices match; `farthing prices list` shows all", err=True)
    return 0 if found else 1


@prices.command()
@click.argument("model")
@click.option("--provider", help="Its name in the settings (default: the beginning of a name like openai/gpt-4o).")
@click.option("--tier", help="Service tier: batch, flex, priority …")
@at_option
@config_option
@json_option
def explain(
    model: str, provider: str | None, tier: str | None, at: str | None, config: Path | None, as_json: bool
) -> int:
    """Show the price that MODEL gets now.

    The exit code is 1 if its calls would be unpriced.
    """
    policy = policy_of(config, None)
    first, slash, rest = model.partition("/")
    if provider is None and slash:
        provider, model = first, rest
    provider = provider or "openai"
    api = policy.providers[provider].kind if provider in policy.providers else "openai"
    line = _book(config).explain(provider, model, _at(at, clock()), api=api, service_tier=tier)
    if as_json:
        click.echo(json_line(line))
    elif line.prices:
        console().print(table([line], (*FIRST, *sorted(set(line.prices) - set(FIRST)))))
        click.echo(f"Source: {line.version}")
    if not line.prices:
        click.echo(f"farthing: unpriced: {line.version}; add a price to the file of [prices] file", err=True)
    return 0 if line.prices else 1


def table(lines: Sequence[PriceLine], classes: Sequence[str]) -> Table:
    """Prices for people, in dollars; of the classes those that have one."""
    from rich.table import Table
    from rich.text import Text

    columns = [name for name in classes if any(name in line.prices for line in lines)]
    shown = Table(title="US dollars per million tokens (searches, requests: per thousand)", title_justify="left")
    shown.add_column("provider")
    shown.add_column("model", overflow="fold")
    for name in columns:
        shown.add_column(name.replace("_", " "), justify="right")
    shown.add_column("context", justify="right")
    for line in lines:
        window = f"{line.context_window:,}" if line.context_window else ""
        cells = [line.prices.get(name, "") for name in columns]
        shown.add_row(Text(line.provider), Text(line.model), *cells, window)
        for least, above in line.above.items():
            shown.add_row("", Text(f"  above {least:,} tokens"), *(above.get(name, "") for name in columns), "")
    return shown


def _book(config: Path | None) -> PriceBook:
    from farthing.policy.presets import sellers
    from farthing.prices.book import PriceBook

    policy = policy_of(config, None)
    file = policy.prices.file
    return PriceBook.load(Path(file) if file else None, Path(policy.store.prices), sellers(policy.providers))


def _at(text: str | None, now: float) -> float:
    found = moment("--at", text, now)
    return now if found is None else found
