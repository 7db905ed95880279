"""The tables of questions, beside those of the answers. Every function works inside a transaction.

Numbers only rise, over all partitions: whoever has read a partition up to a number goes on from there, so the table is
its own log. What has been taken out readers find out when they meet it; the counts say when there is much of it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from farthing.levers.recall.ranking import Env, Txn

_NUMBER = struct.Struct(">Q")
PARTITION = 32
"""Bytes of a partition's key."""
_OVERHEAD = 300  # keys, the other tables' rows and half-empty pages


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A question that has an answer."""

    question: str
    vector: bytes
    literals: bytes
    """What the question must have in common with another one; whoever wrote it can read it."""
    answer: bytes
    """The key of its answer."""
    tenant: str
    stored_at: float
    """Seconds since the Unix epoch."""
    expires_at: float
    user: str | None = None
    feature: str | None = None
    tags: tuple[str, ...] = ()
    knowledge: str | None = None
    """Version of the knowledge base that the answer was made from."""


class Mark(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A partition: entries now, and the newest number there was."""

    count: int = 0
    newest: int = 0


class Totals(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Of all partitions: the last number given, entries, bytes on disk."""

    last: int = 0
    entries: int = 0
    bytes: int = 0


class Tables(msgspec.Struct, frozen=True):
    """Handles of the named databases."""

    questions: Any
    """partition + number → ``Entry``."""
    marks: Any
    """partition → ``Mark``; and nothing → ``Totals``, under the key ``totals``."""
    ages: Any
    """number → partition: the first is the oldest."""
    owners: Any
    """partition + digest of the user → how many; and with the number behind → nothing."""
    texts: Any
    """partition + digest of the question → number: a question stands in a partition once."""
    evidence: Any
    """Rows of others, by any key."""


def open_tables(env: Env) -> Tables:
    """Makes those that are not there yet. Raises ``lmdb.Error``.

    In a transaction of its own: ``open_db`` alone waits for a writing thread and keeps Python from running that one.
    """
    names = (b"questions", b"marks", b"ages", b"owners", b"texts", b"evidence")
    with env.begin(write=True) as txn:
        return Tables(*(env.open_db(name, txn=txn) for name in names))


def insert(txn: Txn, tables: Tables, partition: bytes, entry: Entry, quota: int, max_bytes: int) -> int:
    """Put an entry in, in place of one with the same text; its number.

    What the same user, or everybody, has too much of goes out, the oldest first.
    """
    raw = msgspec.msgpack.encode(entry)
    text = _digest(partition, entry.question)
    if (old := txn.get(text, db=tables.texts)) is not None:
        remove(txn, tables, partition, _NUMBER.unpack(old)[0])
    _keep_quota(txn, tables, partition, entry, quota)
    make_room(txn, tables, max_bytes - _size(raw))
    totals, mark = read_totals(txn, tables), read_mark(txn, tables, partition)
    number = totals.last + 1
    key = _NUMBER.pack(number)
    txn.put(partition + key, raw, db=tables.questions)
    txn.put(text, key, db=tables.texts)
    txn.put(key, partition, db=tables.ages)
    if entry.user is not None:
        owner = _digest(partition, entry.user)
        txn.put(owner, _NUMBER.pack(_count(txn, tables, owner) + 1), db=tables.owners)
        txn.put(owner + key, b"", db=tables.owners)
    _write(txn, tables, partition, Mark(mark.count + 1, number))
    _write(txn, tables, b"totals", Totals(number, totals.entries + 1, totals.bytes + _size(raw)))
    return number


def remove(txn: Txn, tables: Tables, partition: bytes, number: int) -> Entry | None:
    """Take an entry out; ``None`` if there was none."""
    key = _NUMBER.pack(number)
    raw = txn.pop(partition + key, db=tables.questions)
    if raw is None:
        return None
    txn.delete(key, db=tables.ages)
    entry = msgspec.msgpack.decode(raw, type=Entry)
    txn.delete(_digest(partition, entry.question), db=tables.texts)
    if entry.user is not None:
        owner = _digest(partition, entry.user)
        txn.delete(owner + key, db=tables.owners)
        if count := _count(txn, tables, owner) - 1:
            txn.put(owner, _NUMBER.pack(count), db=tables.owners)
        else:
            txn.delete(owner, db=tables.owners)
    totals, mark = read_totals(txn, tables), read_mark(txn, tables, partition)
    if mark.count == 1:
        txn.delete(partition, db=tables.marks)
    else:
        _write(txn, tables, partition, Mark(mark.count - 1, mark.newest))
    _write(txn, tables, b"totals", Totals(totals.last, totals.entries - 1, totals.bytes - _size(raw)))
    return entry


def read(txn: Txn, tables: Tables, partition: bytes, number: int) -> Entry | None:
    """``None`` if it is not there any more."""
    raw = txn.get(partition + _NUMBER.pack(number), db=tables.questions)
    return None if raw is None else msgspec.msgpack.decode(raw, type=Entry)


def find(txn: Txn, tables: Tables, partition: bytes, question: str) -> int | None:
    """The number of the entry with this very text."""
    raw = txn.get(_digest(partition, question), db=tables.texts)
    return None if raw is None else _NUMBER.unpack(raw)[0]


def following(txn: Txn, tables: Tables, partition: bytes, after: int) -> Iterator[tuple[int, Entry]]:
    """The entries of a partition whose numbers are above ``after``, in their order."""
    for place, number, entry in behind(txn, tables, partition, after):
        if place != partition:
            return
        yield number, entry


def behind(txn: Txn, tables: Tables, partition: bytes, number: int) -> Iterator[tuple[bytes, int, Entry]]:
    """Partition, number and entry of all that follow a place, in the order of partitions; ``b""`` is the beginning."""
    with txn.cursor(db=tables.questions) as cursor:
        if not cursor.set_range(partition + _NUMBER.pack(number + 1) if partition else b""):
            return
        for key, raw in cursor:
            yield key[:PARTITION], _NUMBER.unpack(key[PARTITION:])[0], msgspec.msgpack.decode(raw, type=Entry)


def make_room(txn: Txn, tables: Tables, room: int) -> None:
    """Take the oldest out until no more than ``room`` bytes are taken."""
    while read_totals(txn, tables).bytes > max(room, 0):
        with txn.cursor(db=tables.ages) as cursor:
            if not cursor.first():
                return
            number, partition = _NUMBER.unpack(cursor.key())[0], bytes(cursor.value())
        remove(txn, tables, partition, number)


def read_mark(txn: Txn, tables: Tables, partition: bytes) -> Mark:
    """Zeros where there is nothing."""
    raw = txn.get(partition, db=tables.marks)
    return msgspec.msgpack.decode(raw, type=Mark) if raw else Mark()


def read_totals(txn: Txn, tables: Tables) -> Totals:
    """Zeros in an empty store."""
    raw = txn.get(b"totals", db=tables.marks)
    return msgspec.msgpack.decode(raw, type=Totals) if raw else Totals()


def _keep_quota(txn: Txn, tables: Tables, partition: bytes, entry: Entry, quota: int) -> None:
    """Nobody can fill a partition with questions of his own, or push out those of others."""
    if entry.user is None:
        return
    owner = _digest(partition, entry.user)
    while _count(txn, tables, owner) >= quota:
        with txn.cursor(db=tables.owners) as cursor:
            if not cursor.set_range(owner + b"\0") or not cursor.key().startswith(owner):
                return
            number = _NUMBER.unpack(cursor.key()[len(owner) :])[0]
        remove(txn, tables, partition, number)


def _digest(partition: bytes, text: str) -> bytes:
    return partition + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _count(txn: Txn, tables: Tables, owner: bytes) -> int:
    raw = txn.get(owner, db=tables.owners)
    return _NUMBER.unpack(raw)[0] if raw else 0


def _size(raw: bytes) -> int:
    return len(raw) + _OVERHEAD


def _write(txn: Txn, tables: Tables, key: bytes, value: Mark | Totals) -> None:
    txn.put(key, msgspec.msgpack.encode(value), db=tables.marks)
