"""Reports: from the roll-ups, and for what is left over at the edges of a span from the rows, by the same sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Table, func, literal, select

from farthing.ledger import schema
from farthing.ledger.edges import COLUMNS, edge_sums
from farthing.ledger.figures import By, Figures, Point, Report, figures
from farthing.ledger.histogram import Histogram, unpack
from farthing.ledger.listing import horizon, in_flight, within
from farthing.ledger.rollup import DAY, GRAIN, HISTOGRAM_GRAIN, HOUR, MEASURES, METRICS, Key, Sums, Vector, micro
from farthing.ledger.span import Parts, Span, split
from farthing.ledger.store import Store
from farthing.ledger.when import day_name, hour_name

Label = tuple[int, str]
"""Start of the bucket and name, each 0 or empty where it does not matter."""

Counts = defaultdict[int, int]
"""A histogram that is being added up."""

MOST_ROWS = 5_000
"""So many single requests are read at the edges to get percentiles of exactly the span, else those of whole days."""


class Grouping(NamedTuple):
    """How buckets, tenants and keys of a dimension become the rows of a report."""

    dim: str
    width: int = 0
    """Seconds of the row's buckets; 0: all in one."""
    name: Literal["tenant", "key", ""] = "key"

    def label(self, key: Key) -> Label:
        """The row that a key of the roll-up belongs to."""
        _, bucket, tenant, name = key
        return self._bucket(bucket), tenant if self.name == "tenant" else name if self.name else ""

    def columns(self, table: Table) -> list[ColumnElement[Any]]:
        """The same in SQL."""
        bucket = table.c.bucket - table.c.bucket % self.width if self.width else literal(0)
        return [bucket.label("b"), (table.c[self.name] if self.name else literal("")).label("k")]

    def _bucket(self, at: int) -> int:
        return at // self.width * self.width if self.width else 0


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
    span = Span(*(None if at is None else micro(at) for at in (since, until)))
    with store.reading() as connection:
        books = _Books(connection, span, tenant)
        found: dict[By, list[Figures]] = {by: _report(books, by, most) for by, most in wanted.items()}
        return figures(*books.total()), found


def timeseries(
    store: Store,
    by: By | None,
    bucket: Literal["hour", "day"],
    since: float | None = None,
    until: float | None = None,
    tenant: str | None = None,
) -> list[Point]:
    """What each key of a dimension cost in each hour or day (UTC), in order; of users only by the day."""
    span = Span(*(None if at is None else micro(at) for at in (since, until)))
    base = GROUPINGS[by] if by else TOTAL
    width = max(HOUR if bucket == "hour" else DAY, GRAIN[base.dim])
    with store.reading() as connection:
        found = _Books(connection, span, tenant).rows(base._replace(width=width))
    return [_point(label, vector, by) for label, vector in sorted(found.items())]


def tenants(store: Store) -> list[str]:
    """All that have ever asked for something."""
    table = schema.rollups
    with store.reading() as connection:
        found = connection.execute(select(table.c.tenant).distinct().where(table.c.dim == "total"))
        return sorted(row[0] for row in found)


