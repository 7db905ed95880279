"""The keeper: the one process that moves the journal into the store.

Rows, roll-ups and how far a segment has been read are written in one transaction, so that an entry counts exactly
once, wherever the keeper is killed. Who holds the lock on ``<database>.writer`` is the keeper; others wait.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import logging
import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from farthing.errors import StoreError
from farthing.ledger import pulse
from farthing.ledger.miner import KeyMiner, MinerOf
from farthing.ledger.pulse import Pulse
from farthing.ledger.retention import Pruner
from farthing.ledger.segments import Chunk, Segment, claim, read_entries, segments
from farthing.ledger.store import Store, open_store
from farthing.ledger.upgrade import VERSION, explained, version_of
from farthing.ledger.writer import Writer, transaction
from farthing.logs import log_to_stderr
from farthing.types import Clock

POLL_S = 0.25
LAST_LOOKS = 8
"""After the parent has ended: so often, while another of its processes is still writing."""

log = logging.getLogger(__name__)


class Keeper:
    """Ingests what processes have written; ``living`` says whether any of them was alive at the last look."""

    def __init__(self, store: Store, journal: Path, clock: Clock, miner_of: MinerOf = KeyMiner) -> None:
        self._store, self._journal, self._clock, self._miner_of = store, journal, clock, miner_of
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._writer: Writer | None = None
        self._pulse: Pulse | None = None
        self._behind = 0
        self.living = False

    def run_once(self) -> int:
        """Ingest everything there is; the number of requests entered. 0 if another keeper is at work.

        Raises ``StoreError`` if the database cannot be written: nothing is lost, the next call goes on.
        """
        if not self._elected():
            return 0
        try:
            total = self._ingest()
        except (sqlite3.Error, StoreError) as problem:
            text = str(problem) if isinstance(problem, StoreError) else f"{self._store.path}: {explained(problem)}"
            self._beat(text)
            raise StoreError(text) from problem
        self._behind = 0
        self._beat()
        return total

    def _beat(self, problem: str | None = None) -> None:
        """Say how it stands, now and then."""
        last, now = self._pulse, self._clock()
        if last is not None and last.problem == problem and (problem or abs(now - last.at) < pulse.EVERY_S):
            return
        at = now if problem is None else last.at if last is not None else 0.0
        self._pulse = Pulse(os.getpid(), at, max(0, self._behind), problem)
        if self._lock is not None:
            pulse.show(self._lock, self._pulse)

    def close(self) -> None:
        """Let another one be the keeper."""
        if self._connection is not None and self._writer is not None:
            try:
                with transaction(self._connection):
                    self._writer.save()
            except sqlite3.Error as problem:  # it only has to learn some query types again
                log.warning("%s: %s", self._store.path, explained(problem))
            self._connection.close()
            self._connection = self._writer = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _elected(self) -> bool:
        if self._lock is not None:
            return True
        handle = os.open(pulse.lock_file(self._store.path), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True

    def _open(self) -> tuple[sqlite3.Connection, Writer]:
        if self._connection is None or self._writer is None:
            self._connection = self._store.writer()
            self._writer = Writer(self._connection, self._miner_of, self._clock)
        return self._connection, self._writer

    def _ingest(self) -> int:
        connection, writer = self._open()
        if version_of(connection) != VERSION:
            raise StoreError(f"{self._store.path}: another farthing has changed the ledger: start this one again")
        found = segments(self._journal)
        offsets = dict(connection.execute("SELECT name, offset FROM segments"))
        self._forget(connection, {one.path.name for one in found})
        self._behind = sum(_size(one.path) - offsets.get(one.path.name, 0) for one in found)
        total, self.living = 0, False
        for owner, group in groupby(found, key=lambda one: one.owner):
            total += self._ingest_owner(owner, list(group), offsets)
        owners = {one.owner for one in found}
        for (owner,) in connection.execute("SELECT DISTINCT owner FROM opens").fetchall():
            if owner not in owners:  # somebody has deleted its files
                with transaction(connection):
                    writer.abandon(owner)
        return total

    def _ingest_owner(self, owner: str, its: Sequence[Segment], offsets: dict[str, int]) -> int:
        """All segments of one process. A segment that can be locked is written no more."""
        claims = {one: claim(one.path) for one in its}
        try:
            total = sum(self._ingest_segment(one, offsets, ended=claims[one] is not None) for one in its)
            # A living owner locks the next segment before it lets go of the last: so look again whether there is one.
            alive = None in claims.values() or any(
                one not in claims for one in segments(self._journal) if one.owner == owner
            )
            self.living = self.living or alive
            self._finish([one for one, handle in claims.items() if handle is not None], None if alive else owner)
            return total
        finally:
            for handle in claims.values():
                if handle is not None:
                    os.close(handle)

    def _ingest_segment(self, segment: Segment, offsets: dict[str, int], *, ended: bool) -> int:
        offset, total = offsets.get(segment.path.name, 0), 0
        while True:
            try:
                if segment.path.stat().st_size <= offset:
                    return total
                chunk = read_entries(segment.path, offset, ended=ended)
            except FileNotFoundError:
                return total
            if chunk.offset == offset:
                return total
            total += self._enter(segment, chunk)
            self._behind -= chunk.offset - offset
            offset = chunk.offset
            self._beat()

    def _enter(self, segment: Segment, chunk: Chunk) -> int:
        connection, writer = self._open()
        try:
            with transaction(connection):
                batch, corrupt = writer.batch(segment.owner), 0
                for piece in chunk.pieces():
                    batch.take(piece.entries)
                    corrupt += piece.corrupt
                self._advance(segment, chunk.offset, corrupt)
                return batch.finish()
        except (OverflowError, ValueError):  # a number beyond 64 bits, a text that is not Unicode
            return self._enter_one_by_one(segment, chunk)

    def _enter_one_by_one(self, segment: Segment, chunk: Chunk) -> int:
        """What no database can hold must not stop the rest. The offset goes last; entering twice changes nothing."""
        connection, writer = self._open()
        total = corrupt = 0
        for piece in chunk.pieces():
            corrupt += piece.corrupt
            for entry in piece.entries:
                try:
                    with transaction(connection):
                        batch = writer.batch(segment.owner)
                        batch.take([entry])
                        total += batch.finish()
                except (OverflowError, ValueError) as problem:
                    log.error("%s: request %s cannot be entered: %s", segment.path, entry.id, problem)  # noqa: TRY400
                    corrupt += 1
        with transaction(connection):
            self._advance(segment, chunk.offset, corrupt)
        return total

    def _advance(self, segment: Segment, offset: int, corrupt: int) -> None:
        """What lies before the offset is in the ledger, in the same transaction."""
        connection, _ = self._open()
        connection.execute(
            "INSERT INTO segments VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET offset=excluded.offset, "
            "corrupt=corrupt+excluded.corrupt",
            (segment.path.name, offset, corrupt),
        )
        if corrupt:
            log.warning("%s: %d lines are no entries and were left out", segment.path, corrupt)

    def _finish(self, read: Sequence[Segment], dead: str | None) -> None:
        """Delete segments that have been read to the end, once what was in them is on the disk for sure."""
        if not read:
            return
        connection, writer = self._open()
        connection.execute("PRAGMA synchronous=FULL")  # the commit below syncs the log, also what came before it
        with transaction(connection):
            if dead is not None:
                writer.abandon(dead)
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('finished', ?)", (read[-1].path.name.encode(),))
        connection.execute("PRAGMA synchronous=NORMAL")
        for one in read:
            one.path.unlink(missing_ok=True)
        self._forget(connection, {one.path.name for one in segments(self._journal)})

    def _forget(self, connection: sqlite3.Connection, there: set[str]) -> None:
        """Segments that are deleted; those with corrupt lines stay on record."""
        known = connection.execute("SELECT name FROM segments WHERE corrupt = 0").fetchall()
        if gone := [row for row in known if row[0] not in there]:
            with transaction(connection):
                connection.executemany("DELETE FROM segments WHERE name = ?", gone)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def run(
    keeper: Keeper,
    ended: Callable[[float], bool],
    between: Callable[[], bool] = lambda: False,
) -> None:
    """Ingest until the parent has ended, then what is left of it.

    ``ended(seconds)`` waits at most so long and says whether the parent has. ``between`` does some other work of the
    database's owner where there is time, and says whether there is more of it.
    """
    problem = ""
    more = False
    while not ended(0.0 if more else POLL_S):
        try:
            more = not keeper.run_once() and between()
            problem = ""
        except StoreError as found:
            if problem != str(found):  # once, not four times a second
                log.error("%s", found)  # noqa: TRY400 - the message says it all
            problem, more = str(found), False
    for _ in range(LAST_LOOKS):
        keeper.run_once()
        if not keeper.living:
            break
        ended(POLL_S)


def main(argv: Sequence[str] | None = None, miner_of: MinerOf = KeyMiner) -> int:
    """``python -m farthing.ledger.keeper``: works until its standard input ends, or until it is told to stop."""
    options = _parser().parse_args(argv)
    log_to_stderr(options.log, options.log_level)
    stop = Stop(sys.stdin.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.signalled)
    os.nice(19)  # the gateway's answers come first; the journal keeps everything until there is time
    gc.disable()  # rows are trees of tuples, made and dropped by the thousand: there is nothing to find
    clock = time.time  # noqa: TID251 - here the clock enters
    try:
        store = open_store(options.store, clock)
        keeper = Keeper(store, options.journal, clock, miner_of)
        try:
            run(keeper, stop.wait, Pruner(store, options.retention))
        finally:
            keeper.close()
            store.close()
    except StoreError as problem:
        print(f"farthing keeper: {problem}", file=sys.stderr)  # noqa: T201 - a command
        return 1
    return 0


class Stop:
    """Ends when the parent closes our standard input, as it does by dying, too; or at a signal."""

    def __init__(self, handle: int) -> None:
        self._handle, self._stopped = handle, False

    def signalled(self, _number: int, _frame: object) -> None:
        """A handler of signals."""
        self._stopped = True

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; whether to stop."""
        if self._stopped:
            select.select([], [], [], seconds)
        elif select.select([self._handle], [], [], seconds)[0]:
            self._stopped = not os.read(self._handle, 4096)
        return self._stopped


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m farthing.ledger.keeper", description=main.__doc__)
    parser.add_argument("--store", required=True, metavar="URL", help="sqlite:///path/to/farthing.db")
    parser.add_argument("--journal", required=True, type=Path, metavar="DIR", help="the folder of the journal")
    parser.add_argument("--retention", type=float, metavar="SECONDS", help="how long single requests are kept")
    parser.add_argument("--log", default="text", choices=["text", "json"], help="what its log looks like")
    parser.add_argument("--log-level", default="info", help="debug, info, warning or error")
    return parser


if __name__ == "__main__":
    sys.exit(main())
