"""``farthing prices reprice``, ``undo`` and ``history``: the past at other prices, and back again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from farthing.cli.common import clock, config_option, console, json_line, json_option, policy_of, store_option
from farthing.cli.ledger import reading
from farthing.cli.text import dollars, plural
from farthing.cli.when import moment, shown

if TYPE_CHECKING:
    from rich.table import Table

    from farthing.ledger.corrections import Correction, Undone
    from farthing.ledger.records import Call, Settled
    from farthing.ledger.reprice import Moved, PriceOf
    from farthing.policy import Policy
    from farthing.prices.rates import Priced
    from farthing.types import Usage

PAUSE_S = 0.02


def pause() -> None:
    """Between two transactions: a gateway's keeper has its turn."""
    time.sleep(PAUSE_S)


class Repriced(msgspec.Struct, frozen=True):
    """What ``reprice --json`` prints."""

    version: int | None
    """Of the correction; ``None`` if nothing was changed."""
    requests: int
    change_nano_usd: int
    kept_calls: int
    """Calls whose price is known and would not be any more: left as they are."""
    models: list[Moved]


@click.command()
@click.option("--since", metavar="TIME", required=True, help="2026-11-25, 7d or 24h (ago), today … in UTC.")
@click.option("--until", metavar="TIME", help="Likewise; not included. Default: now.")
@click.option("--model", help="Only calls of this model, as asked for or as reported.")
@click.option("--provider", help="Only calls of this provider.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@store_option
@config_option
@json_option
def reprice(
    since: str,
    until: str | None,
    model: str | None,
    provider: str | None,
    dry_run: bool,
    store: str | None,
    config: Path | None,
    as_json: bool,
) -> int:
    """Price past calls again, from the usage that was kept, at the prices that are known now.

    What changes is one correction: `farthing prices undo VERSION` takes it back.
    """
    from farthing.ledger import corrections
    from farthing.ledger.reprice import Reprice

    policy, now = policy_of(config, store), clock()
    span = {"since": moment("--since", since, now), "until": moment("--until", until, now)}
    price, source = price_of(policy)
    change = Reprice(price, model, provider)
    made = None
    with reading(policy, clock) as ledger:
        if dry_run:
            requests = corrections.preview(ledger, change, **span)
        else:
            made = corrections.correct(ledger, "reprice", source, change, pause, **span)
            requests = made.requests if made else 0
    difference = sum(one.becomes_nano_usd - one.was_nano_usd for one in change.moved)
    found = Repriced(made.version if made else None, requests, difference, change.kept, change.moved)
    click.echo(json_line(found)) if as_json else _show(found, dry_run=dry_run)
    return 0


@click.command()
@click.argument("version", type=int)
@store_option
@config_option
@json_option
def undo(version: int, store: str | None, config: Path | None, as_json: bool) -> int:
    """Take correction VERSION back: the bills are again what they were."""
    from farthing.ledger import corrections

    with reading(policy_of(config, store), clock) as ledger:
        found = corrections.undo(ledger, version, pause)
    click.echo(json_line(found) if as_json else _undone(found))
    return 0


@click.command()
@store_option
@config_option
@json_option
def history(store: str | None, config: Path | None, as_json: bool) -> int:
    """List the corrections of the past, the newest first."""
    from farthing.ledger import corrections

    with reading(policy_of(config, store), clock) as ledger:
        found = corrections.corrections(ledger)
    if as_json:
        for one in found:
            click.echo(json_line(one))
    elif found:
        console().print(_history(found))
    else:
        click.echo("Nothing has been corrected.")
    return 0


def price_of(policy: Policy) -> tuple[PriceOf, str]:
    """The prices of these settings for calls of the past, and their names. Raises ``PriceError``."""
    from farthing.policy.presets import sellers
    from farthing.prices.book import PriceBook

    file = policy.prices.file
    book = PriceBook.load(Path(file) if file else None, Path(policy.store.prices), sellers(policy.providers))

    def price(request: Settled, call: Call, model: str, usage: Usage) -> Priced:
        one = policy.providers.get(call.provider)
        api = one.kind if one else "anthropic" if request.wire.startswith("anthropic") else "openai"
        return book.price(call.provider, api, model, usage, request.ts, call.service_tier)

    return price, " + ".join(filter(None, [Path(file).name if file else "", book.source]))


def signed(nano: int) -> str:
    """A change in dollars, with its sign."""
    return f"+{dollars(nano)}" if nano > 0 else dollars(nano)


def _show(found: Repriced, *, dry_run: bool) -> None:
    if found.models:
        console().print(_moved(found.models))
    if found.kept_calls:
        click.echo(f"{plural(found.kept_calls, 'call')} kept the old price: no price is known for them now.")
    if not found.requests:
        click.echo("Every call has the price that is known now.")
    elif dry_run:
        click.echo(f"{plural(found.requests, 'request')} would change by {signed(found.change_nano_usd)}.")
    else:
        click.echo(f"{plural(found.requests, 'request')} changed by {signed(found.change_nano_usd)}.")
        click.echo(f"That is correction {found.version}: `farthing prices undo {found.version}` takes it back.")


def _moved(models: Sequence[Moved]) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown_ = Table(title="Calls at other prices", title_justify="left")
    for name in ("provider", "model", "calls", "was", "becomes", "now priced by"):
        shown_.add_column(name, justify="left" if name in {"provider", "model", "now priced by"} else "right")
    for one in models:
        was = dollars(one.was_nano_usd) + (f" + {one.newly_priced:,} unpriced" if one.newly_priced else "")
        by = "; ".join(sorted(set(one.versions.values())))
        shown_.add_row(
            Text(one.provider), Text(one.model), f"{one.calls:,}", was, dollars(one.becomes_nano_usd), Text(by)
        )
    return shown_


def _undone(found: Undone) -> str:
    said = f"{plural(found.requests, 'request')} put back ({signed(found.change_nano_usd)})."
    if found.replaced:
        said += f" {plural(found.replaced, 'request')} had been replaced since and stay as they are."
    if found.gone:
        said += f" {plural(found.gone, 'request')} past the retention stay corrected in the sums."
    return said


def _history(found: Sequence[Correction]) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown_ = Table()
    for name in ("version", "made (UTC)", "what", "by", "state", "requests", "change"):
        shown_.add_column(name, justify="right" if name in {"version", "requests", "change"} else "left")
    for one in found:
        change = signed(one.change_nano_usd)
        shown_.add_row(
            str(one.version), shown(one.made), one.what, Text(one.note), one.state, f"{one.requests:,}", change
        )
    return shown_
