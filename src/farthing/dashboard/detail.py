"""A ledger record → a line of the list, or the page of one request. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from farthing.dashboard import text
from farthing.dashboard.view import Call, Detail, Line
from farthing.types import CostSource

if TYPE_CHECKING:
    from farthing.ledger import records

WORST_FIRST: tuple[CostSource, ...] = ("unsettled", "unpriced", "estimated", "usage")


def line(settled: records.Settled) -> Line:
    """One request of the list."""
    caller = settled.caller
    cost, baseline = settled.cost_nano, settled.baseline_nano
    return Line(
        id=settled.id,
        ts=settled.ts,
        tenant=caller.tenant,
        feature=caller.feature,
        user=caller.user,
        model=settled.model,
        status=settled.status,
        error=settled.error,
        cache=settled.cache,
        tokens=_tokens(settled.calls),
        cost=cost,
        source=worst(call.cost_source for call in settled.calls),
        saved=None if cost is None or baseline is None else baseline - cost,
    )


def worst(sources: Iterable[CostSource]) -> CostSource:
    """The least sure of the sources; a request without a call that is billed is ``free``."""
    found = set(sources)
    for source in WORST_FIRST:
        if source in found:
            return source
    return "free"


def detail(settled: records.Settled, query_type: str | None = None) -> Detail:
    """Everything known of one request."""
    return Detail(
        line=line(settled),
        question=settled.shape.example if settled.shape else "",
        facts=_present(_request_facts(settled, query_type)),
        saved=settled.saved,
        would_save=settled.would_save,
        baseline=settled.baseline_nano,
        calls=tuple(_call(call) for call in settled.calls),
    )


def _request_facts(settled: records.Settled, query_type: str | None) -> Iterable[tuple[str, object]]:
    caller = settled.caller
    yield "Time", text.iso(settled.ts)
    yield "Tenant", caller.tenant
    yield "User", caller.user
    yield "Feature", caller.feature
    yield "Session", caller.session
    yield "Tags", ", ".join(f"{name}={value}" for name, value in caller.tags)
    yield "Query type", query_type
    yield "Path", settled.path
    yield "Model asked for", settled.model
    yield "Streamed", "yes" if settled.stream else "no"
    yield "Status", settled.status
    yield "Error", settled.error
    yield "Cache", settled.cache
    yield "Cache would say", settled.would_cache
    yield "Route", settled.route
    yield from _times(settled.latency_us, settled.ttft_us)
    yield "farthing's share", settled.overhead_us if settled.overhead_us is None else text.duration(settled.overhead_us)


def _call(call: records.Call) -> Call:
    return Call(
        title=f"{call.purpose}: {call.model or 'no model'} at {call.provider}",
        cost=call.cost_nano,
        source=call.cost_source,
        facts=_present(_call_facts(call)),
        tokens=tuple((name.replace("_", " "), number) for name, number in _classes(call) if number),
        raw_usage=call.raw_usage or "",
    )


def _call_facts(call: records.Call) -> Iterable[tuple[str, object]]:
    yield "Price", call.price_version
    yield "Model reported", call.model_reported
    yield "Service tier", call.service_tier
    yield "Status", call.status
    yield "Error", call.error
    yield "Ended with", call.finish_reason
    yield from _times(call.latency_us, call.ttft_us)
    yield "Provider's id", call.provider_request_id
    yield "Call", call.id


def _times(latency_us: int | None, ttft_us: int | None) -> Iterable[tuple[str, object]]:
    yield "Took", None if latency_us is None else text.duration(latency_us)
    yield "First token after", None if ttft_us is None else text.duration(ttft_us)


def _present(facts: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in facts if value is not None and value != "")


def _classes(call: records.Call) -> Iterable[tuple[str, int]]:
    return msgspec.structs.asdict(call.usage).items() if call.usage else ()


def _tokens(calls: Sequence[records.Call]) -> int | None:
    """All billed tokens; ``None`` if no call says how many."""
    known = [call.usage for call in calls if call.usage is not None]
    if not known:
        return None if calls else 0
    return sum(usage.prompt_tokens + usage.output + usage.output_audio + usage.output_image for usage in known)
