"""Single requests, as the ledger has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select

from farthing.ledger import rows, schema
from farthing.ledger.records import Opened, Settled
from farthing.ledger.retention import HORIZON
from farthing.ledger.rollup import micro
from farthing.ledger.span import Span
from farthing.ledger.store import Store
from farthing.types import CacheState, CostSource

AT_ONCE = 900
"""Ids in one statement."""


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
    table = schema.requests
    with store.reading() as connection:
        query = select(table).where(*_conditions(where)).order_by(table.c.ts.desc(), table.c.seq.desc()).limit(limit)
        ended = _complete(connection, connection.execute(query).all())
        under_way = [one for one in in_flight(connection, where.tenant) if _matches(one.request, where)]
    return sorted([*under_way, *ended], key=lambda one: one.request.ts, reverse=True)[:limit]


def request(store: Store, request_id: str) -> Found | None:
    """One request; ``None`` if the ledger has none of this id. Raises ``StoreError``."""
    table = schema.requests
    with store.reading() as connection:
        found = _complete(connection, connection.execute(select(table).where(table.c.id == request_id)).all())
        return next((one for one in [*found, *in_flight(connection, None, request_id)]), None)


def within(connection: Connection, span: Span, tenant: str | None) -> list[Found]:
    """The requests that were accepted in a span and have ended, in no order."""
    table = schema.requests
    query = select(table)
    for condition in _spanned(span):
        query = query.where(condition)
    if tenant is not None:
        query = query.where(table.c.tenant == tenant)
    return _joined(connection, connection.execute(query).all(), query)


def in_flight(connection: Connection, tenant: str | None, request_id: str | None = None) -> list[Found]:
    """The requests that have not ended yet."""
    table = schema.opens
    query = select(table.c.entry).order_by(table.c.id, table.c.call_id)
    if request_id is not None:
        query = query.where(table.c.id == request_id)
    opened = [msgspec.json.decode(entry, type=Opened) for (entry,) in connection.execute(query)]
    found = (rows.unsettled(list(group)) for _, group in groupby(opened, key=lambda one: one.id))
    return [Found(one, "", "open") for one in found if tenant is None or one.caller.tenant == tenant]


def horizon(connection: Connection) -> int:
    """Single requests from before have been deleted (seconds since the epoch)."""
    value = connection.execute(select(schema.meta.c.value).where(schema.meta.c.name == HORIZON)).scalar()
    return int(value) if value else 0


def query_types(store: Store, tenant: str | None = None) -> list[QueryType]:
    """All query types of a tenant, or of all. Raises ``StoreError``."""
    table = schema.query_types
    query = select(table) if tenant is None else select(table).where(table.c.tenant == tenant)
    with store.reading() as connection:
        found = connection.execute(query).all()
    return [
        QueryType(id_, of, name, first / 1e6, last / 1e6, example_id or None, example, None if cost < 0 else cost)
        for of, id_, name, first, last, example_id, _, cost, example in found
    ]


def _complete(connection: Connection, found: Sequence[Any]) -> list[Found]:
    """Requests with their calls and savings, by their numbers."""
    seqs = [row[0] for row in found]
    parts: list[dict[int, list[Any]]] = []
    for table in (schema.calls, schema.savings):
        its: defaultdict[int, list[Any]] = defaultdict(list)
        for start in range(0, len(seqs), AT_ONCE):
            few = table.c.seq.in_(seqs[start : start + AT_ONCE])
            for row in connection.execute(select(table).where(few).order_by(table.c.seq, table.c.number)):
                its[row[0]].append(row)
        parts.append(its)
    return _built(found, *parts)


def _joined(connection: Connection, found: Sequence[Any], query: Select[Any]) -> list[Found]:
    """The same for very many: by the query that found them."""
    chosen = query.with_only_columns(schema.requests.c.seq).subquery()
    parts: list[dict[int, list[Any]]] = []
    for table in (schema.calls, schema.savings):
        its: defaultdict[int, list[Any]] = defaultdict(list)
        for row in connection.execute(select(table).join(chosen, table.c.seq == chosen.c.seq)):
            its[row[0]].append(row)
        parts.append({seq: sorted(group, key=lambda row: row[1]) for seq, group in its.items()})
    return _built(found, *parts)


def _built(found: Iterable[Any], calls: dict[int, list[Any]], savings: dict[int, list[Any]]) -> list[Found]:
    return [Found(*rows.request_of(row, calls.get(row[0], ()), savings.get(row[0], ()))) for row in found]


def _spanned(span: Span) -> Iterable[ColumnElement[bool]]:
    ts = schema.requests.c.ts
    if span.since is not None:
        yield ts >= span.since
    if span.until is not None:
        yield ts < span.until


def _conditions(where: Filter) -> Iterable[ColumnElement[bool]]:
    table, calls = schema.requests, schema.calls
    for name in ("tenant", "user", "feature", "session", "provider", "query_type", "status", "cache"):
        value = getattr(where, name)
        if value is not None:
            yield table.c[name] == value
    if where.model is not None:
        yield or_(table.c.model == where.model, table.c.served_model == where.model)
    if where.source is not None:
        if where.source in {"unpriced", "unsettled"}:  # rare and looked for: there is an index of them
            chosen = select(calls.c.seq).where(calls.c.cost.is_(None), calls.c.cost_source == where.source)
            yield table.c.seq.in_(chosen)
        else:
            yield exists().where(calls.c.seq == table.c.seq, calls.c.cost_source == where.source)
    if where.failed is not None:
        failed = or_(func.ifnull(table.c.status, 0) >= 400, table.c.error.is_not(None))
        yield failed if where.failed else ~failed
    yield from _spanned(Span(*(None if at is None else micro(at) for at in (where.since, where.until))))


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
