"""What the metrics are made of: the sums of each day from some day on, read in one state of the ledger.

Blocking; of each day and dimension as few rows as there are keys, whatever the number of requests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from farthing.ledger.histogram import Histogram, combined, middle, parts, unpack
from farthing.ledger.rollup import MEASURES, METRICS
from farthing.ledger.segments import segments

if TYPE_CHECKING:  # no request waits for a database's driver
    from farthing.ledger.store import Connection, Store

Named = Mapping[str, int]
"""Measure → amount; what is not there is 0."""
Day = dict[str, dict[str, dict[str, int]]]
"""Dimension → key → measures. The key of ``total`` is the tenant; all others are over all tenants, ``all`` is one."""
Values = dict[str, dict[int, int]]
"""Each of ``rollup.METRICS`` → value (nano-dollars, microseconds; off by at most 1%) → how many requests had it."""

_KEYS = {"total": ("total", "tenant"), "all": ("total", "''")}
"""Dimension → as the ledger calls it, and what its rows stand under, if it is not ``key``."""
_SUMS = ", ".join(f"sum({name})" for name in MEASURES)


class Counts(msgspec.Struct, frozen=True):
    """Days begin at the seconds that name them (UTC). ``unpriced`` and ``unsettled`` are calls of all time."""

    days: dict[int, Day]
    values: dict[int, Values]
    unpriced: int
    unsettled: int


def counts(store: Store, dims: Iterable[str], since: int | None) -> Counts:
    """The sums of the days from ``since`` on (seconds; ``None``: all). Raises ``StoreError``."""
    first = -(1 << 62) if since is None else since
    with store.reading() as connection:
        days: defaultdict[int, Day] = defaultdict(dict)
        for dim in dims:
            for start, key, named in _sums(connection, dim, first):
                days[start].setdefault(dim, {})[key] = named
        query = "SELECT ifnull(sum(unpriced), 0), ifnull(sum(unsettled), 0) FROM daily WHERE dim = 'total'"
        unpriced, unsettled = connection.execute(query).fetchone()
        return Counts(dict(days), _values(connection, first), unpriced, unsettled)


def behind(store: Store, journal: Path) -> int:
    """Bytes of the journal that are not in the ledger yet. Raises ``StoreError``."""
    with store.reading() as connection:
        read = dict(connection.execute("SELECT name, offset FROM segments").fetchall())
    return sum(max(0, _size(one.path) - read.get(one.path.name, 0)) for one in segments(journal))


def _sums(connection: Connection, dim: str, first: int) -> Iterable[tuple[int, str, dict[str, int]]]:
    dim, column = _KEYS.get(dim, (dim, "key"))
    query = (
        f"SELECT bucket, {column} AS k, {_SUMS} FROM daily "  # noqa: S608 - our own names
        "WHERE dim = ? AND bucket >= ? GROUP BY bucket, k"
    )
    for start, key, *amounts in connection.execute(query, (dim, first)):
        yield start, key, {name: amount for name, amount in zip(MEASURES, amounts, strict=True) if amount}


def _values(connection: Connection, first: int) -> dict[int, Values]:
    query = "SELECT bucket, counts FROM histograms WHERE dim = 'total' AND bucket >= ? ORDER BY bucket"
    days = groupby(connection.execute(query, (first,)), key=itemgetter(0))
    summed = ((start, combined([unpack(data) for _, data in its])) for start, its in days)
    return {start: dict(zip(METRICS, map(_by_value, parts(counts)), strict=True)) for start, counts in summed}


def _by_value(buckets: Histogram) -> dict[int, int]:
    found: dict[int, int] = {}
    for index, number in buckets.items():
        value = middle(index)  # the small buckets stand for the same whole number
        found[value] = found.get(value, 0) + number
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
