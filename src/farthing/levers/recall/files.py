"""Opening the answer store's files: what cannot be used is moved aside, never trusted and never deleted."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

import lmdb

from farthing.errors import StoreError
from farthing.levers.recall.ranking import Env, Tables

FORMAT = b"1"
"""Raised when what is written changes: a store of another format is started afresh."""

_SLACK = 16 << 20  # bytes that LMDB's own pages may take on top
_READERS = 1024


def open_files(path: Path, max_bytes: int) -> tuple[Env, Tables, str | None]:
    """The LMDB environment, its tables, and a message if an unusable store was moved aside to ``….broken-N``.

    Raises ``StoreError`` if the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        found = _identity(path)
        try:
            return *_open(path, max_bytes), None
        except (lmdb.CorruptedError, lmdb.InvalidError, lmdb.VersionMismatchError, _Unusable) as exc:
            message = _move_aside(path, found, exc)
            return *_open(path, max_bytes), message
    except (OSError, lmdb.Error, _Unusable) as exc:
        raise StoreError(
            f"the answer cache at {path} cannot be used: {exc}. Make the directory writable, name another one, "
            "or turn the cache off with [cache] exact = false"
        ) from exc


class _Unusable(Exception):
    """The files are there, but not ours or not whole."""


def _open(path: Path, max_bytes: int) -> tuple[Env, Tables]:
    if path.exists() and not path.is_dir():
        raise _Unusable("it is a file, not a directory")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)  # answers are for their owner's eyes only
    env = lmdb.open(
        str(path),
        map_size=max_bytes + max_bytes // 2 + _SLACK,  # a quarter for what is fragmented, a quarter for the questions
        max_dbs=10,
        max_readers=_READERS,
        max_spare_txns=4,
        mode=0o600,
        metasync=False,  # a crash of the machine may lose the last batch, never the store
    )
    try:
        _check_whole(path, env)
        env.reader_check()  # readers of killed processes would keep old pages alive
        tables = Tables(*(env.open_db(name) for name in (b"answers", b"cards", b"ranks", b"about")))
        _check_format(env, tables)
    except BaseException:
        env.close()
        raise
    return env, tables


def _check_whole(path: Path, env: Env) -> None:
    """A file that is shorter than its last page would kill the process on reading, not raise."""
    expected = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
    size = (path / "data.mdb").stat().st_size
    if size < expected:
        raise _Unusable(f"its data.mdb has {size} bytes instead of {expected}")


def _check_format(env: Env, tables: Tables) -> None:
    with env.begin(write=True) as txn:
        version = txn.get(b"format", db=tables.about)
        if version is None and not any(txn.stat(db)["entries"] for db in (tables.answers, tables.about)):
            txn.put(b"format", FORMAT, db=tables.about)
        elif version != FORMAT:
            raise _Unusable(f"its format is {version!r}, this farthing writes {FORMAT!r}")


def _identity(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        stat = path.stat()
        return stat.st_dev, stat.st_ino
    return None


def _move_aside(path: Path, found: tuple[int, int] | None, exc: Exception) -> str | None:
    """Unless another process was quicker and has put a new store there already."""
    if _identity(path) != found or found is None:
        return None
    aside = next(
        target for n in itertools.count(1) if not (target := path.with_name(f"{path.name}.broken-{n}")).exists()
    )
    path.rename(aside)
    return f"the answer cache at {path} cannot be used ({exc}); moved to {aside}, starting with an empty one"
