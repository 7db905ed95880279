"""The keeper's pulse, in the file of its lock: what it last did well, and what waits. Read without a database.

Who serves requests and who looks after the machine can so tell a keeper that works from one that is dead or stuck.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

import msgspec

EVERY_S = 5.0
"""Between two beats, if nothing changes."""


class Pulse(msgspec.Struct, frozen=True):
    """What the keeper last said of itself."""

    pid: int
    at: float
    """When it last did its work well: seconds since the epoch."""
    behind: int = 0
    """Bytes of the journal that are not in the ledger yet."""
    problem: str | None = None
    """Why it cannot do its work; ``None`` if it can."""


_DECODER = msgspec.json.Decoder(Pulse)


def lock_file(database: Path) -> Path:
    """Whoever holds the lock on this file is the keeper."""
    return database.with_name(database.name + ".writer")


def show(handle: int, pulse: Pulse) -> None:
    """Write it, over the last one. A full disk is no reason to stop."""
    line = msgspec.json.encode(pulse) + b"\n"
    with contextlib.suppress(OSError):
        os.pwrite(handle, line, 0)
        os.ftruncate(handle, len(line))


def read(path: Path) -> Pulse | None:
    """The latest pulse; ``None`` if there has been none, or while it is written."""
    try:
        return _DECODER.decode(path.read_bytes().partition(b"\n")[0])
    except (OSError, msgspec.DecodeError):
        return None


def is_held(path: Path) -> bool:
    """Whether a keeper is at work. Raises ``OSError``."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
