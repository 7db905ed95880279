"""Makes a ledger, and brings an older one up to date. alembic is only imported where there is something to do."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from farthing import __version__
from farthing.errors import StoreError
from farthing.ledger.private import make_file, make_folder

VERSION = "0003"
"""The newest migration."""
BUSY_S = 30.0
"""How long to wait for another process that writes."""

PAUSE_S = 0.05
"""Between two attempts."""
PAGE_BYTES = 8192
"""Rows are near 1 kB: twice SQLite's usual page holds them with less waste."""


def prepare(path: Path) -> None:
    """Make sure that the database is there and of this version. Raises ``StoreError``."""
    try:
        make_folder(path.parent)
        make_file(path)  # SQLite gives the files beside it the same rights
        with closing(connect(path)) as connection:
            found = version_of(connection)
            if found == VERSION:
                return
            _refuse_newer(path, connection, found)
            connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
            _use_wal(connection)
    except (OSError, sqlite3.Error) as problem:
        raise StoreError(f"{path}: {explained(problem)}") from problem
    migrate(path)


def migrate(path: Path, to: str = VERSION) -> None:
    """Bring the schema to a version, forward or (``base``: to nothing) back, in one transaction."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import Connection, create_engine, event
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")

    event.listen(engine, "begin", begin)
    try:
        with engine.begin() as connection:
            now = version_of(connection.connection.dbapi_connection)  # pyright: ignore[reportArgumentType] - sqlite3's
            config.attributes["connection"] = connection
            if now == to:  # another process was faster
                return
            back = to == "base" or (now is not None and to < now)
            (command.downgrade if back else command.upgrade)(config, to)
            if not back:
                connection.exec_driver_sql(
                    "INSERT OR REPLACE INTO meta VALUES ('farthing', ?)", (__version__.encode(),)
                )
    except DBAPIError as problem:
        raise StoreError(f"{path}: {explained(problem.orig or problem)}") from problem


def _use_wal(connection: sqlite3.Connection) -> None:
    """Here SQLite does not wait for another process, whatever the timeout."""
    for patience in range(round(BUSY_S / PAUSE_S), -1, -1):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or not patience:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def connect(path: Path, *, timeout: float = BUSY_S) -> sqlite3.Connection:
    """A connection without transactions of its own making, usable from any one thread at a time."""
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)


def version_of(connection: sqlite3.Connection) -> str | None:
    """The ledger's migration; ``None`` for an empty database."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def explained(problem: BaseException) -> str:
    """What SQLite or the system says, with the way out."""
    text = str(problem)
    if "readonly" in text or "unable to open" in text or isinstance(problem, PermissionError):
        return (
            f"the ledger cannot be written ({text}): check the rights on the file and its folder, or change [store] url"
        )
    if "not a database" in text:
        return "this is no SQLite database: point [store] url at another file"
    if "malformed" in text:
        return "the database is damaged: move it away (farthing starts a new one), or restore a copy"
    if "full" in text:
        return "the disk is full: make room; until then requests go on and wait in the journal"
    if "locked" in text:
        return f"another program has kept the ledger locked for {BUSY_S:g} s: close it"
    return f"the ledger cannot be used: {text}"


def _foreign(path: Path) -> StoreError:
    return StoreError(f"{path}: this database is another program's: point [store] url at another file")


def _refuse_newer(path: Path, connection: sqlite3.Connection, found: str | None) -> None:
    if found is None:
        others = connection.execute("SELECT 1 FROM sqlite_master WHERE tbl_name <> 'alembic_version'").fetchone()
        if others and version_of(connection) is None:  # looked at again: it may just have been made
            raise _foreign(path)
        return
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        raise _foreign(path)  # others use alembic, too
    if found <= VERSION:
        return
    row = connection.execute("SELECT value FROM meta WHERE name = 'farthing'").fetchone()
    raise StoreError(
        f"{path}: the ledger was written by farthing {row[0].decode() if row else '?'} (schema {found}), this is "
        f"farthing {__version__} (schema {VERSION}): install the newer farthing, or point [store] url at another file"
    )
