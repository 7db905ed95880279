"""The tables of the answer store and the order in which answers leave it. Every function works inside a transaction.

GreedyDual-Size-Frequency (L. Cherkasova, "Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching
Policy", HP Labs HPL-98-69R1, 1998): an answer is worth ``floor + hits x cost / size``, the least worth goes first,
and ``floor`` rises to the worth of what went last, so that what was popular once grows old.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from farthing.levers.recall.answer import Answer

Env = Any
Txn = Any
"""An LMDB environment, a transaction: ``lmdb`` has no types of its own."""

_PAGE = 4096
_OVERHEAD = 256  # the answer's share of keys, cards, ranks and half-empty pages
_RANK = struct.Struct(">d")  # big-endian, and never negative: sorts as bytes the way it does as a number


class Card(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What must be known of an answer to rank or purge it without reading it."""

    priority: float
    hits: int
    size: int
    cost_nano: int
    stored_at: float
    expires_at: float
    tenant: str
    feature: str | None


class Totals(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Sums over the store."""

    bytes: int = 0
    hits: int = 0
    evictions: int = 0
    floor: float = 0.0


class Tables(msgspec.Struct, frozen=True):
    """Handles of the named databases."""

    answers: Any
    """key → the key again, and the ``Answer`` (MessagePack)."""
    cards: Any
    """key → ``Card``."""
    ranks: Any
    """priority + key → nothing: the first is the next to go."""
    about: Any
    """``format`` and ``totals``."""


def size_on_disk(record: bytes) -> int:
    """Large values take whole pages of their own."""
    pages = -(-len(record) // _PAGE) * _PAGE if len(record) > _PAGE // 2 else len(record)
    return pages + _OVERHEAD


def read_totals(txn: Txn, tables: Tables) -> Totals:
    """Zeros in an empty store."""
    raw = txn.get(b"totals", db=tables.about)
    return msgspec.msgpack.decode(raw, type=Totals) if raw else Totals()


def insert(txn: Txn, tables: Tables, key: bytes, answer: Answer, record: bytes, max_bytes: int) -> None:
    """Put an answer in, and others out until there is room. One that replaces an older one inherits its hits."""
    old = remove(txn, tables, key)
    size = size_on_disk(record)
    make_room(txn, tables, max_bytes - size)
    totals = read_totals(txn, tables)
    hits = old.hits if old else 1
    cost = answer.cost_nano or 0
    priority = totals.floor + hits * cost / size
    card = Card(priority, hits, size, cost, answer.stored_at, answer.expires_at, answer.tenant, answer.feature)
    txn.put(key, record, db=tables.answers)
    _file(txn, tables, key, card)
    _write_totals(txn, tables, msgspec.structs.replace(totals, bytes=totals.bytes + size))


def add_hits(txn: Txn, tables: Tables, key: bytes, count: int) -> bool:
    """Raise the rank of an answer that was served ``count`` times. False if it is not there."""
    card = _card(txn, tables, key)
    if card is None:
        return False
    totals = read_totals(txn, tables)
    hits = card.hits + count
    txn.delete(_rank(card, key), db=tables.ranks)
    priority = totals.floor + hits * card.cost_nano / card.size
    _file(txn, tables, key, msgspec.structs.replace(card, priority=priority, hits=hits))
    _write_totals(txn, tables, msgspec.structs.replace(totals, hits=totals.hits + count))
    return True


def remove(txn: Txn, tables: Tables, key: bytes) -> Card | None:
    """Take an answer out; its card, or ``None`` if there was none."""
    card = _card(txn, tables, key)
    if card is None:
        return None
    txn.delete(key, db=tables.answers)
    txn.delete(key, db=tables.cards)
    txn.delete(_rank(card, key), db=tables.ranks)
    totals = read_totals(txn, tables)
    _write_totals(txn, tables, msgspec.structs.replace(totals, bytes=totals.bytes - card.size))
    return card


def matching(txn: Txn, tables: Tables, wanted: Callable[[Card], bool]) -> Iterator[bytes]:
    """The keys of the answers whose cards are wanted."""
    with txn.cursor(db=tables.cards) as cursor:
        for key, raw in cursor:
            if wanted(msgspec.msgpack.decode(raw, type=Card)):
                yield bytes(key)


def make_room(txn: Txn, tables: Tables, room: int) -> None:
    """Evict until no more than ``room`` bytes are taken."""
    totals = read_totals(txn, tables)
    while totals.bytes > max(room, 0):
        with txn.cursor(db=tables.ranks) as cursor:
            if not cursor.first():
                return
            rank = bytes(cursor.key())
        remove(txn, tables, rank[_RANK.size :])
        totals = read_totals(txn, tables)
        floor = max(totals.floor, _RANK.unpack(rank[: _RANK.size])[0])
        totals = msgspec.structs.replace(totals, floor=floor, evictions=totals.evictions + 1)
        _write_totals(txn, tables, totals)


def _card(txn: Txn, tables: Tables, key: bytes) -> Card | None:
    raw = txn.get(key, db=tables.cards)
    return None if raw is None else msgspec.msgpack.decode(raw, type=Card)


def _file(txn: Txn, tables: Tables, key: bytes, card: Card) -> None:
    txn.put(key, msgspec.msgpack.encode(card), db=tables.cards)
    txn.put(_rank(card, key), b"", db=tables.ranks)


def _rank(card: Card, key: bytes) -> bytes:
    return _RANK.pack(card.priority) + key


def _write_totals(txn: Txn, tables: Tables, totals: Totals) -> None:
    txn.put(b"totals", msgspec.msgpack.encode(totals), db=tables.about)
