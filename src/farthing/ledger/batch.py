"""What is entered in one transaction: rows as they come, sums and query types at its end.

Plain ``sqlite3`` with ``executemany``: the keeper moves tens of thousands of rows a second through here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence

import msgspec

from farthing.ledger import rows, totals
from farthing.ledger.miners import Miners
from farthing.ledger.records import Entry, Opened, Settled
from farthing.ledger.rollup import micro
from farthing.ledger.sums import Sums

LAST_TIME = 1e12
"""Seconds since the epoch, far ahead; as microseconds it still fits into 64 bits."""

_DEARER = "excluded.example_cost > query_types.example_cost"
_EXAMPLE = ("example_id", "example_ts", "example_cost", "example")
_ADD_TYPE = (
    "INSERT INTO query_types VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (tenant, id) DO UPDATE SET "  # noqa: S608
    "name=excluded.name, "
    "first_seen=min(first_seen, excluded.first_seen), last_seen=max(last_seen, excluded.last_seen), "
    + ", ".join(f"{name}=CASE WHEN {_DEARER} THEN excluded.{name} ELSE query_types.{name} END" for name in _EXAMPLE)
)
_TABLES = ("requests", "calls", "savings")


class _Seen:
    """When a query type was seen, and its dearest request."""

    __slots__ = ("cost", "dearest", "first", "last")

    def __init__(self, request: Settled) -> None:
        self.first = self.last = request.ts
        self.dearest, self.cost = request, request.cost_nano or 0

    def add(self, request: Settled) -> None:
        """Once more."""
        if request.ts > self.last:
            self.last = request.ts
        elif request.ts < self.first:
            self.first = request.ts
        if request.cost_nano is not None and request.cost_nano > self.cost:
            self.dearest, self.cost = request, request.cost_nano

    def example(self) -> tuple[str, int, int, str]:
        """The dearest, as columns."""
        one = self.dearest
        return one.id, micro(one.ts), self.cost, one.shape.example if one.shape else ""


class Batch:
    """Belongs into one transaction, from its making to ``finish``."""

    def __init__(self, connection: sqlite3.Connection, miners: Miners, owner: str) -> None:
        self._connection, self._miners, self._owner = connection, miners, owner
        self._seq: int = connection.execute("SELECT ifnull(max(seq), 0) + 1 FROM requests").fetchone()[0]
        self._sums = Sums()
        self._opened: dict[str, tuple[Opened, ...]] = {}
        self._ended: set[str] = set()
        self._seen: dict[tuple[str, str], _Seen] = {}
        self.entered = 0
        """Requests that ended."""

    def take(self, entries: Iterable[Entry]) -> None:
        """Enter what is new. An entry that is there already changes nothing."""
        settled: dict[str, Settled] = {}
        for entry in entries:
            if isinstance(entry, Settled):
                settled.setdefault(entry.id, entry)
                self._opened.pop(entry.id, None)
            else:
                self._opened[entry.id] = (*self._opened.get(entry.id, ()), entry)
        known = self._known(settled)
        self._withdraw([seq for seq, state in known.values() if state != "settled"])
        ended = {id_ for id_, (_, state) in known.items() if state == "settled"}
        self.enter([one for id_, one in settled.items() if id_ not in ended] if ended else settled.values(), "settled")
        self._ended.update(settled)

    def take_lost(self, lost: Iterable[Settled]) -> None:
        """Enter requests whose process died, but for those that ended after all."""
        its = {one.id: one for one in lost}
        known = self._known(its)
        self.enter([one for id_, one in its.items() if id_ not in known], "unsettled")

    def enter(self, requests: Collection[Settled], state: rows.State) -> None:
        """Write the rows of requests that are not there, and count them."""
        its: tuple[list[rows.Row], ...] = ([], [], [])
        for seq, one in enumerate(requests, self._seq):
            query_type = self._type_of(one)
            its[0].append(rows.request_row(seq, one, query_type, state))
            for number, call in enumerate(one.calls):
                its[1].append(rows.call_row(seq, number, call))
            if one.saved or one.would_save:
                its[2].extend(rows.saving_rows(seq, one))
            self._sums.add(one, query_type)
        for table, made in zip(_TABLES, its, strict=True):
            if made:
                self._insert(table, made)
        self._seq += len(requests)
        self.entered += len(requests)

    def finish(self) -> int:
        """Write what is only known now; how many requests ended."""
        self._close()
        self._open()
        totals.add(self._connection, self._sums)
        self._note_types()
        self._miners.save_now_and_then()
        return self.entered

    def _insert(self, table: str, made: Iterable[rows.Row]) -> None:
        """A column with nothing in it stands in the statement: to hand a value over takes longer than to store it."""
        columns = list(zip(*made, strict=True))
        marks = [_mark(column) for column in columns]
        bound = [column for column, mark in zip(columns, marks, strict=True) if mark == "?"]
        self._connection.executemany(
            f"INSERT INTO {table} VALUES ({','.join(marks)})",  # noqa: S608 - our own names
            zip(*bound, strict=True),
        )

    def _known(self, ids: Iterable[str]) -> dict[str, tuple[int, str]]:
        query = "SELECT id, seq, state FROM requests WHERE id IN (SELECT value FROM json_each(?))"
        found = self._connection.execute(query, (_json(ids),))
        return {id_: (seq, state) for id_, seq, state in found}

    def _close(self) -> None:
        """Few are under way at a time: fewer to look at than have ended."""
        found = self._connection.execute("SELECT DISTINCT id FROM opens").fetchall()
        self._connection.executemany("DELETE FROM opens WHERE id = ?", [row for row in found if row[0] in self._ended])

    def _open(self) -> None:
        under_way = [one for id_, its in self._opened.items() if id_ not in self._ended for one in its]
        for one in under_way:
            if abs(one.ts) >= LAST_TIME:
                raise OverflowError(f"{one.ts} is no time")
        self._connection.executemany(
            "INSERT OR IGNORE INTO opens SELECT ?1,?2,?3,?4 WHERE NOT EXISTS (SELECT 1 FROM requests WHERE id=?1)",
            [(one.id, one.call_id or "", self._owner, msgspec.json.encode(one)) for one in under_way],
        )

    def _withdraw(self, seqs: Sequence[int]) -> None:
        """Take requests out again, with what they added to the roll-ups."""
        found: list[tuple[Settled, str]] = []
        for seq in seqs:
            request, calls, savings = (
                self._connection.execute(f"SELECT * FROM {name} WHERE seq = ?", (seq,)).fetchall()  # noqa: S608
                for name in _TABLES
            )
            found.append(rows.request_of(request[0], calls, savings)[:2])
            for name in _TABLES:
                self._connection.execute(f"DELETE FROM {name} WHERE seq = ?", (seq,))  # noqa: S608
        if found:
            totals.add(self._connection, Sums(found), sign=-1)

    def _type_of(self, request: Settled) -> str:
        """Its query type, empty if it has none; notes that it was seen."""
        if request.shape is None:
            return ""
        tenant = request.caller.tenant
        query_type = self._miners.type_of(tenant, request.wire, request.shape)
        seen = self._seen.get((tenant, query_type))
        if seen is None:
            self._seen[tenant, query_type] = _Seen(request)
        else:
            seen.add(request)
        return query_type

    def _note_types(self) -> None:
        names = {tenant: self._miners.names(tenant) for tenant in {tenant for tenant, _ in self._seen}}
        self._connection.executemany(
            _ADD_TYPE,
            [
                (tenant, id_, names[tenant].get(id_, id_), micro(seen.first), micro(seen.last), *seen.example())
                for (tenant, id_), seen in self._seen.items()
            ],
        )


def _mark(column: Sequence[object]) -> str:
    """How a column stands in the statement: ``?``, or what all of its values are."""
    first = column[0]
    is_nothing = (first is None or first == 0) and column.count(first) == len(column)
    return ("NULL" if first is None else "0") if is_nothing else "?"


def _json(values: Iterable[str]) -> str:
    return msgspec.json.encode(list(values)).decode()
