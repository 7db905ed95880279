"""Writes entries into the tables: rows and roll-ups, always together in one transaction.

Plain ``sqlite3`` with ``executemany``: the keeper moves tens of thousands of rows a second through here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import groupby

import msgspec
from sqlalchemy import Table

from farthing.ledger import rollup, rows, schema
from farthing.ledger.histogram import Histogram, merge, pack, unpack
from farthing.ledger.miner import MinerOf
from farthing.ledger.records import Entry, Opened, Settled
from farthing.types import Clock

MINER = "miner"
SAVE_MINER_S = 60.0
LAST_TIME = 1e12
"""Seconds since the epoch, far ahead; as microseconds it still fits into 64 bits."""

_KEY = ("dim", "bucket", "tenant", "key")
_ADD_ROLLUP = (
    f"INSERT INTO rollups VALUES ({','.join('?' * (len(_KEY) + len(rollup.MEASURES)))}) "  # noqa: S608 - our own names
    f"ON CONFLICT ({','.join(_KEY)}) DO UPDATE SET {', '.join(f'{m}={m}+excluded.{m}' for m in rollup.MEASURES)}"
)
_DEARER = "excluded.example_cost > query_types.example_cost"
_EXAMPLE = ("example_id", "example_ts", "example_cost", "example")
_ADD_TYPE = (
    "INSERT INTO query_types VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (tenant, id) DO UPDATE SET "  # noqa: S608
    "name=excluded.name, "
    "first_seen=min(first_seen, excluded.first_seen), last_seen=max(last_seen, excluded.last_seen), "
    + ", ".join(f"{name}=CASE WHEN {_DEARER} THEN excluded.{name} ELSE query_types.{name} END" for name in _EXAMPLE)
)


def _into(table: Table) -> str:
    return f"INSERT INTO {table.name} VALUES ({','.join('?' * len(table.columns))})"  # noqa: S608 - our own names


_INTO_REQUESTS, _INTO_CALLS, _INTO_SAVINGS = map(_into, (schema.requests, schema.calls, schema.savings))
AT_ONCE = 250
"""Rows made, written and summed before the next ones are looked at: what fits into the processor's cache."""


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """All or nothing; waits for another writer."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class Writer:
    """Its methods belong inside a ``transaction`` of the connection."""

    def __init__(self, connection: sqlite3.Connection, miner_of: MinerOf, clock: Clock) -> None:
        self._connection, self._clock = connection, clock
        row = connection.execute("SELECT value FROM meta WHERE name = ?", (MINER,)).fetchone()
        try:
            self._miner = miner_of(row[0] if row else None)
        except ValueError:  # the dump of another kind of miner
            self._miner = miner_of(None)
        self._saved = clock()

    def take(self, entries: Iterable[Entry], owner: str) -> int:
        """Enter what is new; the number of requests that ended. An entry that is there already changes nothing."""
        settled: dict[str, Settled] = {}
        opened: list[Opened] = []
        for entry in entries:
            if isinstance(entry, Settled):
                settled.setdefault(entry.id, entry)
            elif abs(entry.ts) < LAST_TIME:
                opened.append(entry)
            else:
                raise OverflowError(f"{entry.ts} is no time")
        known = self._known(settled)
        self._withdraw([seq for seq, state in known.values() if state != "settled"])
        fresh = [one for id_, one in settled.items() if id_ not in known or known[id_][1] != "settled"]
        self._close(settled)
        self._open((one for one in opened if one.id not in settled), owner)
        self._insert(fresh, "settled")
        if self._clock() - self._saved >= SAVE_MINER_S:
            self.save_miner()
        return len(fresh)

    def abandon(self, owner: str) -> None:
        """The owner is dead: what it has opened and not settled becomes unsettled."""
        found = self._connection.execute("SELECT entry FROM opens WHERE owner = ? ORDER BY id", (owner,))
        entries = [msgspec.json.decode(entry, type=Opened) for (entry,) in found]
        self._connection.execute("DELETE FROM opens WHERE owner = ?", (owner,))
        lost = [rows.unsettled(list(group)) for _, group in groupby(entries, key=lambda one: one.id)]
        known = self._known({one.id for one in lost})
        self._insert([one for one in lost if one.id not in known], "unsettled")

    def save_miner(self) -> None:
        """Keep what the miner has learned."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (MINER, self._miner.dump()))
        self._saved = self._clock()

    def _known(self, ids: Iterable[str]) -> dict[str, tuple[int, str]]:
        query = "SELECT id, seq, state FROM requests WHERE id IN (SELECT value FROM json_each(?))"
        found = self._connection.execute(query, (_json(ids),))
        return {id_: (seq, state) for id_, seq, state in found}

    def _open(self, opened: Iterable[Opened], owner: str) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO opens SELECT ?1,?2,?3,?4 WHERE NOT EXISTS (SELECT 1 FROM requests WHERE id=?1)",
            [(one.id, one.call_id or "", owner, msgspec.json.encode(one)) for one in opened],
        )

    def _close(self, ids: Iterable[str]) -> None:
        self._connection.execute("DELETE FROM opens WHERE id IN (SELECT value FROM json_each(?))", (_json(ids),))

    def _insert(self, requests: Sequence[Settled], state: rows.State) -> None:
        if not requests:
            return
        typed: list[tuple[Settled, str]] = []
        seq = self._connection.execute("SELECT ifnull(max(seq), 0) + 1 FROM requests").fetchone()[0]
        sums = rollup.Sums()
        for start in range(0, len(requests), AT_ONCE):
            few = [(one, self._type_of(one)) for one in requests[start : start + AT_ONCE]]
            self._insert_rows(seq + start, few, state)
            for one, query_type in few:
                sums.add(one, query_type)
            typed += few
        self._add(sums)
        self._see(typed)

    def _type_of(self, request: Settled) -> str:
        return self._miner.assign(request.wire, request.shape) if request.shape else ""

    def _insert_rows(self, first: int, requests: Sequence[tuple[Settled, str]], state: rows.State) -> None:
        many = self._connection.executemany
        numbered = list(enumerate(requests, first))
        many(_INTO_REQUESTS, [rows.request_row(seq, one, type_, state) for seq, (one, type_) in numbered])
        many(_INTO_CALLS, [row for seq, (one, _) in numbered if one.calls for row in rows.call_rows(seq, one)])
        savings = [
            row for seq, (one, _) in numbered if one.saved or one.would_save for row in rows.saving_rows(seq, one)
        ]
        many(_INTO_SAVINGS, savings)

    def _withdraw(self, seqs: Sequence[int]) -> None:
        """Take requests out again, with what they added to the roll-ups."""
        found: list[tuple[Settled, str]] = []
        for seq in seqs:
            request, calls, savings = (
                self._connection.execute(f"SELECT * FROM {name} WHERE seq = ?", (seq,)).fetchall()  # noqa: S608
                for name in ("requests", "calls", "savings")
            )
            found.append(rows.request_of(request[0], calls, savings)[:2])
            for name in ("requests", "calls", "savings"):
                self._connection.execute(f"DELETE FROM {name} WHERE seq = ?", (seq,))  # noqa: S608
        if found:
            self._add(rollup.Sums(found), sign=-1)

    def _add(self, sums: rollup.Sums, sign: int = 1) -> None:
        found = sums.sums().items()
        self._connection.executemany(
            _ADD_ROLLUP, [(*key, *(sign * amount for amount in vector)) for key, vector in found]
        )
        read = self._connection.cursor()
        changed = [(*key, self._merged(read, key, counts, sign)) for key, counts in sums.histograms().items()]
        self._connection.executemany("INSERT OR REPLACE INTO histograms VALUES (?,?,?,?,?)", changed)

    def _merged(self, read: sqlite3.Cursor, key: rollup.Key, counts: list[Histogram], sign: int) -> bytes:
        query = "SELECT counts FROM histograms WHERE dim=? AND bucket=? AND tenant=? AND key=?"
        row = read.execute(query, key).fetchone()
        if row is None:
            return pack(counts)  # only what has been added is ever taken away
        known = unpack(row[0])
        for into, more in zip(known, counts, strict=True):
            merge(into, more, sign)
        return pack(known)

    def _see(self, requests: Iterable[tuple[Settled, str]]) -> None:
        """Note when the query types were seen, and the dearest request of each."""
        seen: dict[tuple[str, str], tuple[float, float, Settled]] = {}
        for one, query_type in requests:
            if not query_type:
                continue
            key = (one.caller.tenant, query_type)
            first, last, dearest = seen.get(key, (one.ts, one.ts, one))
            dearest = one if (one.cost_nano or 0) > (dearest.cost_nano or 0) else dearest
            seen[key] = (min(first, one.ts), max(last, one.ts), dearest)
        names = self._miner.names() if seen else {}
        self._connection.executemany(
            _ADD_TYPE,
            [
                (tenant, id_, names.get(id_, id_), rollup.micro(first), rollup.micro(last), *_example(one))
                for (tenant, id_), (first, last, one) in seen.items()
            ],
        )


def _example(one: Settled) -> tuple[str, int, int, str]:
    return one.id, rollup.micro(one.ts), one.cost_nano or 0, one.shape.example if one.shape else ""


def _json(values: Iterable[str]) -> str:
    return msgspec.json.encode(list(values)).decode()
