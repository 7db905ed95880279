"""Entries of the journal ⇄ rows of the tables, in the order of the columns in ``schema``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from farthing.ledger.records import Call, Opened, Settled, Shape
from farthing.ledger.rollup import MICRO, TOKENS
from farthing.types import Caller, Usage

Row = Sequence[Any]
"""What a database driver takes and gives."""

State = Literal["settled", "unsettled", "open"]
"""``unsettled``: its process died before it ended. ``open``: it is under way."""

_NO_USAGE = (None,) * len(TOKENS)
_FIRST_TOKEN = 13
_BEHIND_TOKENS = _FIRST_TOKEN + len(TOKENS)
_tags = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def request_row(seq: int, request: Settled, query_type: str, state: State = "settled") -> Row:
    """A row of ``requests``."""
    caller, shape = request.caller, request.shape
    return (
        seq,
        request.id,
        state,
        round(request.ts * MICRO),
        caller.tenant,
        caller.user,
        caller.feature,
        caller.session,
        msgspec.json.encode(caller.tags).decode() if caller.tags else None,
        query_type,
        request.wire,
        request.path,
        request.provider,
        request.model,
        request.served_model,
        1 if request.stream else 0,  # sqlite3 is ten times slower with a bool
        request.status,
        request.error,
        request.cache,
        request.would_cache,
        request.route,
        request.cost_nano,
        request.baseline_nano,
        request.latency_us,
        request.ttft_us,
        request.overhead_us,
        (shape.example or None) if shape else None,
    )


def call_row(seq: int, number: int, call: Call) -> Row:
    """A row of ``calls``."""
    return (
        seq,
        number,
        call.id,
        call.purpose,
        call.provider,
        call.model,
        call.model_reported,
        round(call.started * MICRO),
        call.status,
        call.error,
        call.finish_reason,
        call.provider_request_id,
        call.service_tier,
        *(_NO_USAGE if call.usage is None else msgspec.structs.astuple(call.usage)),
        call.raw_usage,
        call.cost_nano,
        call.cost_source,
        call.price_version,
        call.latency_us,
        call.ttft_us,
    )


def saving_rows(seq: int, request: Settled) -> Iterable[Row]:
    """Rows of ``savings``."""
    both = [(*pair, 0) for pair in request.saved] + [(*pair, 1) for pair in request.would_save]
    return ((seq, number, *saving) for number, saving in enumerate(both))


def request_of(row: Row, calls: Iterable[Row], savings: Sequence[Row]) -> tuple[Settled, str, State]:
    """The request that was written as these rows, its query type and state. Of its shape only the example is kept."""
    (_, id_, state, ts, tenant, user, feature, session, tags, query_type, wire, path, provider) = row[:13]
    (model, served_model, stream, status, error, cache, would_cache, route) = row[13:21]
    (cost, baseline, latency, ttft, overhead, example) = row[21:]
    request = Settled(
        id=id_,
        ts=ts / MICRO,
        caller=Caller(tenant, user, feature, session, _tags.decode(tags) if tags else ()),
        wire=wire,
        path=path,
        provider=provider,
        model=model,
        served_model=served_model,
        stream=bool(stream),
        status=status,
        error=error,
        cache=cache,
        would_cache=would_cache,
        route=route,
        calls=tuple(map(call_of, calls)),
        cost_nano=cost,
        baseline_nano=baseline,
        saved=tuple((saving[2], saving[3]) for saving in savings if not saving[4]),
        would_save=tuple((saving[2], saving[3]) for saving in savings if saving[4]),
        latency_us=latency,
        ttft_us=ttft,
        overhead_us=overhead,
        shape=None if example is None else Shape("", example=example),
    )
    return request, query_type, state


def call_of(row: Row) -> Call:
    """The call that was written as this row."""
    (_, _, id_, purpose, provider, model, reported, started, status, error, finish, request_id, tier) = row[
        :_FIRST_TOKEN
    ]
    raw_usage, cost, source, version, latency, ttft = row[_BEHIND_TOKENS:]
    tokens = row[_FIRST_TOKEN:_BEHIND_TOKENS]
    return Call(
        id_,
        provider,
        model,
        started / MICRO,
        purpose,
        reported,
        status,
        error,
        finish,
        request_id,
        tier,
        None if tokens[0] is None else Usage(*tokens),
        raw_usage,
        cost,
        source,
        version,
        latency,
        ttft,
    )


def unsettled(opened: Sequence[Opened]) -> Settled:
    """What is known of a request that was opened (once an attempt) and has not ended."""
    first = opened[0]
    calls = tuple(
        Call(one.call_id, one.provider or "", one.model, one.ts, cost_source="unsettled")
        for one in opened
        if one.call_id is not None
    )
    return Settled(
        id=first.id,
        ts=first.ts,
        caller=first.caller,
        wire=first.wire,
        path=first.path,
        provider=first.provider,
        model=first.model,
        stream=first.stream,
        calls=calls,
    )
