"""Corrections of the past: versioned, reversible, and with the sums in the same transaction as the rows.

They go beside the keeper, in short transactions of a connection of their own. That is safe because the keeper holds
nothing in memory of what a correction changes: it reads rows and sums anew in each of its transactions. What is
replaced or deleted after a correction (an ending that turned up, the retention) is left alone by its undoing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from typing import Literal, NamedTuple

import msgspec

from farthing.errors import StoreError
from farthing.ledger import rows, totals
from farthing.ledger.bills import Bill, bill_of, with_bill
from farthing.ledger.records import Settled
from farthing.ledger.rollup import TOKENS, micro
from farthing.ledger.store import Connection, Store
from farthing.ledger.sums import Sums
from farthing.ledger.upgrade import explained
from farthing.ledger.writer import transaction

AT_ONCE = 500
"""Requests in one transaction: a tenth of a second or two on a busy machine."""

What = Literal["reprice", "reconcile"]
Change = Callable[[Settled], Settled | None]
"""A request as it should be; ``None`` if it is right as it is. Only what is in its ``Bill`` may differ."""
Pause = Callable[[], object]
"""Called between two transactions: lets the keeper have its turn."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Bill).decode
_SET_CALL = (
    f"UPDATE calls SET {', '.join(f'{name}=?' for name in TOKENS)}, cost=?, cost_source=?, price_version=?, "  # noqa: S608
    "provider_request_id=? WHERE seq=? AND number=?"
)
_LATER = (
    "SELECT max(version) FROM corrected WHERE version > ?1 AND request IN "
    "(SELECT request FROM corrected WHERE version = ?1)"
)


class Correction(msgspec.Struct, frozen=True):
    """What was corrected, when, by what."""

    version: int
    made: float
    what: What
    note: str
    state: Literal["begun", "applied", "undone"]
    requests: int
    change_nano_usd: int


class Undone(msgspec.Struct, frozen=True):
    """What became of an undoing."""

    version: int
    requests: int
    change_nano_usd: int
    replaced: int
    """Requests whose bill is no longer what the correction made it: left as they are."""
    gone: int
    """Requests past the retention (or put back before, by an undoing that was stopped)."""


class Row(NamedTuple):
    """A request as it is in the tables."""

    seq: int
    request: Settled
    query_type: str


def read_rows(connection: Connection, query: str, values: Sequence[object]) -> list[Row]:
    """The requests of a query for rows of ``requests``."""
    found: list[Row] = []
    for row in connection.execute(query, values).fetchall():
        calls, savings = (
            connection.execute(f"SELECT * FROM {name} WHERE seq = ? ORDER BY number", (row[0],)).fetchall()  # noqa: S608
            for name in ("calls", "savings")
        )
        request, query_type, _ = rows.request_of(row, calls, savings)
        found.append(Row(row[0], request, query_type))
    return found


def page(connection: Connection, after: int, since: float | None, until: float | None) -> list[Row]:
    """The next requests of a span, in the order of entry."""
    query = (
        "SELECT * FROM requests WHERE seq > ?1 AND (?2 IS NULL OR ts >= ?2) AND (?3 IS NULL OR ts < ?3) "
        "ORDER BY seq LIMIT ?4"
    )
    bounds = (None if at is None else micro(at) for at in (since, until))
    return read_rows(connection, query, (after, *bounds, AT_ONCE))


def preview(store: Store, change: Change, since: float | None, until: float | None) -> int:
    """Ask ``change`` about every request of a span and write nothing; how many would change. Raises ``StoreError``."""
    after = total = 0
    with store.reading() as connection:
        while found := page(connection, after, since, until):
            total += sum(change(row.request) is not None for row in found)
            after = found[-1].seq
    return total


def correct(
    store: Store,
    what: What,
    note: str,
    change: Change,
    pause: Pause,
    *,
    since: float | None = None,
    until: float | None = None,
) -> Correction | None:
    """Change the bills of a span (seconds since the epoch). ``None`` if there is nothing to change.

    Wherever it is stopped, rows and sums agree, and what was done can be undone. Raises ``StoreError``.
    """
    made, version, after = store.clock(), None, 0
    with _writing(store) as connection:
        while True:
            with transaction(connection):
                found = page(connection, after, since, until)
                version = _change(connection, found, change, version, (made, what, note))
                if not found and version is not None:
                    connection.execute("UPDATE corrections SET state = 'applied' WHERE version = ?", (version,))
            if not found:
                break
            after = found[-1].seq
            pause()
    return None if version is None else correction(store, version)


