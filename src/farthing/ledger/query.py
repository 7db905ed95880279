"""Reports of any span of time: ``tally`` adds up, here it becomes rows in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from farthing.ledger.figures import By, Figures, Point, Report, figures
from farthing.ledger.rollup import DAY, GRAIN, HOUR, MEASURES, Vector, micro
from farthing.ledger.span import Span
from farthing.ledger.store import Store
from farthing.ledger.tally import Grouping, Label, Tally
from farthing.ledger.when import day_name, hour_name

GROUPINGS: dict[By, Grouping] = {
    "model": Grouping("model"),
    "feature": Grouping("feature"),
    "user": Grouping("user"),
    "provider": Grouping("provider"),
    "query_type": Grouping("query_type"),
    "status": Grouping("status"),
    "lever": Grouping("lever"),
    "tenant": Grouping("total", name="tenant"),
    "day": Grouping("total", DAY, name=""),
    "hour": Grouping("total", HOUR, name=""),
}
TOTAL = Grouping("total", name="")
_WHOLE: Label = (0, "")


def report(
    store: Store,
    by: By | None = None,
    since: float | None = None,
    until: float | None = None,
    tenant: str | None = None,
    limit: int | None = None,
) -> Report:
    """What was spent from ``since`` to before ``until`` (seconds since the epoch), in all and ``by`` something.

    Dearest rows first, days and hours in order; ``limit`` rows. Exact to the microsecond, but before the retention's
    horizon only to the hour (of users: the day). Requests under way are in it, their calls unsettled.
    Raises ``StoreError``.
    """
    total, found = reports(store, {by: limit} if by else {}, since, until, tenant)
    return Report(total, found[by][:limit] if by else [])


def reports(
    store: Store,
    wanted: Mapping[By, int | None],
    since: float | None = None,
    until: float | None = None,
    tenant: str | None = None,
) -> tuple[Figures, dict[By, list[Figures]]]:
    """The total, and the rows of several reports from one state of the ledger; cheaper than one by one.

    Percentiles are most of the work: ``wanted`` says for each report how many of its rows, beginning with the first,
    have them (``None``: all). Raises ``StoreError``.
    """
    with store.reading() as connection:
        tally = Tally(connection, _span(since, until), tenant)
        total = figures(tally.rows(TOTAL).get(_WHOLE, (0,) * len(MEASURES)), tally.histograms(TOTAL).get(_WHOLE))
        return total, {by: _rows(tally, by, limit) for by, limit in wanted.items()}


def timeseries(
    store: Store,
    by: By | None,
    bucket: Literal["hour", "day"],
    since: float | None = None,
    until: float | None = None,
    tenant: str | None = None,
) -> list[Point]:
    """What each key of a dimension cost in each hour or day (UTC), in order; of users only by the day."""
    base = GROUPINGS[by] if by else TOTAL
    width = max(HOUR if bucket == "hour" else DAY, GRAIN[base.dim])
    with store.reading() as connection:
        found = Tally(connection, _span(since, until), tenant).rows(base._replace(width=width))
    return [_point(label, vector, by) for label, vector in sorted(found.items())]


def tenants(store: Store) -> list[str]:
    """All that have ever asked for something."""
    with store.reading() as connection:
        found = connection.execute("SELECT DISTINCT tenant FROM daily WHERE dim = 'total'")
        return sorted(tenant for (tenant,) in found)


def _span(since: float | None, until: float | None) -> Span:
    return Span(*(None if at is None else micro(at) for at in (since, until)))


def _rows(tally: Tally, by: By, limit: int | None) -> list[Figures]:
    rows = tally.rows(GROUPINGS[by])
    ranked = _ranked(rows, by)
    counts = {} if limit == 0 else tally.histograms(GROUPINGS[by], None if limit is None else set(ranked[:limit]))
    return [figures(rows[label], counts.get(label), key=_named(label, by)) for label in ranked]


def _ranked(rows: dict[Label, Vector], by: By) -> list[Label]:
    if by in {"day", "hour"}:
        return sorted(rows)
    place = MEASURES.index("saved" if by == "lever" else "cost")
    return sorted(rows, key=lambda label: (-rows[label][place], label))


def _named(label: Label, by: By | None) -> str | None:
    names: dict[str, Callable[[int], str]] = {"day": day_name, "hour": hour_name}
    if by in names:
        return names[by](label[0])
    return label[1] or None


def _point(label: Label, vector: Vector, by: By | None) -> Point:
    row: Figures = figures(vector)
    key = label[1] or None if by else None
    return Point(label[0], key, row.requests, row.cost_nano_usd, row.saved_nano_usd)
