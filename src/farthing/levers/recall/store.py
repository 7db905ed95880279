"""Answers on disk, shared by all processes of a machine: LMDB, read through its memory map, written by one thread.

Nothing here fails a request: a read that goes wrong is a miss, a write that goes wrong is lost, and both are counted.
Open it after forking, once per process. ``get``, ``put`` and ``touch`` are quick enough for an event loop; the rest
waits for the disk.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path

import lmdb
import msgspec

from farthing.levers.recall import ranking
from farthing.levers.recall.answer import Answer, Stats
from farthing.levers.recall.files import open_files
from farthing.levers.recall.ranking import Card, Env, Tables, Txn
from farthing.types import Clock

_QUEUE = 2048
_QUEUE_BYTES = 64 << 20
_BATCH = 256
_LINGER_S = 0.01
"""How long an answer may wait for others to be written with; until then only this process finds it."""
_HITS = 1024  # served answers that are counted in memory before they are written without waiting for an answer to store
_PURGE_BATCH = 1000


class _Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    key: bytes
    answer: Answer


class _Put(msgspec.Struct, frozen=True):
    key: bytes
    answer: Answer


class _Drop(msgspec.Struct, frozen=True):
    key: bytes


class _Expire(msgspec.Struct, frozen=True):
    before: float


class _Wake(msgspec.Struct, frozen=True):
    """Write the hits; say when everything before has been written; end."""

    done: threading.Event | None = None
    stop: bool = False


class _Do(msgspec.Struct, frozen=True):
    action: Callable[[Txn], object]


_Op = _Put | _Drop | _Expire | _Do | _Wake
_DECODER = msgspec.msgpack.Decoder(_Record)


def open_answers(path: Path, max_bytes: int, clock: Clock) -> AnswerStore:
    """The store in the directory ``path``, made if it is not there, bounded to about ``max_bytes`` on disk.

    What has expired by now is deleted in the background. A store that cannot be read (damaged, foreign, of another
    format) is moved aside and ``AnswerStore.message`` says so. Raises ``StoreError`` if the place cannot be written.
    """
    env, tables, message = open_files(path, max_bytes)
    store = AnswerStore(env, tables, max_bytes, message)
    store.expire(clock())
    return store


class AnswerStore:
    """See the module. Made by ``open_answers``."""

    def __init__(self, env: Env, tables: Tables, max_bytes: int, message: str | None) -> None:
        self.message = message
        """What happened on opening, for the log; ``None`` if nothing did."""
        self._env = env
        self._tables = tables
        self.max_bytes = max_bytes
        """About so much may lie on disk."""
        self._queue: queue.Queue[_Op] = queue.Queue(_QUEUE)
        self._waiting: dict[bytes, Answer] = {}  # put, not yet written: already to be found
        self._waiting_bytes = 0
        self._counting = threading.Lock()
        self._hurry = threading.Event()
        self._hits: dict[bytes, int] = {}
        self._dropped = 0
        self._errors = 0
        self._closed = False
        self._writer = threading.Thread(target=self._write, name="farthing-answers", daemon=True)
        self._writer.start()

    def get(self, key: bytes, now: float) -> Answer | None:
        """The answer of this key, if it is whole, this key's own, and not expired at ``now``."""
        if (waiting := self._waiting.get(key)) is not None:
            return waiting if now < waiting.expires_at else None
        try:
            with self._env.begin(db=self._tables.answers) as txn:
                raw = txn.get(key)
            if raw is None:
                return None
            record = _DECODER.decode(raw)
        except (lmdb.Error, msgspec.DecodeError):
            self._errors += 1
            self._enqueue(_Drop(key))
            return None
        if record.key != key:
            self._errors += 1
            return None
        if now >= record.answer.expires_at:
            self._enqueue(_Drop(key))
            return None
        return record.answer

    def put(self, key: bytes, answer: Answer, now: float) -> bool:
        """Keep an answer; it can be found at once and is on disk a moment later. False if it was dropped."""
        size = len(answer.body)
        full = self._waiting_bytes + size > _QUEUE_BYTES or size > self.max_bytes // 2
        if self._closed or full or now >= answer.expires_at:
            self._dropped += 1
            return False
        with self._counting:
            self._waiting[key] = answer
            self._waiting_bytes += size
        op = _Put(key, answer)
        if not self._enqueue(op):
            self._written(op)
            self._dropped += 1
            return False
        return True

    def touch(self, key: bytes) -> None:
        """Count a hit. Counts are written with the next answers: only then do they decide who stays."""
        self._hits[key] = self._hits.get(key, 0) + 1
        if len(self._hits) == _HITS:
            self._enqueue(_Wake())

    def expire(self, now: float) -> None:
        """Have everything deleted that has expired, in the background."""
        self._enqueue(_Expire(now))

    @property
    def env(self) -> Env:
        """The LMDB environment, for tables of others that belong to the answers."""
        return self._env

    def do(self, action: Callable[[Txn], object]) -> bool:
        """Have the writer do something in its next transaction; False if it is too far behind.

        It may be done twice, in a transaction that fails and in the one that follows.
        """
        return not self._closed and self._enqueue(_Do(action))

    def remove(self, txn: Txn, key: bytes) -> None:
        """Take an answer out, within a transaction of ``env``."""
        ranking.remove(txn, self._tables, key)

    def flush(self) -> None:
        """Wait until everything so far is on disk."""
        if not self._closed:
            done = threading.Event()
            self._queue.put(_Wake(done))
            self._hurry.set()
            done.wait()

    def purge(self, *, tenant: str | None = None, feature: str | None = None, older_than: float | None = None) -> int:
        """Delete the answers that meet every condition given (none: all of them); how many there were.

        ``older_than``: stored before that time. Answers that other processes have not written yet are not met.
        """

        def wanted(card: Card) -> bool:
            return (
                (tenant is None or card.tenant == tenant)
                and (feature is None or card.feature == feature)
                and (older_than is None or card.stored_at < older_than)
            )

        self.flush()
        with self._env.begin() as txn:
            keys = list(ranking.matching(txn, self._tables, wanted))
        for start in range(0, len(keys), _PURGE_BATCH):
            with self._env.begin(write=True) as txn:
                for key in keys[start : start + _PURGE_BATCH]:
                    ranking.remove(txn, self._tables, key)
        return len(keys)

    def stats(self) -> Stats:
        """How full it is and what it did. Hits include those of this process that are not written yet."""
        with self._env.begin() as txn:
            entries = txn.stat(self._tables.cards)["entries"]
            totals = ranking.read_totals(txn, self._tables)
        hits = totals.hits + sum(list(self._hits.values()))
        return Stats(entries, totals.bytes, hits, totals.evictions, self._dropped, self._errors)

    def close(self) -> None:
        """Write what is waiting, then let go of the files. ``get`` afterwards finds nothing, ``put`` drops."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(_Wake(stop=True))
        self._hurry.set()
        self._writer.join()
        self._waiting.clear()
        self._env.close()

    # ---------------------------------------------------------------- the writer thread

    def _enqueue(self, op: _Op) -> bool:
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(op)
            return True
        return False

    def _write(self) -> None:
        stop = False
        while not stop:
            batch = self._batch()
            hits, self._hits = self._hits, {}
            if not self._attempt(lambda batch=batch, hits=hits: self._apply(batch, hits)):
                for op in batch:  # one bad apple: the others go in alone
                    self._attempt(lambda op=op: self._apply([op], {}))
            for op in batch:
                if isinstance(op, _Put):
                    self._written(op)
                elif isinstance(op, _Wake):
                    stop = stop or op.stop
                    if op.done is not None:
                        op.done.set()

    def _batch(self) -> list[_Op]:
        """What waits. It waits a little itself: a commit for each answer would keep the requests' thread waiting."""
        batch = [self._queue.get()]
        if not isinstance(batch[0], _Wake) and self._queue.qsize() < _BATCH:
            self._hurry.wait(_LINGER_S)
        self._hurry.clear()
        with contextlib.suppress(queue.Empty):
            while len(batch) < _BATCH:
                batch.append(self._queue.get_nowait())
        return batch

    def _attempt(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except lmdb.MapFullError:  # dead readers can keep old pages alive beyond our own bound
            self._errors += 1
            with contextlib.suppress(lmdb.Error):
                self._shrink()
            return False
        except Exception:  # noqa: BLE001 - whatever it is, the writer lives on and the request never knows
            self._errors += 1
            return False
        return True

    def _shrink(self) -> None:
        self._env.reader_check()
        for share in (2, 3, 4):  # LMDB reuses a page two commits after the one that freed it
            with self._env.begin(write=True) as txn:
                ranking.make_room(txn, self._tables, self.max_bytes // share)

    def _apply(self, batch: list[_Op], hits: dict[bytes, int]) -> None:
        with self._env.begin(write=True) as txn:
            early = {key: count for key, count in hits.items() if not ranking.add_hits(txn, self._tables, key, count)}
            for op in batch:
                if isinstance(op, _Put):
                    record = msgspec.msgpack.encode(_Record(op.key, op.answer))
                    ranking.insert(txn, self._tables, op.key, op.answer, record, self.max_bytes)
                elif isinstance(op, _Drop):
                    ranking.remove(txn, self._tables, op.key)
                elif isinstance(op, _Expire):
                    self._expire(txn, op.before)
                elif isinstance(op, _Do):
                    op.action(txn)
            for key, count in early.items():  # of answers that were served before they were written
                ranking.add_hits(txn, self._tables, key, count)

    def _expire(self, txn: Txn, before: float) -> None:
        for key in list(ranking.matching(txn, self._tables, lambda card: card.expires_at <= before)):
            ranking.remove(txn, self._tables, key)

    def _written(self, op: _Put) -> None:
        with self._counting:
            self._waiting_bytes -= len(op.answer.body)
            if self._waiting.get(op.key) is op.answer:
                del self._waiting[op.key]
