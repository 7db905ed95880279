"""A stored answer in the caller's own mode: in one piece, or as a stream."""

from __future__ import annotations

from farthing.exchange import Exchange, Reply, Write
from farthing.levers.recall.answer import Answer
from farthing.types import Headers


def replay(exchange: Exchange, answer: Answer) -> Reply:
    """The answer as this request would have got it from the provider."""
    wire, facts = exchange.wire, exchange.facts
    if not facts.stream:
        body = wire.to_plain(answer.body) if answer.streamed else answer.body
        return Reply(200, [(b"content-type", b"application/json")], body)
    if answer.streamed:
        events = wire.restream(answer.body, include_usage=facts.include_usage)
    else:
        events = wire.to_stream(answer.body, include_usage=facts.include_usage)
    headers: Headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
    stream = b"".join(events)

    async def play(write: Write) -> None:
        await write(stream)

    return Reply(200, headers, pump=play)
