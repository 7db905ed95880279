"""How all workers are, as each of them tells it in a file of its own: one request for metrics reaches only one of them.

A worker holds a lock on its file, which the kernel gives up however it ends. It writes when something has changed, a
second late at most; no request waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from farthing.ledger.private import make_folder
from farthing.telemetry.families import Vitals

log = logging.getLogger("farthing")

EVERY_S = 1.0
SUFFIX = ".worker"
WIDTH = 256
"""Bytes of a file: it is overwritten in place."""


class Beat:
    """Tells how this process is, while it runs."""

    def __init__(self, folder: Path, vitals: Callable[[], Vitals]) -> None:
        self._folder, self._vitals = folder, vitals
        self._handle: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._said: Vitals | None = None

    def start(self) -> None:
        """Begin; in a running event loop. Without a file the others do not know of this process, and it says so."""
        try:
            self._handle = _owned(self._folder / f"{os.getpid()}{SUFFIX}")
        except OSError as problem:
            log.warning("%s: the metrics of this worker cannot be shared: %s", self._folder, problem)
            return
        self.beat()

    def stop(self) -> None:
        """Be gone."""
        if self._timer is not None:
            self._timer.cancel()
        if self._handle is not None:
            with contextlib.suppress(OSError):
                (self._folder / f"{os.getpid()}{SUFFIX}").unlink()
            os.close(self._handle)
            self._handle = None

    def beat(self) -> None:
        """Say it, and again in a second."""
        vitals = self._vitals()
        if vitals != self._said and self._handle is not None:
            with contextlib.suppress(OSError):  # a full disk: the journal says it louder
                os.pwrite(self._handle, msgspec.json.encode(vitals).ljust(WIDTH), 0)
                self._said = vitals
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self.beat)


def others(folder: Path) -> list[Vitals]:
    """How the other workers are; what those that have ended left behind is deleted. Blocking."""
    own = f"{os.getpid()}{SUFFIX}"
    files = [path for path in folder.glob(f"*{SUFFIX}") if path.name != own]
    return [vitals for path in files if (vitals := _said_in(path)) is not None]


def _owned(path: Path) -> int:
    """A file that is this process's as long as it lives; it gets its name when it is locked. Raises ``OSError``."""
    make_folder(path.parent)
    hidden = path.with_suffix(".new")
    handle = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        hidden.rename(path)
    except OSError:
        os.close(handle)
        raise
    return handle


def _said_in(path: Path) -> Vitals | None:
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return msgspec.json.decode(file.read(), type=Vitals)
            path.unlink()
    except (OSError, msgspec.MsgspecError):  # it has just begun, or just ended
        pass
    return None