def undo(store: Store, version: int, pause: Pause) -> Undone:
    """Put back what a correction has changed. Raises ``StoreError`` if a later one builds on it."""
    its = correction(store, version)
    if its is None or its.state == "undone":
        raise StoreError(
            f"correction {version} is undone already" if its else f"there is no correction {version} in the ledger"
        )
    back = change = replaced = 0
    with _writing(store) as connection:
        later = connection.execute(_LATER, (version,)).fetchone()[0]
        if later is not None:
            raise StoreError(f"correction {later} changed some of the same requests later: undo {later} first")
        while step := _put_back(connection, version):
            back, change, replaced = back + step[0], change + step[1], replaced + step[2]
            pause()
    return Undone(version, back, change, replaced, its.requests - back - replaced)


def corrections(store: Store) -> list[Correction]:
    """All there are, the newest first. Raises ``StoreError``."""
    with store.reading() as connection:
        found = connection.execute("SELECT * FROM corrections ORDER BY version DESC").fetchall()
    return [Correction(version, made / 1e6, *rest) for version, made, *rest in found]


def correction(store: Store, version: int) -> Correction | None:
    """One of them. Raises ``StoreError``."""
    return next((one for one in corrections(store) if one.version == version), None)


@contextmanager
def _writing(store: Store) -> Generator[Connection]:
    """A connection that writes; what SQLite says becomes a ``StoreError``."""
    try:
        with closing(store.writer()) as connection:
            yield connection
    except sqlite3.Error as problem:
        raise StoreError(f"{store.path}: {explained(problem)}") from problem


def _change(
    connection: Connection, found: Iterable[Row], change: Change, version: int | None, head: tuple[float, What, str]
) -> int | None:
    """Write what differs; the correction's version, which is given with its first change."""
    pairs = [(row, new) for row in found if (new := change(row.request)) is not None]
    if not pairs:
        return version
    if version is None:
        made, what, note = head
        cursor = connection.execute(
            "INSERT INTO corrections (made, what, note, state, requests, change) VALUES (?,?,?,'begun',0,0)",
            (micro(made), what, note),
        )
        version = cursor.lastrowid
    connection.executemany(
        "INSERT INTO corrected VALUES (?,?,?,?)",
        [(version, row.request.id, _encode(bill_of(row.request)), _encode(bill_of(new))) for row, new in pairs],
    )
    change_nano = write(connection, pairs)
    connection.execute(
        "UPDATE corrections SET requests = requests + ?, change = change + ? WHERE version = ?",
        (len(pairs), change_nano, version),
    )
    return version


def write(connection: Connection, pairs: Sequence[tuple[Row, Settled]]) -> int:
    """Give requests other bills, rows and sums; by how much the cost of all calls has changed."""
    for row, new in pairs:
        connection.execute(
            "UPDATE requests SET cost=?, baseline=? WHERE seq=?", (new.cost_nano, new.baseline_nano, row.seq)
        )
        connection.execute(
            "UPDATE query_types SET example_cost=? WHERE example_id=? AND example_cost >= 0",
            (new.cost_nano or 0, new.id),
        )
        connection.executemany(_SET_CALL, _call_values(row, new))
    totals.add(connection, Sums((row.request, row.query_type) for row, _ in pairs), sign=-1)
    totals.add(connection, Sums((new, row.query_type) for row, new in pairs))
    return sum(_spent(new) - _spent(row.request) for row, new in pairs)


def _call_values(row: Row, new: Settled) -> Iterable[Sequence[object]]:
    for number, (old, call) in enumerate(zip(row.request.calls, new.calls, strict=True)):
        if call != old:
            usage = (None,) * len(TOKENS) if call.usage is None else msgspec.structs.astuple(call.usage)
            bill = (call.cost_nano, call.cost_source, call.price_version, call.provider_request_id)
            yield (*usage, *bill, row.seq, number)


def _spent(request: Settled) -> int:
    return sum(call.cost_nano or 0 for call in request.calls)


def _put_back(connection: Connection, version: int) -> tuple[int, int, int] | None:
    """Undo some: how many, by how much, how many were left as they are. ``None`` when nothing is left."""
    with transaction(connection):
        kept = connection.execute(
            "SELECT request, was, became FROM corrected WHERE version = ? LIMIT ?", (version, AT_ONCE)
        ).fetchall()
        if not kept:
            connection.execute("UPDATE corrections SET state = 'undone' WHERE version = ?", (version,))
            return None
        pairs: list[tuple[Row, Settled]] = []
        for id_, was, became in kept:
            found = read_rows(connection, "SELECT * FROM requests WHERE id = ?", (id_,))
            if found and bill_of(found[0].request) == _decode(became):
                pairs.append((found[0], with_bill(found[0].request, _decode(was))))
        change = write(connection, pairs)
        done = [(version, id_) for id_, _, _ in kept]
        connection.executemany("DELETE FROM corrected WHERE version = ? AND request = ?", done)
        return len(pairs), change, len(kept) - len(pairs)
