"""The ledger's database, opened for reading from any thread. Writing is the keeper's."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from farthing.errors import StoreError
from farthing.ledger.upgrade import connect, explained, prepare
from farthing.types import Clock

SCHEME = "sqlite:///"
READERS = 4
"""Connections kept open for readers."""


class Store:
    """Where the ledger lies; the modules ``report``, ``listing`` and ``retention`` do things with it."""

    def __init__(self, path: Path, engine: Engine, clock: Clock) -> None:
        self.path, self.clock = path, clock
        self._engine = engine

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection that sees one state of the ledger, however long it is used. Raises ``StoreError``."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as problem:
            raise StoreError(f"{self.path}: {explained(problem.orig or problem)}") from problem

    def writer(self) -> sqlite3.Connection:
        """A connection of one's own for the one who writes (see ``writer.transaction``). Raises ``StoreError``."""
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
        self._engine.dispose()


def open_store(url: str, clock: Clock) -> Store:
    """Open the ledger at ``sqlite:///path``; make it if it is not there, bring an older one up to date.

    Raises ``StoreError`` naming the file and the way out.
    """
    if not url.startswith(SCHEME):
        raise StoreError(f"{url}: this version keeps its ledger in SQLite; use {SCHEME}path/to/farthing.db")
    path = Path(url.removeprefix(SCHEME))
    prepare(path)
    engine = create_engine("sqlite://", creator=lambda: _reader(path), poolclass=QueuePool, pool_size=READERS)
    event.listen(engine, "begin", _begin)
    return Store(path, engine, clock)


def _reader(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA cache_size=-32768")
    return connection


def _begin(connection: Connection) -> None:
    """sqlite3 would not begin a transaction for reading: each statement would see another state."""
    connection.exec_driver_sql("BEGIN")
