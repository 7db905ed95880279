"""Single requests are kept for a while; the roll-ups stay for ever."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from farthing.errors import StoreError
from farthing.ledger.listing import HORIZON
from farthing.ledger.rollup import DAY, MICRO
from farthing.ledger.store import Store
from farthing.ledger.upgrade import explained
from farthing.ledger.writer import transaction

AT_ONCE = 2_000
EVERY_S = 3_600.0


class Pruner:
    """Deletes what is older than the retention, a little at a time; looks again every hour."""

    def __init__(self, store: Store, retention_s: float | None) -> None:
        self._store, self._retention_s = store, retention_s
        self._next = float("-inf")

    def __call__(self) -> bool:
        """Delete some; whether there is more to delete."""
        now = self._store.clock()
        if self._retention_s is None or now < self._next:
            return False
        if prune(self._store, now - self._retention_s, at_most=AT_ONCE) == AT_ONCE:
            return True
        self._next = now + EVERY_S
        return False


def prune(store: Store, before: float, *, at_most: int | None = None) -> int:
    """Delete requests, their calls and examples from before the (UTC) day of ``before``; how many requests.

    In small transactions, so that the keeper never waits long. What is deleted is overwritten in the file.
    Raises ``StoreError``.
    """
    horizon = int(before // DAY * DAY)
    total = 0
    try:
        with closing(store.writer()) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            while at_most is None or total < at_most:
                found = _delete(connection, horizon, AT_ONCE if at_most is None else at_most - total)
                total += found
                if not found:
                    break
            if total and at_most is None:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as problem:
        raise StoreError(f"{store.path}: {explained(problem)}") from problem
    return total


def _delete(connection: sqlite3.Connection, horizon: int, most: int) -> int:
    with transaction(connection):
        query = "SELECT seq FROM requests WHERE ts < ? ORDER BY ts LIMIT ?"
        seqs = connection.execute(query, (horizon * MICRO, most)).fetchall()
        connection.executemany("DELETE FROM corrected WHERE request = (SELECT id FROM requests WHERE seq = ?)", seqs)
        for table in ("calls", "savings", "requests"):
            connection.executemany(f"DELETE FROM {table} WHERE seq = ?", seqs)  # noqa: S608 - our own names
        connection.execute(
            "UPDATE query_types SET example = '', example_id = '', example_cost = -1 WHERE example_ts < ? "
            "AND example_cost >= 0",
            (horizon * MICRO,),
        )
        if seqs:
            connection.execute(
                "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value "
                "WHERE CAST(CAST(value AS TEXT) AS INTEGER) < CAST(CAST(excluded.value AS TEXT) AS INTEGER)",
                (HORIZON, str(horizon).encode()),
            )
    return len(seqs)
