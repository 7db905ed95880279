"""The sums of ``rollup`` over single rows, done by the database: for reports whose span cuts through a bucket.

Only for dimensions that are columns of ``requests``; a test holds it against ``rollup.Sums``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, Text, and_, case, cast, func, literal, or_, select

from farthing.ledger.rollup import CLIENT_GONE, GRAIN, MEASURES, MICRO, TOKENS, Key, Vector
from farthing.ledger.schema import calls, requests, savings
from farthing.ledger.span import Span

COLUMNS: dict[str, ColumnElement[Any]] = {
    "total": literal(""),
    "feature": requests.c.feature,
    "user": requests.c.user,
    "query_type": requests.c.query_type,
    "status": cast(requests.c.status, Text),
}
"""Dimension → its key."""


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


_is_error = or_(
    func.coalesce(requests.c.status, 0) >= 400, and_(requests.c.error.is_not(None), requests.c.error != CLIENT_GONE)
)
_OF_REQUESTS: dict[str, ColumnElement[int]] = {
    "requests": func.count(),
    "errors": _number(_is_error),
    "saved": func.sum(func.coalesce(requests.c.baseline - requests.c.cost, 0)),
    "hits_exact": _number(requests.c.cache == "exact"),
    "hits_semantic": _number(requests.c.cache == "semantic"),
    "misses": _number(requests.c.cache == "miss"),
    "would_exact": _number(requests.c.would_cache == "exact"),
    "would_semantic": _number(requests.c.would_cache == "semantic"),
    "would_miss": _number(requests.c.would_cache == "miss"),
}
_OF_SAVINGS: dict[str, ColumnElement[int]] = {"would_save": func.sum(savings.c.nano)}
_OF_CALLS: dict[str, ColumnElement[int]] = {
    "calls": func.count(),
    "cost": func.sum(func.coalesce(calls.c.cost, 0)),
    **{name: _number(calls.c.cost_source == name) for name in ("unpriced", "unsettled", "estimated")},
    **{name: func.sum(func.coalesce(calls.c[name], 0)) for name in TOKENS},
}


def edge_sums(connection: Connection, dim: str, edge: Span, tenant: str | None) -> dict[Key, Vector]:
    """As ``Sums(…).sums()`` of the requests in a span that is bounded at both ends, for one dimension."""
    width = GRAIN[dim] * MICRO
    labels = [
        (requests.c.ts // width * GRAIN[dim]).label("b"),
        requests.c.tenant.label("t"),
        func.coalesce(COLUMNS[dim], "").label("k"),
    ]
    found: dict[Key, Vector] = {}
    for measures, query in (
        (_OF_REQUESTS, select(*labels, *_OF_REQUESTS.values())),
        (
            _OF_SAVINGS,
            select(*labels, *_OF_SAVINGS.values()).join_from(requests, savings, _of(savings)).where(savings.c.would),
        ),
        (_OF_CALLS, select(*labels, *_OF_CALLS.values()).join_from(requests, calls, _of(calls))),
    ):
        for row in connection.execute(_bounded(query, edge, tenant)).all():
            bucket, tenant_, key, *sums = tuple[Any, ...](row)
            _add(found, (dim, bucket, tenant_, key), measures, sums)
    return found


def _of(table: Table) -> ColumnElement[bool]:
    return table.c.seq == requests.c.seq


def _bounded(query: Select[Any], edge: Span, tenant: str | None) -> Select[Any]:
    query = query.where(requests.c.ts >= edge.since, requests.c.ts < edge.until).group_by("b", "t", "k")
    return query if tenant is None else query.where(requests.c.tenant == tenant)


def _add(found: dict[Key, Vector], key: Key, names: Iterable[str], sums: Sequence[int]) -> None:
    named = dict(zip(names, sums, strict=True))
    vector = [named.get(name, 0) for name in MEASURES]
    found[key] = list(map(add, found[key], vector)) if key in found else vector
