"""The indexes of one process, a shelf for each partition that is asked about; read from the store when first needed.

A small partition is read on the spot. A large one is read by a thread in small steps, so nobody waits for it; until
that is done nothing is found in it. What has been added meanwhile is read before each look. When the memory is used up,
the partition goes that nobody has asked about for longest; one that is larger than all of it, or too large to be looked
through, is kept in part.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from itertools import islice

from farthing.levers.recall.ranking import Env, Txn
from farthing.levers.recall.semantic import tables as rows
from farthing.levers.recall.semantic.index import Index, Scan
from farthing.levers.recall.semantic.layers import Layers
from farthing.levers.recall.semantic.tables import Mark, Tables
from farthing.levers.recall.semantic.usearch_index import WORTH_IT, is_installed

log = logging.getLogger("farthing")

_AT_ONCE = 64  # entries that a request may wait for: half a millisecond
_STEP = 32
_BREATH_S = 0.0005
"""Between two steps of the thread: Python's threads would otherwise hold each other up for 5 ms at a time."""
_SHELF_BYTES = 4096  # of an empty one
_GHOSTS = 64
SCANNED = 200_000
"""Entries of a partition that are looked through at most where there is no graph: a request waits for it."""


class Shelf:
    """An index and up to which number it has been read."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.newest = 0
        self.memory = 0


class Shelves:
    """Hold ``lock`` while using what ``at`` returns."""

    def __init__(self, env: Env, tables: Tables, memory: int, worth_it: int = WORTH_IT) -> None:
        """``memory``: bytes that all indexes together may take. ``worth_it``: entries beyond which a graph is built."""
        self.lock = threading.Lock()
        self.memory = 0
        self.failures = 0
        self._env, self._tables, self._most, self._worth_it = env, tables, memory, worth_it
        self._has_graphs = is_installed()
        self._shelves: dict[bytes, Shelf] = {}  # the one that was used last is the last
        self._jobs: queue.Queue[tuple[bytes, int] | None] = queue.Queue()
        self._busy: set[bytes] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._shelves)

    def at(self, txn: Txn, partition: bytes, dimensions: int) -> Index | None:
        """The index of a partition; ``None`` if it is empty, or not there yet."""
        mark = rows.read_mark(txn, self._tables, partition)
        shelf = self._shelves.pop(partition, None)
        if shelf is not None and not mark.count:
            self.memory -= shelf.memory
        if not mark.count:
            return None
        if shelf is None:
            if mark.count > _AT_ONCE:
                self._later(partition, dimensions)
                return None
            shelf = Shelf(Scan(dimensions))
        self._shelves[partition] = shelf
        if shelf.newest < mark.newest and self._has_room(shelf.index):
            self._read_on(txn, partition, shelf, _AT_ONCE)
            self._count(shelf)
        if self._wants_work(shelf, mark):
            self._later(partition, dimensions)
        return shelf.index

    def rest(self) -> None:
        """Wait until the thread has nothing to do."""
        self._jobs.join()

    def close(self) -> None:
        """End the thread: nothing may be read when the files are closed."""
        self._stopping.set()
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()

    def _read_on(self, txn: Txn, partition: bytes, shelf: Shelf, most: int) -> int:
        """Add what came after what is there, at most so many; how many there were."""
        found = list(islice(rows.following(txn, self._tables, partition, shelf.newest), most))
        for number, entry in found:
            shelf.newest = number
            with contextlib.suppress(ValueError):  # of another length: it can never be near
                shelf.index.add(number, entry.vector)
        return len(found)

    def _count(self, shelf: Shelf) -> None:
        memory = shelf.index.memory + _SHELF_BYTES
        self.memory += memory - shelf.memory
        shelf.memory = memory
        while self.memory > self._most and len(self._shelves) > 1:
            oldest = next(iter(self._shelves))
            self.memory -= self._shelves.pop(oldest).memory

    def _has_room(self, index: Index) -> bool:
        return index.memory < self._most and (isinstance(index, Layers) or len(index) < SCANNED)

    def _wants_work(self, shelf: Shelf, mark: Mark) -> bool:
        if isinstance(shelf.index, Layers):
            return shelf.index.unsettled > self._worth_it // 8 or self._is_haunted(shelf, mark)
        return (mark.count > self._worth_it and self._has_graphs) or self._is_haunted(shelf, mark)

    @staticmethod
    def _is_haunted(shelf: Shelf, mark: Mark) -> bool:
        """Much of what it holds has been taken out of the store by others."""
        return len(shelf.index) - mark.count > max(_GHOSTS, mark.count // 4)

    # ---------------------------------------------------------------- the thread

    def _later(self, partition: bytes, dimensions: int) -> None:
        if partition in self._busy or self._stopping.is_set():
            return
        self._busy.add(partition)
        self._jobs.put((partition, dimensions))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="farthing-questions", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._do(*job)
            except Exception:
                self.failures += 1
                log.exception("questions could not be read; they are not found (failure %d)", self.failures)
            finally:
                with self.lock:
                    self._busy.discard(job[0])
                self._jobs.task_done()
        self._jobs.task_done()

    def _do(self, partition: bytes, dimensions: int) -> None:
        with self._env.begin() as txn:
            mark = rows.read_mark(txn, self._tables, partition)
        with self.lock:
            shelf = self._shelves.get(partition)
        if shelf is None or not isinstance(shelf.index, Layers) or self._is_haunted(shelf, mark):
            self._fill(partition, self._new(dimensions, mark.count))
        else:
            self._settle(shelf, shelf.index)

    def _new(self, dimensions: int, count: int) -> Shelf:
        if count > self._worth_it:
            if self._has_graphs:
                return Shelf(Layers(dimensions))
            log.info("%d questions in one partition: `pip install farthing[ann]` makes looking faster", count)
        return Shelf(Scan(dimensions))

    def _fill(self, partition: bytes, shelf: Shelf) -> None:
        """In small transactions: a long one would keep the pages of what is deleted meanwhile."""
        index = shelf.index
        while self._has_room(index):
            with self._env.begin() as txn:
                count = self._read_on(txn, partition, shelf, _STEP)
            if isinstance(index, Layers):
                for _ in range(count):
                    index.settle()
            if not count:
                break
            if self._stopping.wait(_BREATH_S):
                return
        with self.lock:
            before = self._shelves.pop(partition, None)
            if before is not None:
                self.memory -= before.memory
            self._shelves[partition] = shelf
            self._count(shelf)

    def _settle(self, shelf: Shelf, layers: Layers) -> None:
        while layers.unsettled and not self._stopping.is_set():
            with self.lock:
                layers.settle()
        with self.lock:
            if shelf in self._shelves.values():
                self._count(shelf)
