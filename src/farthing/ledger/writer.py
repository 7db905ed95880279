"""Writes entries into the tables: rows and roll-ups, always together in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from itertools import groupby

import msgspec

from farthing.ledger import rows
from farthing.ledger.batch import Batch
from farthing.ledger.miner import MinerOf
from farthing.ledger.miners import Miners
from farthing.ledger.records import Opened
from farthing.types import Clock


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """All or nothing; waits for another writer."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class Writer:
    """Its methods belong inside a ``transaction`` of the connection."""

    def __init__(self, connection: sqlite3.Connection, miner_of: MinerOf, clock: Clock) -> None:
        self._connection = connection
        self._miners = Miners(connection, miner_of, clock)

    def batch(self, owner: str) -> Batch:
        """For entries of one process."""
        return Batch(self._connection, self._miners, owner)

    def abandon(self, owner: str) -> None:
        """The owner is dead: what it has opened and not settled becomes unsettled."""
        found = self._connection.execute("SELECT entry FROM opens WHERE owner = ? ORDER BY id", (owner,))
        entries = [msgspec.json.decode(entry, type=Opened) for (entry,) in found]
        if not entries:
            return
        self._connection.execute("DELETE FROM opens WHERE owner = ?", (owner,))
        batch = self.batch(owner)
        batch.take_lost(rows.unsettled(list(group)) for _, group in groupby(entries, key=lambda one: one.id))
        batch.finish()

    def save(self) -> None:
        """Keep what the miners have learned."""
        self._miners.save()
