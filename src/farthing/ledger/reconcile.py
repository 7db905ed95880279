"""Holds the ledger against a provider's statement and names every difference with its likely cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from farthing.ledger.billed import Billed, OneCall, Wanted
from farthing.ledger.causes import Around, causes, only_rounding
from farthing.ledger.cells import Cell, cells
from farthing.ledger.matching import Matched, Odd, can_close, matched
from farthing.ledger.rollup import DAY
from farthing.ledger.statements import Statement
from farthing.ledger.statements.model import Item
from farthing.ledger.when import day_name


class Difference(msgspec.Struct, frozen=True):
    """One measure of a day, provider and model that is not the same in both; ``None`` where they are not told apart."""

    day: str | None
    provider: str | None
    model: str | None
    measure: str
    """``requests``, a token class, or ``cost_nano_usd``."""
    statement: int
    ledger: int
    difference: int
    """Statement less ledger."""
    causes: list[str]
    """The likeliest first."""


class Totals(msgspec.Struct, frozen=True):
    """A measure over all; ``difference`` is statement less ledger."""

    statement: int
    ledger: int
    difference: int


class Reconciled(msgspec.Struct, frozen=True):
    """One form of statement against the ledger."""

    statement: str
    """Its name: the files."""
    form: str
    since: float | None
    until: float | None
    """What time was compared, seconds since the epoch; ``None``: all."""
    equal: bool
    """Nothing differs, but for ``rounding``."""
    totals: dict[str, Totals]
    compared: int
    """Places: a day, a provider, a model."""
    differences: list[Difference]
    rounding: list[Difference]
    """Dollars that differ by less than the statement's last decimals."""
    calls: list[Odd]
    """Where the statement names its calls: those that are not the same in both."""
    closable: int
    """Unsettled calls whose ending the statement tells."""
    remarks: list[str]


def cut(statement: Statement, since: float | None, until: float | None, key: str | None) -> Statement:
    """Only the lines of a time and of a key."""

    def wanted(item: Item) -> bool:
        early = since is not None and item.since is not None and item.since < since
        late = until is not None and item.since is not None and item.since >= until
        return not early and not late and key in (None, item.key)

    return msgspec.structs.replace(statement, items=tuple(item for item in statement.items if wanted(item)))


def wanted_of(statement: Statement, provider: str | None, since: float | None, until: float | None) -> Wanted:
    """Which calls of the ledger a statement is about: whole days where it does not say more."""
    first, last = _span(statement)
    named = {provider} if provider else {item.provider or statement.provider for item in statement.items}
    named = named or {statement.provider}
    return Wanted(
        since if since is not None else first,
        until if until is not None else last,
        None if None in named else frozenset(name for name in named if name),
        statement.wires,
    )


def reconcile(
    statement: Statement,
    wanted: Wanted,
    ledger: Sequence[Billed],
    calls: Iterable[OneCall],
    provider: str | None,
    now: float,
) -> tuple[Reconciled, Matched | None]:
    """``calls`` are only looked at where the statement names its own."""
    found = cells(statement, provider, ledger)
    around = Around(found, now, statement.more, statement.remarks)
    odd = [(cell, only_rounding(cell), causes(cell, around)) for cell in found.values() if cell.delta]
    odd.sort(key=lambda one: (one[0].place.day or 0, -abs(one[0].delta.get("cost_nano_usd", 0)), str(one[0].place)))
    pairs = matched(statement, calls) if any(item.request_id for item in statement.items) else None
    differences = [line for cell, rounded, its in odd if not rounded for line in _lines(cell, its)]
    single = pairs.odd if pairs else []
    closable = len(pairs.closings) if pairs and can_close(statement) else 0
    return (
        Reconciled(
            statement=statement.name,
            form=statement.form,
            since=wanted.since,
            until=wanted.until,
            equal=not (differences or single or closable),
            totals=_totals(found.values()),
            compared=len(found),
            differences=differences,
            rounding=[line for cell, rounded, its in odd if rounded for line in _lines(cell, its)],
            calls=single,
            closable=closable,
            remarks=list(statement.remarks),
        ),
        pairs,
    )


def _span(statement: Statement) -> tuple[float | None, float | None]:
    if statement.span is not None:
        return statement.span
    times = [(item.since, item.until) for item in statement.items if item.since is not None]
    if not times or len(times) < len(statement.items):
        return None, None
    first = min(since for since, _ in times)
    last = max((since + 1 if until is None else until) for since, until in times)
    return first // DAY * DAY, -(-last // DAY) * DAY


def _lines(cell: Cell, its: list[str]) -> Iterable[Difference]:
    theirs, ours = cell.theirs.measures(), cell.ours.measures()
    day = None if cell.place.day is None else day_name(cell.place.day)
    for name, delta in cell.delta.items():
        yield Difference(day, *cell.place[1:], name, theirs.get(name, 0), ours.get(name, 0), delta, its)


def _totals(found: Iterable[Cell]) -> dict[str, Totals]:
    theirs: dict[str, int] = {}
    ours: dict[str, int] = {}
    for cell in found:
        for into, side in ((theirs, cell.theirs), (ours, cell.ours)):
            for name, number in side.measures().items():
                into[name] = into.get(name, 0) + number
    return {name: Totals(number, ours.get(name, 0), number - ours.get(name, 0)) for name, number in theirs.items()}
