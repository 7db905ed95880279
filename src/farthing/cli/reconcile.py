"""``farthing reconcile``: the ledger against what the provider itself says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from farthing.cli.common import clock, config_option, console, json_line, json_option, policy_of, store_option
from farthing.cli.fetch import get, sources
from farthing.cli.ledger import reading
from farthing.cli.reprice import pause
from farthing.cli.text import UNKNOWN, plural
from farthing.cli.when import moment, shown
from farthing.errors import StatementError
from farthing.money import usd

if TYPE_CHECKING:
    from rich.table import Table

    from farthing.ledger.corrections import Correction
    from farthing.ledger.matching import Matched
    from farthing.ledger.reconcile import Difference, Reconciled
    from farthing.ledger.statements import Statement
    from farthing.ledger.store import Store

MANY = 50
"""Lines of one table, for people."""


class Found(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    equal: bool
    statements: list[Reconciled]
    correction: Correction | None
    """What ``--apply`` has done."""


class Scope(msgspec.Struct, frozen=True):
    """What is compared; seconds since the epoch."""

    since: float | None
    until: float | None
    provider: str | None
    key: str | None
    now: float


@click.command()
@click.argument("source", metavar="FILE|URL...", nargs=-1, required=True)
@click.option("--provider", help="Its name in the settings (default: as the statement says).")
@click.option("--key", help="Only the statement's lines of this API key.")
@click.option("--since", metavar="TIME", help="2026-11-25, 7d or 24h (ago), today … in UTC. Default: the statement's.")
@click.option("--until", metavar="TIME", help="Likewise; not included.")
@click.option("--key-env", metavar="NAME", help="The variable with the admin key that opens a URL.")
@click.option("--apply", is_flag=True, help="Close unsettled calls whose ending the statement tells.")
@store_option
@config_option
@json_option
def reconcile(
    source: Sequence[str],
    key_env: str | None,
    apply: bool,
    store: str | None,
    config: Path | None,
    as_json: bool,
    **scope: str | None,
) -> int:
    """Hold the ledger against a provider's own statement: usage or costs as an export or an answer of its API.

    Every difference is named with its likely cause. The exit code is 1 if there are any.
    """
    from farthing.ledger.statements import merged
    from farthing.ledger.statements import read as read_statement

    now = clock()
    span = {name: moment(f"--{name}", scope.pop(name), now) for name in ("since", "until")}
    wanted = Scope(**span, provider=scope["provider"], key=scope["key"], now=now)
    pages = [page for one in source for page in sources(one, os.environ, key_env, get)]
    statements = merged([read_statement(name, data) for name, data in pages])
    with reading(policy_of(config, store), clock) as ledger:
        compared = [_compare(ledger, one, wanted) for one in statements]
        made = _apply(ledger, statements, compared) if apply else None
        if made is not None:
            compared = [_compare(ledger, one, wanted) for one in statements]
    its = [one for one, _ in compared]
    found = Found(all(one.equal for one in its), its, made)
    click.echo(json_line(found)) if as_json else _show(found)
    return 0 if found.equal else 1


def _compare(store: Store, whole: Statement, scope: Scope) -> tuple[Reconciled, Matched | None]:
    from farthing.ledger.billed import billed, single_calls
    from farthing.ledger.reconcile import cut, reconcile, wanted_of

    statement = cut(whole, scope.since, scope.until, scope.key)
    wanted = wanted_of(statement, scope.provider, scope.since, scope.until)
    with store.reading() as connection:
        calls = single_calls(connection, wanted)
        return reconcile(statement, wanted, billed(connection, wanted), calls, scope.provider, scope.now)


def _apply(
    store: Store, statements: Sequence[Statement], compared: Sequence[tuple[Reconciled, Matched | None]]
) -> Correction | None:
    """Close what can be closed, one correction a statement. Raises ``StatementError`` if none tells enough."""
    from farthing.ledger import corrections
    from farthing.ledger.matching import Closing, can_close

    made = None
    if not any(can_close(one) and pairs is not None for one, (_, pairs) in zip(statements, compared, strict=True)):
        raise StatementError("--apply: needs a statement call by call, with request ids, all token classes and costs")
    for one, (_, pairs) in zip(statements, compared, strict=True):
        if pairs is not None and pairs.closings and can_close(one):
            change = Closing(one.name, pairs.closings)
            made = corrections.correct(store, "reconcile", one.name, change, pause) or made
    return made


def _show(found: Found) -> None:
    for one in found.statements:
        for line in _head(one):
            click.echo(line)
        if one.differences:
            console().print(_table(one.differences))
        if one.calls:
            console().print(_calls(one))
        if one.closable:
            click.echo(f"{plural(one.closable, 'unsettled call')} could be closed: repeat with --apply.")
    if made := found.correction:
        click.echo(
            f"{plural(made.requests, 'request')} closed: correction {made.version}; "
            f"`farthing prices undo {made.version}` takes it back."
        )


def _head(one: Reconciled) -> Iterable[str]:
    start, end = ("…" if at is None else shown(at) for at in (one.since, one.until))
    yield f"{one.form} ({one.statement}) against the ledger, {start} to {end} (UTC)"
    for name, total in one.totals.items():
        theirs, ours, delta = (_amount(name, number) for number in (total.statement, total.ledger, total.difference))
        yield f"  {_named(name)}: {theirs} there, {ours} here" + (f", difference {delta}" if total.difference else "")
    if one.rounding:
        yield f"  {plural(len(one.rounding), 'amount')} differ by rounding alone"
    for remark in one.remarks:
        yield f"  note: {remark}"
    yield "  equal" if one.equal else f"  {plural(len(one.differences) + len(one.calls), 'difference')}"


def _table(lines: Sequence[Difference]) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown_ = Table(title=_title("Differences", len(lines)), title_justify="left")
    for name in ("day", "provider", "model", "what", "there", "here", "difference", "likely cause"):
        right = name in {"there", "here", "difference"}
        shown_.add_column(name, justify="right" if right else "left", overflow="fold")
    for one in lines[:MANY]:
        amounts = (_amount(one.measure, number) for number in (one.statement, one.ledger, one.difference))
        place = (Text(text or "") for text in (one.day, one.provider, one.model))
        shown_.add_row(*place, _named(one.measure), *amounts, Text("; ".join(one.causes)))
    return shown_


def _calls(one: Reconciled) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown_ = Table(title=_title("Calls", len(one.calls)), title_justify="left")
    for name in ("the provider's id", "request", "model", "there", "here", "likely cause"):
        shown_.add_column(name, justify="right" if name in {"there", "here"} else "left", overflow="fold")
    for call in one.calls[:MANY]:
        names = (Text(text or "") for text in (call.provider_request_id, call.request, call.model))
        shown_.add_row(*names, exact(call.theirs_nano_usd), exact(call.ours_nano_usd), Text(call.cause))
    return shown_


def _title(what: str, number: int) -> str:
    return what if number <= MANY else f"{what}: the first {MANY} of {number:,} (--json has all)"


def _named(measure: str) -> str:
    return "cost" if measure == "cost_nano_usd" else measure.replace("_", " ")


def _amount(measure: str, number: int) -> str:
    return exact(number) if measure == "cost_nano_usd" else f"{number:,}"


def exact(nano: int | None) -> str:
    """Dollars to the last nano-dollar: here every one counts."""
    return UNKNOWN if nano is None else f"{'-' if nano < 0 else ''}${usd(abs(nano))}"
