"""The ledger as a provider's statement would have it: calls by day, provider and model, and single ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec

from farthing.ledger.edges import BILLED_MODEL
from farthing.ledger.rollup import DAY, MICRO, TOKENS, micro
from farthing.ledger.store import Connection

SLACK_S = DAY
"""So much later than its request a call may begin, a batch's at most."""


class Wanted(msgspec.Struct, frozen=True):
    """Which calls: seconds since the epoch, names of providers, kinds; ``None`` is all."""

    since: float | None = None
    until: float | None = None
    providers: frozenset[str] | None = None
    wires: tuple[str, ...] | None = None


class Billed(msgspec.Struct, frozen=True):
    """The calls of one day, provider and model that may be on a bill."""

    day: int
    """Its start (UTC), seconds since the epoch."""
    provider: str
    model: str
    calls: int
    """Whose ending is known."""
    tokens: dict[str, int]
    cost_nano: int
    unpriced: int
    unsettled: int
    estimated: int
    tiers: frozenset[str]
    versions: frozenset[str]


class OneCall(NamedTuple):
    """A single call."""

    request: str
    number: int
    provider: str
    model: str
    started: float
    latency_us: int | None
    provider_request_id: str | None
    cost_source: str
    cost_nano: int | None
    tokens: dict[str, int] | None


_FROM = (
    "FROM requests r JOIN calls c ON c.seq = r.seq WHERE c.cost_source <> 'free' "
    "AND (:since IS NULL OR (c.started >= :since AND r.ts >= :since - :slack)) "
    "AND (:until IS NULL OR (c.started < :until AND r.ts < :until)) "
    "AND (:providers IS NULL OR c.provider IN (SELECT value FROM json_each(:providers))) "
    "AND (:wires IS NULL OR r.wire IN (SELECT value FROM json_each(:wires))) "
)


def billed(connection: Connection, wanted: Wanted) -> list[Billed]:
    """Sums of the calls that may be on a bill: all but the free ones."""
    day = f"c.started / {DAY * MICRO} * {DAY}"
    sums = ", ".join(f"sum(coalesce(c.{name}, 0))" for name in TOKENS)
    sources = ", ".join(
        f"count(*) FILTER (WHERE c.cost_source = '{name}')" for name in ("unpriced", "unsettled", "estimated")
    )
    query = (
        f"SELECT {day} AS d, c.provider, {BILLED_MODEL} AS m, count(*), coalesce(sum(c.cost), 0), {sources}, "
        "json_group_array(DISTINCT coalesce(c.service_tier, '')), "
        "json_group_array(DISTINCT coalesce(c.price_version, '')), "
        f"{sums} {_FROM} GROUP BY d, c.provider, m"
    )
    found: list[Billed] = []
    for row in connection.execute(query, _values(wanted)):
        at, provider, model, calls, cost, unpriced, unsettled, estimated, tiers, versions, *tokens = row
        found.append(
            Billed(
                day=at,
                provider=provider,
                model=model,
                calls=calls - unsettled,
                tokens=dict(zip(TOKENS, tokens, strict=True)),
                cost_nano=cost,
                unpriced=unpriced,
                unsettled=unsettled,
                estimated=estimated,
                tiers=_names(tiers),
                versions=_names(versions),
            )
        )
    return found


def single_calls(connection: Connection, wanted: Wanted) -> Iterable[OneCall]:
    """Each of these calls."""
    query = (
        f"SELECT r.id, c.number, c.provider, {BILLED_MODEL}, c.started, c.latency, c.provider_request_id, "
        f"c.cost_source, c.cost, {', '.join(f'c.{name}' for name in TOKENS)} {_FROM}"
    )
    for row in connection.execute(query, _values(wanted)):
        request, number, provider, model, started, latency, id_, source, cost, *tokens = row
        usage = None if tokens[0] is None else dict(zip(TOKENS, tokens, strict=True))
        yield OneCall(request, number, provider, model, started / MICRO, latency, id_, source, cost, usage)


def _values(wanted: Wanted) -> dict[str, object]:
    since, until = (None if at is None else micro(at) for at in (wanted.since, wanted.until))
    return {
        "since": since,
        "until": until,
        "slack": SLACK_S * MICRO,
        "providers": _json(wanted.providers),
        "wires": _json(wanted.wires),
    }


def _json(names: Collection[str] | None) -> str | None:
    return None if names is None else msgspec.json.encode(sorted(names)).decode()


def _names(listed: str) -> frozenset[str]:
    return frozenset(msgspec.json.decode(listed, type=list[str])) - {""}
