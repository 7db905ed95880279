"""Adds what has been summed up to the tables of sums: by hour, by day, and the histograms. Inside a transaction."""

from __future__ import annotations

import sqlite3

from farthing.ledger.histogram import Histogram, pack, take_away, unpack
from farthing.ledger.histogram import add as add_counts
from farthing.ledger.rollup import MEASURES, Key
from farthing.ledger.sums import Sums

_KEY = ("dim", "bucket", "tenant", "key")


def _add_to(table: str) -> str:
    return (
        f"INSERT INTO {table} VALUES ({','.join('?' * (len(_KEY) + len(MEASURES)))}) "  # noqa: S608 - our own names
        f"ON CONFLICT ({','.join(_KEY)}) DO UPDATE SET {', '.join(f'{one}={one}+excluded.{one}' for one in MEASURES)}"
    )


_SET_HISTOGRAM = (
    "INSERT INTO histograms VALUES (?,?,?,?,?) ON CONFLICT (dim, bucket, tenant, key) DO UPDATE "
    "SET counts=excluded.counts"
)
_ADD_HOURS, _ADD_DAYS = _add_to("rollups"), _add_to("daily")


def add(connection: sqlite3.Connection, sums: Sums, sign: int = 1) -> None:
    """Add sums, or with ``sign`` -1 take them out again."""
    for statement, found in zip((_ADD_HOURS, _ADD_DAYS), sums.sums(), strict=True):
        connection.executemany(
            statement,
            [(*key, *(vector if sign > 0 else [-amount for amount in vector])) for key, vector in found.items()],
        )
    read = connection.cursor()
    changed = [(*key, _merged(read, key, counts, sign)) for key, counts in sums.histograms().items()]
    connection.executemany(_SET_HISTOGRAM, changed)


def _merged(read: sqlite3.Cursor, key: Key, counts: Histogram, sign: int) -> bytes:
    row = read.execute("SELECT counts FROM histograms WHERE dim=? AND bucket=? AND tenant=? AND key=?", key).fetchone()
    if row is None:
        return pack(counts)  # only what has been added is ever taken away
    known = unpack(row[0])
    (add_counts if sign > 0 else take_away)(known, counts)
    return pack(known)
