"""The sums of ``sums`` over single rows, done by the database: for reports whose span cuts through a bucket.

A test holds it against ``sums.Sums``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import add
from typing import Any

from farthing.ledger.rollup import CLIENT_GONE, GRAIN, MEASURES, TOKENS, Key, Vector, start_of
from farthing.ledger.span import Span
from farthing.ledger.store import Connection

BILLED_MODEL = "coalesce(nullif(c.model_reported, ''), nullif(c.model, ''), '')"


def _answered(of_call: str, of_request: str) -> str:
    """As ``rollup.answered_by``."""
    last = f"SELECT {of_call} FROM calls c WHERE c.seq = r.seq AND c.purpose = 'answer' ORDER BY c.number DESC LIMIT 1"  # noqa: S608
    return f"coalesce(({last}), {of_request}, '')"


REQUEST_KEY = {
    "total": "''",
    "feature": "coalesce(r.feature, '')",
    "user": """coalesce(r."user", '')""",
    "query_type": "r.query_type",
    "status": "coalesce(CAST(r.status AS TEXT), '')",
    "model": _answered(BILLED_MODEL, "nullif(r.served_model, ''), nullif(r.model, '')"),
    "provider": _answered("c.provider", "r.provider"),
}
"""Dimension → the key that a request is counted under."""
CALL_KEY = {**REQUEST_KEY, "model": BILLED_MODEL, "provider": "c.provider"}
"""The same for a provider call."""
LINE_KEYS = ("feature", "user", "query_type", "model", "provider")


def _number(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"


_OF_REQUESTS = {
    "requests": "count(*)",
    "errors": _number(f"coalesce(r.status, 0) >= 400 OR r.error <> '{CLIENT_GONE}'"),
    "saved": "sum(r.baseline - r.cost)",
    "would_save": "sum((SELECT sum(s.nano) FROM savings s WHERE s.seq = r.seq AND s.would))",
    "hits_exact": _number("r.cache = 'exact'"),
    "hits_semantic": _number("r.cache = 'semantic'"),
    "misses": _number("r.cache = 'miss'"),
    "would_exact": _number("r.would_cache = 'exact'"),
    "would_semantic": _number("r.would_cache = 'semantic'"),
    "would_miss": _number("r.would_cache = 'miss'"),
}
_OF_CALLS = {
    "calls": "count(*)",
    "cost": "sum(c.cost)",
    **{name: _number(f"c.cost_source = '{name}'") for name in ("unpriced", "unsettled", "estimated")},
    **{name: f"sum(c.{name})" for name in TOKENS},
}
_OF_LEVERS = {"requests": "count(*)", "saved": "sum(l.saved)", "would_save": "sum(l.would)"}
_LEVERS = """(
    SELECT seq, lever, sum(saved) AS saved, sum(would) AS would FROM (
        SELECT r.seq, s.lever, s.nano AS saved, 0 AS would FROM requests r JOIN savings s ON s.seq = r.seq
        WHERE NOT s.would AND r.cost IS NOT NULL AND r.baseline IS NOT NULL AND {within}
        UNION ALL
        SELECT r.seq, s.lever, 0, s.nano FROM requests r JOIN savings s ON s.seq = r.seq WHERE s.would AND {within}
        UNION ALL
        SELECT seq, '', rest, 0 FROM (
            SELECT r.seq, r.baseline - r.cost - coalesce(
                (SELECT sum(s.nano) FROM savings s WHERE s.seq = r.seq AND NOT s.would), 0) AS rest
            FROM requests r WHERE {within}
        ) AS rests WHERE rest <> 0
    ) AS amounts GROUP BY seq, lever
) AS l"""
"""As ``rollup.shares``, and what would have been saved: one row a request and lever."""


def edge_sums(connection: Connection, dim: str, edge: Span, tenant: str | None) -> dict[Key, Vector]:
    """As the sums of the requests in a part of one bucket of a dimension."""
    within = "r.ts >= :since AND r.ts < :until" + ("" if tenant is None else " AND r.tenant = :tenant")
    values = {"since": edge.since, "until": edge.until, "tenant": tenant}
    start = start_of(edge.since or 0, GRAIN[dim])
    found: dict[Key, Vector] = {}
    for measures, key, source in _queries(dim, within):
        query = (
            f"SELECT r.tenant, {key} AS k, {', '.join(measures.values())} "  # noqa: S608 - our own
            f"FROM {source} WHERE {within} GROUP BY r.tenant, k"
        )
        for its, name, *sums in connection.execute(query, values):
            _add(found, (dim, start, its, name), dict(zip(measures, sums, strict=True)))
    return found


def edge_lines(connection: Connection, edge: Span, tenant: str | None) -> Iterable[tuple[Any, ...]]:
    """Of each request: time, tenant, the keys of ``LINE_KEYS``, and its value in each of ``rollup.METRICS``."""
    keys = ", ".join(REQUEST_KEY[dim] for dim in LINE_KEYS)
    return connection.execute(
        f"SELECT r.ts, r.tenant, {keys}, r.cost, r.latency, r.ttft, r.overhead FROM requests r "  # noqa: S608
        "WHERE r.ts >= :since AND r.ts < :until AND r.tenant = coalesce(:tenant, r.tenant)",
        {"since": edge.since, "until": edge.until, "tenant": tenant},
    )


def _queries(dim: str, within: str) -> Iterable[tuple[Mapping[str, str], str, str]]:
    """What is summed up, under which key, from where."""
    if dim == "lever":
        yield _OF_LEVERS, "l.lever", f"{_LEVERS.format(within=within)} JOIN requests r ON r.seq = l.seq"
    else:
        yield _OF_REQUESTS, REQUEST_KEY[dim], "requests r"
        yield _OF_CALLS, CALL_KEY[dim], "requests r JOIN calls c ON c.seq = r.seq"


def _add(found: dict[Key, Vector], key: Key, named: Mapping[str, int | None]) -> None:
    vector = [named.get(name) or 0 for name in MEASURES]
    found[key] = list(map(add, found[key], vector)) if key in found else vector
