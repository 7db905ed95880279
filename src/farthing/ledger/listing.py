"""Single requests, as the ledger has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from farthing.ledger import rows
from farthing.ledger.records import Opened, Settled
from farthing.ledger.rollup import micro
from farthing.ledger.span import Span
from farthing.ledger.store import Connection, Store
from farthing.types import CacheState, CostSource

HORIZON = "horizon"
"""Name in ``meta``: single requests from before (seconds since the epoch, a whole day) are deleted."""
AT_ONCE = 900
"""Ids in one statement."""
_EQUAL = ("tenant", "user", "feature", "session", "provider", "query_type", "status", "cache")
"""Conditions on the column of the same name."""


class Found(NamedTuple):
    """A request, its query type (empty: not known), and whether it has ended."""

    request: Settled
    query_type: str
    state: rows.State


class Filter(msgspec.Struct, frozen=True):
    """What requests to list; ``None`` is no condition. Times are seconds since the epoch."""

    tenant: str | None = None
    user: str | None = None
    feature: str | None = None
    session: str | None = None
    model: str | None = None
    """As the app asked for it, or as it was served."""
    provider: str | None = None
    query_type: str | None = None
    status: int | None = None
    cache: CacheState | None = None
    source: CostSource | None = None
    """Requests with a provider call whose cost is of this source."""
    failed: bool | None = None
    since: float | None = None
    until: float | None = None


class QueryType(msgspec.Struct, frozen=True):
    """A query type of one tenant, with its dearest request; ``example`` is empty where texts are not kept."""

    id: str
    tenant: str
    name: str
    first_seen: float
    last_seen: float
    example_id: str | None
    example: str
    example_cost_nano: int | None


def requests(store: Store, limit: int, where: Filter = Filter()) -> list[Found]:  # noqa: B008 - it is frozen
    """Newest first, those under way included. Raises ``StoreError``."""
    conditions = dict(_conditions(where))
    query = f"SELECT * FROM requests WHERE {' AND '.join(['1 = 1', *conditions])} ORDER BY ts DESC, seq DESC LIMIT ?"  # noqa: S608
    values = [value for its in conditions.values() for value in its]
    with store.reading() as connection:
        ended = _complete(connection, connection.execute(query, (*values, limit)).fetchall())
        under_way = [one for one in in_flight(connection, where.tenant) if _matches(one.request, where)]
    return sorted([*under_way, *ended], key=lambda one: one.request.ts, reverse=True)[:limit]


def request(store: Store, request_id: str) -> Found | None:
    """One request; ``None`` if the ledger has none of this id. Raises ``StoreError``."""
    with store.reading() as connection:
        found = connection.execute("SELECT * FROM requests WHERE id = ?", (request_id,)).fetchall()
        return next(iter([*_complete(connection, found), *in_flight(connection, None, request_id)]), None)


def in_flight(connection: Connection, tenant: str | None, request_id: str | None = None) -> list[Found]:
    """The requests that have not ended yet."""
    chosen, values = ("", ()) if request_id is None else ("WHERE id = ?", (request_id,))
    found = connection.execute(f"SELECT entry FROM opens {chosen} ORDER BY id, call_id", values)  # noqa: S608
    opened = [msgspec.json.decode(entry, type=Opened) for (entry,) in found]
    its = (rows.unsettled(list(group)) for _, group in groupby(opened, key=lambda one: one.id))
    return [Found(one, "", "open") for one in its if tenant is None or one.caller.tenant == tenant]


def horizon(connection: Connection) -> int:
    """Single requests from before have been deleted (seconds since the epoch)."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (HORIZON,)).fetchone()
    return int(row[0]) if row else 0


def query_types(store: Store, tenant: str | None = None) -> list[QueryType]:
    """All query types of a tenant, or of all. Raises ``StoreError``."""
    query = (
        "SELECT id, tenant, name, first_seen, last_seen, example_id, example, example_cost FROM query_types "
        "WHERE tenant = coalesce(?, tenant)"
    )
    with store.reading() as connection:
        found = connection.execute(query, (tenant,)).fetchall()
    return [
        QueryType(id_, of, name, first / 1e6, last / 1e6, example_id or None, example, None if cost < 0 else cost)
        for id_, of, name, first, last, example_id, example, cost in found
    ]


def _complete(connection: Connection, found: Sequence[Any]) -> list[Found]:
    """Requests with their calls and savings."""
    seqs = [row[0] for row in found]
    calls, savings = (_of(connection, table, seqs) for table in ("calls", "savings"))
    return [Found(*rows.request_of(row, calls[row[0]], savings[row[0]])) for row in found]


def _of(connection: Connection, table: str, seqs: Sequence[int]) -> defaultdict[int, list[Any]]:
    """The rows of a table by the request that they belong to, in their order."""
    its: defaultdict[int, list[Any]] = defaultdict(list)
    for start in range(0, len(seqs), AT_ONCE):
        few = seqs[start : start + AT_ONCE]
        query = f"SELECT * FROM {table} WHERE seq IN ({','.join('?' * len(few))}) ORDER BY seq, number"  # noqa: S608
        for row in connection.execute(query, few):
            its[row[0]].append(row)
    return its


def _conditions(where: Filter) -> Iterable[tuple[str, Sequence[object]]]:
    """SQL, and the values for its question marks."""
    for name in _EQUAL:
        value = getattr(where, name)
        if value is not None:
            yield f'"{name}" = ?', [value]
    if where.model is not None:
        yield "(model = ? OR served_model = ?)", [where.model, where.model]
    if where.source in {"unpriced", "unsettled"}:  # rare and looked for: there is an index of them
        yield "seq IN (SELECT seq FROM calls WHERE cost IS NULL AND cost_source = ?)", [where.source]
    elif where.source is not None:
        yield "EXISTS (SELECT 1 FROM calls c WHERE c.seq = requests.seq AND c.cost_source = ?)", [where.source]
    if where.failed is not None:
        yield ("" if where.failed else "NOT ") + "(coalesce(status, 0) >= 400 OR error IS NOT NULL)", []
    for text, at in (("ts >= ?", where.since), ("ts < ?", where.until)):
        if at is not None:
            yield text, [micro(at)]


def _matches(one: Settled, where: Filter) -> bool:
    """Whether a request that is under way meets the conditions; of these it has no status and the like."""
    caller = one.caller
    pairs = (
        (where.user, caller.user),
        (where.feature, caller.feature),
        (where.session, caller.session),
        (where.model, one.model),
        (where.provider, one.provider),
        (where.query_type, ""),
        (where.status, None),
        (where.cache, None),
        (where.failed, False),
        (where.source, "unsettled"),
    )
    span = Span(*(None if at is None else micro(at) for at in (where.since, where.until)))
    return span.contains(micro(one.ts)) and all(wanted is None or wanted == value for wanted, value in pairs)
