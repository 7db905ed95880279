"""From a reply that has ended to the answer that is kept of it, if it may be kept."""

from __future__ import annotations

from farthing.exchange import Exchange, Finished
from farthing.levers.recall.admit import storable
from farthing.levers.recall.answer import Answer
from farthing.wire import sse


def may_keep(exchange: Exchange, finished: Finished) -> bool:
    """Whether this reply is what the next one who asks would want."""
    asked = exchange.target
    if (finished.call.provider, finished.call.model) != (asked.provider, asked.model):
        return False  # another model took over; the next one who asks shall get what he asks for
    status, outcome, body = finished.call.status or 0, finished.outcome, finished.body
    if storable(exchange.wire.operation, status, outcome, body, _text(exchange, finished)) is not None:
        return False
    # An event that broke one client would break every later one.
    return not finished.streamed or body is None or sse.is_sound(body)


def answer_of(exchange: Exchange, finished: Finished, body: bytes, ttl_s: float) -> Answer:
    """What the store takes, good for ``ttl_s`` seconds."""
    call, now = finished.call, exchange.ts
    return Answer(
        wire=exchange.wire.name,
        stored_at=now,
        expires_at=now + ttl_s,
        streamed=finished.streamed,
        body=body,
        content_type=finished.content_type,
        model=call.model,
        model_reported=call.model_reported,
        provider=call.provider,
        finish_reason=call.finish_reason,
        usage=call.usage,
        cost_nano=call.cost_nano,
        price_version=call.price_version,
        tenant=exchange.caller.tenant,
        feature=exchange.caller.feature,
        request_id=exchange.id,
        latency_us=call.latency_us,
    )


def _text(exchange: Exchange, finished: Finished) -> str | None:
    """What the reply says; for one that was billed for output it is enough to know that it says something."""
    if finished.body is None or exchange.wire.operation == "embeddings":
        return None
    if finished.outcome.usage is not None and finished.outcome.usage.output:
        return "something"
    return exchange.wire.text(exchange.wire.to_plain(finished.body) if finished.streamed else finished.body)
