"""The journal: every process appends to a file of its own, so that a killed process loses nothing that it wrote.

One ``write`` an entry, or for all that were gathered, straight into the kernel's page cache: that survives the death of
the process, but a power cut only with ``fsync``. The keeper reads the files and moves what is in them into the store.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from farthing.errors import StoreError
from farthing.ledger.private import make_folder
from farthing.ledger.records import Entry
from farthing.types import Clock

ROTATE_BYTES = 64 << 20
BACKLOG = 10_000
"""Entries kept in memory while the disk cannot be written."""
AT_ONCE = 64
"""Waiting entries written with one call."""

log = logging.getLogger(__name__)

_MISCONFIGURED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


class Health(msgspec.Struct, frozen=True):
    """``ok``: the disk takes entries and none wait. ``pending`` ones wait in memory for it; ``lost`` ones, since the
    start, found no room there. ``error`` is the last one.
    """

    ok: bool
    pending: int = 0
    lost: int = 0
    error: str | None = None


class Journal:
    """Appends entries; never raises once it is open: a request goes through whatever the disk does.

    Raises ``StoreError`` if the directory cannot be used by this user. A full disk is no reason not to start.
    Belongs to one thread.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        *,
        fsync: bool = False,
        rotate_bytes: int = ROTATE_BYTES,
        backlog: int = BACKLOG,
    ) -> None:
        self._directory, self._fsync = directory, fsync
        self._rotate_bytes, self._most = rotate_bytes, backlog
        self._owner = f"{round(clock() * 1e6)}-{os.getpid()}"
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()
        self._wake: Callable[[], None] = self.flush
        self._waiting: deque[bytes] = deque()
        self._handle: int | None = None
        self._seq = self._size = self._lost = 0
        self._torn = self._failing = False
        self._error: str | None = None
        self._start()

    def append(self, entry: Entry) -> None:
        """Write an entry, unless entries are gathered."""
        begin = len(self._buffer)
        try:
            self._encoder.encode_into(entry, self._buffer, begin)
        except (UnicodeEncodeError, msgspec.MsgspecError):
            self._buffer[begin:] = _lenient(entry)
        self._buffer += b"\n"
        self._wake()

    def gather(self, wake: Callable[[], None]) -> None:
        """From now on entries wait for ``flush``; ``wake``, called with each of them, sees to it that there is one."""
        self._wake = wake

    def flush(self) -> None:
        """Write what has been gathered, or keep it until the disk can be written again."""
        if not self._buffer:
            return
        if self._waiting or self._handle is None:
            self._drain()
        if self._waiting or self._handle is None or not self._try(self._buffer):
            for line in self._buffer.splitlines(keepends=True):  # the keeper enters a line once, if it is there twice
                self._keep(bytes(line))
        self._buffer.clear()

    def _keep(self, line: bytes) -> None:
        if len(self._waiting) < self._most:
            self._waiting.append(line)
            return
        if not self._lost:
            log.error("%d entries of the journal wait for the disk, and no more find room: they are lost", self._most)
        self._lost += 1

    def health(self) -> Health:
        """How it stands with the disk, which is tried again if anything waits: there may be no more requests."""
        if self._waiting or self._handle is None:
            self._drain()
        ok = not self._waiting and self._handle is not None
        return Health(ok, len(self._waiting), self._lost, None if ok and not self._lost else self._error)

    def close(self) -> None:
        """Write what waits, give up the file: the keeper takes this process for ended."""
        self.flush()
        self._drain()
        if self._waiting:
            log.error("the disk takes nothing to the end: %d entries of the journal are lost", len(self._waiting))
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def forget(self) -> None:
        """In the child of a fork: the file is the parent's, and its lock has to end with the parent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        self._buffer.clear()

    def _start(self) -> None:
        try:
            make_folder(self._directory)
            self._open()
        except OSError as problem:
            if problem.errno in _MISCONFIGURED:
                raise StoreError(
                    f"the journal cannot be written to {self._directory}: {problem.strerror}; "
                    "make the folder writable for this user, or choose another with [store] url"
                ) from problem
            self._failed(problem)

    def _open(self) -> None:
        """Open the next segment. It gets its name when it is locked: the keeper never sees it without its owner."""
        name = f"{self._owner}-{self._seq + 1}.jsonl"
        hidden = self._directory / f".{name}"
        handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            hidden.rename(self._directory / name)
        except OSError:
            os.close(handle)
            raise
        old, self._handle = self._handle, handle
        self._seq, self._size, self._torn = self._seq + 1, 0, False
        if old is not None:
            os.close(old)  # after the new one is there: an owner that lives always has a locked segment

    def _drain(self) -> None:
        if self._handle is None:
            try:
                self._open()
            except OSError as problem:
                self._failed(problem)
                return
        while self._waiting:
            few = [self._waiting[i] for i in range(min(AT_ONCE, len(self._waiting)))]
            if not self._try(b"".join(few)):
                return
            for _ in few:
                self._waiting.popleft()
        self._recovered()

    def _failed(self, problem: OSError) -> None:
        if not self._failing:
            log.error("the journal cannot be written: %s; requests go on, and their entries wait in memory", problem)
        self._failing, self._error = True, str(problem)

    def _recovered(self) -> None:
        if self._failing:
            log.warning("the journal is written again; since the start %d entries were lost", self._lost)
        self._failing = False

    def _try(self, data: bytes | bytearray) -> bool:
        try:
            self._write(data)
        except OSError as problem:
            self._failed(problem)
            return False
        return True

    def _write(self, data: bytes | bytearray) -> None:
        """Raises ``OSError`` unless all has been written."""
        handle = self._handle
        if handle is None:
            raise OSError(errno.EBADF, "the journal is closed")
        if self._torn:
            data = b"\n" + data  # a torn line must not swallow the next one
        written = os.write(handle, data)
        self._size += written
        if written < len(data):
            self._cut(written - data.rfind(b"\n", 0, written) - 1)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False
        if self._fsync:
            os.fsync(handle)
        if self._size >= self._rotate_bytes:
            with contextlib.suppress(OSError):  # then this file grows on until another can be opened
                self._open()

    def _cut(self, torn: int) -> None:
        """Take back the beginning of a line that did not fit: the whole of it will be written again."""
        try:
            if torn and self._handle is not None:
                os.ftruncate(self._handle, self._size - torn)
                self._size -= torn
        except OSError:
            self._torn = True


def _lenient(entry: Entry) -> bytes:
    """For texts that are not Unicode: what cannot be written becomes a question mark."""
    return json.dumps(msgspec.to_builtins(entry), ensure_ascii=False).encode("utf-8", "replace")
