"""A ledger record as the contract's JSON: the same at the command line and in the API. Money in nano-dollars."""

from __future__ import annotations

import msgspec

from farthing.ledger.records import Call, Settled
from farthing.types import Usage

Json = dict[str, object]


def request(settled: Settled, query_type: str | None, state: str = "settled") -> Json:
    """One request with its provider calls; what is not known is ``None``.

    ``ts`` is in seconds since the epoch, ``query_type`` a name in plain words.
    """
    caller = settled.caller
    return {
        "id": settled.id,
        "ts": settled.ts,
        "state": state,
        "tenant": caller.tenant,
        "user": caller.user,
        "feature": caller.feature,
        "session": caller.session,
        "tags": dict(caller.tags),
        "query_type": query_type,
        "wire": settled.wire,
        "path": settled.path,
        "provider": settled.provider,
        "model": settled.model,
        "served_model": settled.served_model,
        "stream": settled.stream,
        "status": settled.status,
        "error": settled.error,
        "cache": settled.cache,
        "would_cache": settled.would_cache,
        "route": settled.route,
        "cost_nano_usd": settled.cost_nano,
        "baseline_nano_usd": settled.baseline_nano,
        "saved_nano_usd": dict(settled.saved),
        "would_save_nano_usd": dict(settled.would_save),
        "latency_us": settled.latency_us,
        "ttft_us": settled.ttft_us,
        "overhead_us": settled.overhead_us,
        "example": settled.shape.example or None if settled.shape else None,
        "calls": [call(one) for one in settled.calls],
    }


def call(one: Call) -> Json:
    """One provider call. ``tokens`` are all classes, ``None`` if no usage is known."""
    return {
        "id": one.id,
        "purpose": one.purpose,
        "provider": one.provider,
        "model": one.model,
        "model_reported": one.model_reported,
        "started": one.started,
        "status": one.status,
        "error": one.error,
        "finish_reason": one.finish_reason,
        "provider_request_id": one.provider_request_id,
        "service_tier": one.service_tier,
        "tokens": tokens(one.usage),
        "raw_usage": one.raw_usage,
        "cost_nano_usd": one.cost_nano,
        "cost_source": one.cost_source,
        "price_version": one.price_version,
        "latency_us": one.latency_us,
        "ttft_us": one.ttft_us,
    }


def tokens(usage: Usage | None) -> dict[str, int] | None:
    """Every class, also those that are 0."""
    return None if usage is None else msgspec.structs.asdict(usage)
