"""The ledger's database, opened for reading from any thread. Writing is the keeper's.

Everything that runs while farthing serves or reports is plain SQL, in words that PostgreSQL has, too: importing
SQLAlchemy takes longer than a report. It makes the tables (``schema``, ``upgrade``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from farthing.errors import StoreError
from farthing.ledger.upgrade import connect, explained, prepare
from farthing.types import Clock

SCHEME = "sqlite:///"
READERS = 4
"""Connections kept open for readers."""

Connection = sqlite3.Connection


class Store:
    """Where the ledger lies; the modules ``query``, ``listing`` and ``retention`` do things with it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path, self.clock = path, clock
        self._idle: list[Connection] = []

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection that sees one state of the ledger, however long it is used. Raises ``StoreError``."""
        try:
            connection = self._taken()
            try:
                connection.execute("BEGIN")  # sqlite3 would not: each statement would see another state
                yield connection
            finally:
                self._give_back(connection)
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {explained(problem)}") from problem

    def writer(self) -> Connection:
        """A connection of one's own for the one who writes (see ``writer.transaction``). Raises ``StoreError``."""
        # sqlite3 finds out by two exceptions that there is no adapter for None: longer than all else of a short row.
        sqlite3.register_adapter(type(None), dict[object, None]().get)
        try:
            connection = connect(self.path)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA cache_size=-32768")
            connection.execute("PRAGMA journal_size_limit=67108864")
            connection.execute("PRAGMA wal_autocheckpoint=8192")
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {explained(problem)}") from problem
        return connection

    def close(self) -> None:
        """Let go of the file."""
        while self._idle:
            self._idle.pop().close()

    def _taken(self) -> Connection:
        with suppress(IndexError):  # several threads may look at once
            return self._idle.pop()
        connection = connect(self.path)
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-32768")
        return connection

    def _give_back(self, connection: Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if len(self._idle) < READERS:
            self._idle.append(connection)
        else:
            connection.close()


def open_store(url: str, clock: Clock) -> Store:
    """Open the ledger at ``sqlite:///path``; make it if it is not there, bring an older one up to date.

    Raises ``StoreError`` naming the file and the way out.
    """
    if not url.startswith(SCHEME):
        raise StoreError(f"{url}: this version keeps its ledger in SQLite; use {SCHEME}path/to/farthing.db")
    path = Path(url.removeprefix(SCHEME))
    prepare(path)
    return Store(path, clock)
