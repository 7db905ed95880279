"""Questions that have been answered, by partition: kept beside the answers, found by what they mean.

Shared by all processes of a machine, written by the answer store's thread. Nothing here fails a request: what goes
wrong is a miss or a lost write, and counted. Close it before the answer store.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import lmdb
import msgspec

from farthing.errors import StoreError
from farthing.levers.recall.ranking import Txn
from farthing.levers.recall.semantic import tables as rows
from farthing.levers.recall.semantic.shelves import Shelves
from farthing.levers.recall.semantic.tables import Entry
from farthing.levers.recall.semantic.usearch_index import WORTH_IT
from farthing.levers.recall.store import AnswerStore
from farthing.types import Clock

MEMORY = 256 << 20
QUOTA = 1000
_SHARE = 4  # of the answers' space: a question takes about as much as a tenth of its answer
_TRIES = 8
_BATCH = 1000


class Found(msgspec.Struct, frozen=True):
    """An entry near a question."""

    number: int
    similarity: float
    """The cosine of the two vectors."""
    entry: Entry


class QuestionStats(msgspec.Struct, frozen=True):
    """``entries`` and ``bytes`` of all processes; the others of this one since it opened the store."""

    entries: int
    bytes: int
    loaded: int
    """Partitions in memory."""
    memory: int
    """Bytes that these take."""
    dropped: int
    """Writes not done because the writer was behind."""
    errors: int


def open_questions(store: AnswerStore, clock: Clock, **options: int) -> Questions:
    """The questions of an answer store; what has expired by now is deleted in the background.

    ``options``: see ``Questions``. Raises ``StoreError`` if the tables cannot be made.
    """
    try:
        questions = Questions(store, **options)
    except lmdb.Error as problem:
        raise StoreError(f"the questions beside the answer cache cannot be used: {problem}") from problem
    questions.expire(clock())
    return questions


class Questions:
    """See the module. Made by ``open_questions``."""

    def __init__(
        self, store: AnswerStore, *, memory: int = MEMORY, quota: int = QUOTA, worth_it: int = WORTH_IT
    ) -> None:
        """``memory``: bytes for indexes in this process. ``quota``: most entries of one user in a partition."""
        self._store, self._env = store, store.env
        self._tables = rows.open_tables(store.env)
        self._shelves = Shelves(store.env, self._tables, memory, worth_it)
        self._quota, self._max_bytes = quota, store.max_bytes // _SHARE
        self._dropped = 0
        self._errors = 0

    def nearest(self, partition: bytes, vector: bytes, count: int, now: float, *, least: float = -1.0) -> list[Found]:
        """The nearest entries that have not expired, the nearest first: at most ``count``, none below ``least``."""
        try:
            with self._shelves.lock, self._env.begin() as txn:
                return self._nearest(txn, partition, vector, count, now, least)
        except Exception:  # noqa: BLE001 - whatever it is, the request goes on
            self._errors += 1
            return []

    def same(self, partition: bytes, question: str, now: float) -> Found | None:
        """The entry with this very text."""
        try:
            with self._env.begin() as txn:
                number = rows.find(txn, self._tables, partition, question)
                entry = None if number is None else rows.read(txn, self._tables, partition, number)
        except Exception:  # noqa: BLE001
            self._errors += 1
            return None
        return (
            Found(number, 1.0, entry) if number is not None and entry is not None and now < entry.expires_at else None
        )

    def add(self, partition: bytes, entry: Entry) -> bool:
        """Keep an entry, instead of one with the same text; found a moment later. False if it was dropped."""
        if len(partition) != rows.PARTITION:
            self._errors += 1
            return False
        return self._do(lambda txn: rows.insert(txn, self._tables, partition, entry, self._quota, self._max_bytes))

    def drop(self, partition: bytes, number: int) -> bool:
        """Take an entry out: its answer is gone, or was wrong."""
        return self._do(lambda txn: rows.remove(txn, self._tables, partition, number))

    def evidence(self, key: bytes) -> bytes | None:
        """A row of others; ``None`` if there is none, or it cannot be read."""
        try:
            with self._env.begin(db=self._tables.evidence) as txn:
                return txn.get(key)
        except Exception:  # noqa: BLE001
            self._errors += 1
            return None

    def learn(self, key: bytes, change: Callable[[bytes | None], bytes | None]) -> bool:
        """Replace a row by what ``change`` makes of it (``None``: no row). One after another, over all processes.

        ``change`` runs in the writer's thread, twice if the first transaction failed. False if it was dropped.
        """

        def apply(txn: Txn) -> None:
            new = change(txn.get(key, db=self._tables.evidence))
            if new is None:
                txn.delete(key, db=self._tables.evidence)
            else:
                txn.put(key, new, db=self._tables.evidence)

        return self._do(apply)

    def expire(self, now: float) -> None:
        """Have everything deleted that has expired, in the background."""
        self._expire_behind(b"", 0, now)

    def purge(
        self,
        *,
        tenant: str | None = None,
        feature: str | None = None,
        tag: str | None = None,
        knowledge: str | None = None,
        older_than: float | None = None,
    ) -> int:
        """Delete the entries that meet every condition given (none: all), and their answers; how many there were.

        ``older_than``: stored before that time. Blocking. Raises ``lmdb.Error``.
        """

        def wanted(entry: Entry) -> bool:
            return (
                (tenant is None or entry.tenant == tenant)
                and (feature is None or entry.feature == feature)
                and (tag is None or tag in entry.tags)
                and (knowledge is None or entry.knowledge == knowledge)
                and (older_than is None or entry.stored_at < older_than)
            )

        self._store.flush()
        place, count, more = (b"", 0), 0, True
        while more:
            with self._env.begin() as txn:
                some = list(islice(rows.behind(txn, self._tables, *place), _BATCH))
            chosen = [one for one in some if wanted(one[2])]
            with self._env.begin(write=True) as txn:
                for partition, number, entry in chosen:
                    rows.remove(txn, self._tables, partition, number)
                    self._store.remove(txn, entry.answer)
            count += len(chosen)
            more = len(some) == _BATCH
            place = some[-1][:2] if some else place
        return count

    def stats(self) -> QuestionStats:
        """How full it is and what went wrong. Raises ``lmdb.Error``."""
        with self._env.begin() as txn:
            totals = rows.read_totals(txn, self._tables)
        shelves = self._shelves
        errors = self._errors + shelves.failures
        return QuestionStats(totals.entries, totals.bytes, len(shelves), shelves.memory, self._dropped, errors)

    def rest(self) -> None:
        """Wait until everything so far is written and every partition asked about has been read."""
        self._store.flush()
        self._shelves.rest()

    def close(self) -> None:
        """Let go of the memory; the files are the answer store's to close."""
        self._shelves.close()

    def _do(self, action: Callable[[Txn], object]) -> bool:
        if self._store.do(action):
            return True
        self._dropped += 1
        return False

    def _nearest(self, txn: Txn, partition: bytes, vector: bytes, count: int, now: float, least: float) -> list[Found]:
        """What the index still holds although the store does not is taken out when it is met."""
        found: list[Found] = []
        index = self._shelves.at(txn, partition, len(vector))
        if index is None:
            return found
        for _ in range(_TRIES):
            found, gone = [], 0
            for number, similarity in index.nearest(vector, count):
                if similarity < least:
                    break
                entry = rows.read(txn, self._tables, partition, number)
                if entry is not None and now < entry.expires_at:
                    found.append(Found(number, similarity, entry))
                    continue
                index.remove(number)
                gone += 1
                if entry is not None:
                    self.drop(partition, number)
            if not gone:
                break
        return found

    def _expire_behind(self, partition: bytes, number: int, now: float) -> None:
        """A batch at a time: answers wait in the same queue."""

        def apply(txn: Txn) -> None:
            some = list(islice(rows.behind(txn, self._tables, partition, number), _BATCH))
            for place, one, entry in some:
                if entry.expires_at <= now:
                    rows.remove(txn, self._tables, place, one)
            if len(some) == _BATCH:
                self._expire_behind(*some[-1][:2], now)

        self._do(apply)