class _Books:
    """One state of the ledger, one span of it."""

    def __init__(self, connection: Connection, span: Span, tenant: str | None) -> None:
        self._connection, self._span, self._tenant = connection, span, tenant
        self._horizon = horizon(connection)
        opened = (one.request for one in in_flight(connection, tenant))
        self._under_way = Sums((one, "") for one in opened if span.contains(micro(one.ts))).sums()
        self._read: dict[tuple[Span, ...], Sums] = {}

    def total(self) -> tuple[Vector, list[Counts] | None]:
        """Everything in one row."""
        label = (0, "")
        return self.rows(TOTAL).get(label, (0,) * len(MEASURES)), self.histograms(TOTAL).get(label)

    def rows(self, grouping: Grouping) -> dict[Label, Vector]:
        """The sums of each row."""
        parts = split(self._span, GRAIN[grouping.dim], self._horizon)
        found: dict[Label, Vector] = {}
        if parts.whole is not None:
            sums = [func.sum(schema.rollups.c[name]) for name in MEASURES]
            for bucket, name, *vector in self._select(schema.rollups, grouping, grouping.dim, parts.whole, sums):
                found[bucket, name] = vector
        for key, vector in [*self._left_over(grouping.dim, parts.edges), *self._under_way.items()]:
            if key[0] == grouping.dim:
                label = grouping.label(key)
                found[label] = list(map(add, found[label], vector)) if label in found else vector
        return {label: vector for label, vector in found.items() if any(vector)}

    def histograms(self, grouping: Grouping, only: set[Label] | None = None) -> dict[Label, list[Counts]]:
        """The histograms of each row, or ``only`` of some."""
        dim = "hour" if grouping.width == HOUR else grouping.dim
        if dim not in HISTOGRAM_GRAIN:
            return {}
        parts = self._affordable(split(self._span, HISTOGRAM_GRAIN[dim], self._horizon), HISTOGRAM_GRAIN[dim])
        found: dict[Label, list[Counts]] = {}
        if parts.whole is not None:
            table = schema.histograms
            wanted = [] if only is None or grouping.name == "" else [table.c[grouping.name].in_([k for _, k in only])]
            for bucket, name, counts in self._select(table, grouping, dim, parts.whole, [table.c.counts], wanted):
                _merge(found, (bucket, name), unpack(counts))
        for key, counts in self._raw(parts.edges).histograms().items():
            if key[0] == dim:
                _merge(found, grouping.label(key), counts)
        return found

    def _select(
        self,
        table: Table,
        grouping: Grouping,
        dim: str,
        whole: Span,
        columns: Sequence[ColumnElement[Any]],
        where: Iterable[ColumnElement[bool]] = (),
    ) -> Iterable[Any]:
        labels = grouping.columns(table)
        query = select(*labels, *columns).where(table.c.dim == dim, *where)
        if whole.since is not None:
            query = query.where(table.c.bucket >= whole.since)
        if whole.until is not None:
            query = query.where(table.c.bucket < whole.until)
        if self._tenant is not None:
            query = query.where(table.c.tenant == self._tenant)
        if table is schema.rollups:
            query = query.group_by("b", "k")
        return cast("Iterable[Any]", self._connection.execute(query))

    def _left_over(self, dim: str, edges: Sequence[Span]) -> Iterable[tuple[Key, Vector]]:
        """The sums of a dimension over the edges."""
        if dim not in COLUMNS:
            return self._raw(edges).sums().items()
        each = (edge_sums(self._connection, dim, edge, self._tenant) for edge in edges)
        return [pair for found in each for pair in found.items()]

    def _raw(self, edges: Sequence[Span]) -> Sums:
        """The sums of the single requests in the edges."""
        key = tuple(edges)
        if key not in self._read:
            found = (one for edge in edges for one in within(self._connection, edge, self._tenant))
            self._read[key] = Sums((one.request, one.query_type) for one in found)
        return self._read[key]

    def _affordable(self, parts: Parts, grain: int) -> Parts:
        """With too many single requests at the edges: the whole buckets that they are in."""
        table = schema.requests
        number = 0
        for edge in parts.edges:
            query = select(func.count()).select_from(table).where(table.c.ts >= edge.since, table.c.ts < edge.until)
            number += self._connection.execute(query).scalar_one()
        if number <= MOST_ROWS:
            return parts
        start, end = self._span
        width = grain * 1_000_000
        return Parts(
            Span(
                None if start is None else start // width * grain,
                None if end is None else -(-end // width) * grain,
            ),
            [],
        )


def _report(books: _Books, by: By, most: int | None) -> list[Figures]:
    rows = books.rows(GROUPINGS[by])
    ranked = _ranked(rows, by)
    counts = {} if most == 0 else books.histograms(GROUPINGS[by], None if most is None else set(ranked[:most]))
    return [figures(rows[label], counts.get(label), key=_named(label, by)) for label in ranked]


def _merge(into: dict[Label, list[Counts]], label: Label, counts: list[Histogram]) -> None:
    known = into.get(label)
    if known is None:
        known = into[label] = [defaultdict[int, int](int) for _ in METRICS]
    for one, more in zip(known, counts, strict=True):
        for index, count in more.items():
            one[index] += count


def _ranked(rows: dict[Label, Vector], by: By | None) -> list[Label]:
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
