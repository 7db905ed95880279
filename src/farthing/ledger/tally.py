"""One span of the ledger, added up: whole days and hours from the tables of sums, what is left over from the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import chain
from operator import add
from typing import Any, Literal, NamedTuple

from farthing.ledger.edges import LINE_KEYS, edge_lines, edge_sums
from farthing.ledger.histogram import Histogram, combined, counted, unpack
from farthing.ledger.listing import horizon, in_flight
from farthing.ledger.rollup import (
    DAY,
    GRAIN,
    HISTOGRAM_GRAIN,
    HOUR,
    MEASURES,
    Key,
    Vector,
    micro,
    start_of,
)
from farthing.ledger.span import Parts, Span, layers, nearest, split, widened
from farthing.ledger.store import Connection
from farthing.ledger.sums import Sums, buckets_of

Label = tuple[int, str]
"""Start of the bucket and name, each 0 or empty where it does not matter."""

MOST_ROWS = 5_000
"""So many single requests are read at the edges to get percentiles of exactly the span, else those of whole days."""
MOST_KEYS = 500
"""Of more, all histograms are read and the right ones kept."""
_SUMS = ", ".join(f"sum({name})" for name in MEASURES)


class Grouping(NamedTuple):
    """How buckets, tenants and keys of a dimension become the rows of a report."""

    dim: str
    width: int = 0
    """Seconds of the row's buckets; 0: all in one."""
    name: Literal["tenant", "key", ""] = "key"

    def label(self, key: Key) -> Label:
        """The row that a key of the sums belongs to."""
        _, start, tenant, name = key
        at = start // self.width * self.width if self.width else 0
        return at, tenant if self.name == "tenant" else name if self.name else ""

    def columns(self) -> str:
        """The same in SQL."""
        start = f"bucket - bucket % {self.width}" if self.width else "0"
        return f"{start} AS b, {self.name or repr('')} AS k"


class Tally:
    """One state of the ledger, one span of it, perhaps of one tenant. What several groupings need is read once."""

    def __init__(self, connection: Connection, span: Span, tenant: str | None) -> None:
        self._connection, self._span, self._tenant = connection, span, tenant
        self._horizon = horizon(connection)
        opened = (one.request for one in in_flight(connection, tenant))
        self._under_way = Sums((one, "") for one in opened if span.contains(micro(one.ts))).sums()
        self._totals: dict[Span, list[tuple[Key, Histogram]]] = {}
        self._at_edges: dict[tuple[Span, ...], dict[Key, Histogram]] = {}

    def rows(self, grouping: Grouping) -> dict[Label, Vector]:
        """The sums of each row."""
        found: dict[Label, Vector] = {}
        for label, vector in self._sums(grouping):
            found[label] = list(map(add, found[label], vector)) if label in found else vector
        return {label: vector for label, vector in found.items() if any(vector)}

    def histograms(self, grouping: Grouping, only: Collection[Label] | None = None) -> dict[Label, Histogram]:
        """The histograms of each row, or ``only`` of some; none where they are not kept."""
        dim = "hour" if grouping.width == HOUR else grouping.dim
        if dim not in HISTOGRAM_GRAIN:
            return {}
        parts = self._affordable(split(self._span, HISTOGRAM_GRAIN[dim], self._horizon), HISTOGRAM_GRAIN[dim])
        names = {name for _, name in only} if only is not None and grouping.name == "key" else None
        found: defaultdict[Label, list[Histogram]] = defaultdict(list)
        for key, counts in chain(self._kept(dim, parts.whole, names), self._left_over(parts.edges).items()):
            label = grouping.label(key)
            if key[0] == dim and (only is None or label in only):
                found[label].append(counts)
        return {label: combined(many) for label, many in found.items()}

    def _sums(self, grouping: Grouping) -> Iterable[tuple[Label, Vector]]:
        dim, hourly = grouping.dim, grouping.width == HOUR
        parts = nearest(self._span, GRAIN[dim], self._horizon)
        for table, span in layers(parts.whole, days=not hourly, hours=GRAIN[dim] == HOUR):
            query = f"SELECT {grouping.columns()}, {_SUMS} FROM {table} WHERE {{}} GROUP BY b, k"  # noqa: S608
            for start, name, *vector in self._select(query, dim, span):
                yield (start, name), vector
        for edge in parts.edges:
            for key, vector in edge_sums(self._connection, dim, edge, self._tenant).items():
                yield grouping.label(key), vector
        for cut in parts.minus:
            for key, vector in edge_sums(self._connection, dim, cut, self._tenant).items():
                yield grouping.label(key), [-amount for amount in vector]
        for key, vector in (self._under_way.hours if hourly else self._under_way.days).items():
            if key[0] == dim:
                yield grouping.label(key), vector

    def _kept(self, dim: str, whole: Span | None, names: Collection[str] | None) -> Iterable[tuple[Key, Histogram]]:
        """The histograms of whole buckets, of some keys or all. Those of everything serve several groupings."""
        if whole is None:
            return []
        if dim == "total" and whole in self._totals:
            return self._totals[whole]
        few = tuple(names) if names is not None and len(names) <= MOST_KEYS else ()
        chosen = f" AND key IN ({','.join('?' * len(few))})" if few else ""
        query = f"SELECT bucket, tenant, key, counts FROM histograms WHERE {{}}{chosen}"  # noqa: S608
        read = self._select(query, dim, whole, *few)
        found = [((dim, start, tenant, key), unpack(counts)) for start, tenant, key, counts in read]
        if dim == "total":
            self._totals[whole] = found
        return found

    def _select(self, query: str, dim: str, span: Span, *more: str) -> Iterable[Any]:
        """``query`` with the conditions in the place of ``{}``."""
        conditions = {"dim = ?": dim, "bucket >= ?": span.since, "bucket < ?": span.until, "tenant = ?": self._tenant}
        given = {text: value for text, value in conditions.items() if value is not None}
        return self._connection.execute(query.format(" AND ".join(given)), (*given.values(), *more))

    def _left_over(self, edges: list[Span]) -> dict[Key, Histogram]:
        """The histograms of the single requests in the edges, by every dimension."""
        spans = tuple(edges)
        if spans not in self._at_edges:
            cells: defaultdict[Key, list[int | None]] = defaultdict(list)
            for edge in edges:
                for at, tenant, *rest in edge_lines(self._connection, edge, self._tenant):
                    day, buckets = start_of(at, DAY), buckets_of(*rest[len(LINE_KEYS) :])
                    cells["hour", start_of(at, HOUR), tenant, ""].extend(buckets)
                    cells["total", day, tenant, ""].extend(buckets)
                    for dim, key in zip(LINE_KEYS, rest, strict=False):
                        cells[dim, day, tenant, key].extend(buckets)
            self._at_edges[spans] = {key: counted(buckets) for key, buckets in cells.items()}
        return self._at_edges[spans]

    def _affordable(self, parts: Parts, grain: int) -> Parts:
        """With too many single requests at the edges: the whole buckets that they are in."""
        query = "SELECT count(*) FROM requests WHERE ts >= ? AND ts < ?"
        number = sum(self._connection.execute(query, edge).fetchone()[0] for edge in parts.edges)
        return parts if number <= MOST_ROWS else Parts(widened(self._span, grain), [])
