"""The stage that translates: the request into the words of the API that is spoken where it goes, the reply back.

A request that goes where its own API is spoken is not touched, unless it holds what another model's answer has left, or
what that endpoint is known to refuse.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache, partial

import msgspec

from farthing import tokens
from farthing.errors import BadRequest, UpstreamError
from farthing.exchange import Exchange, Finished, Handler, Peek, Pump, Reply, Write, prompt_of
from farthing.types import Headers
from farthing.upstream.credentials import presented
from farthing.upstream.pool import EVENT_STREAM, content_type
from farthing.wire.translate.bridge import CHAT, COUNTED, MESSAGES, PATHS, barred
from farthing.wire.translate.conversation import Conversation, Traits
from farthing.wire.translate.crossing import Backwards, Crossing, conversation
from farthing.wire.translate.errors import crossing_headers
from farthing.wire.translate.mending import MENDABLE, mended
from farthing.wire.translate.particular import is_particular, refuses

ANTHROPIC_VERSION = (b"anthropic-version", b"2023-06-01")
_STAYS = (b"anthropic-", b"openai-", b"x-stainless-")
"""Beginnings of request headers that mean nothing to the other API."""
_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"api-key"})
TraitsOf = Callable[[str, str | None], Traits]
"""(provider, model) → what has to be known of it."""
REMEMBERED = 2048
"""Names of models come from clients."""
JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


class Cross:
    """Knows the models well enough to speak with each."""

    def __init__(self, traits_of: TraitsOf) -> None:
        self._traits_of: TraitsOf = lru_cache(REMEMBERED)(traits_of)

    def stage(self, exchange: Exchange, following: Handler) -> Awaitable[Reply]:
        """The next stage's reply, translated if the request had to be. Raises ``RequestError``."""
        wire = exchange.target.wire or self._own(exchange)
        if wire == COUNTED:
            return _counted(exchange)
        if wire is not None:
            return self._crossed(exchange, wire, following)
        return following(_mended(exchange) if exchange.wire.name in MENDABLE else exchange)

    def _own(self, exchange: Exchange) -> str | None:
        """The client's own wire, where the request has what this endpoint is known to refuse and can do without."""
        if exchange.wire.name != CHAT:
            return None
        traits = self._traits_of(exchange.target.provider, exchange.target.model)
        if not is_particular(traits) or not refuses(traits, exchange.body):
            return None
        try:
            return None if barred(conversation_of(exchange).needs, CHAT) else CHAT
        except BadRequest:
            return None  # the endpoint says what is wrong with it

    async def _crossed(self, exchange: Exchange, wire: str, following: Handler) -> Reply:
        target = exchange.target
        said = msgspec.structs.replace(conversation_of(exchange), model=target.model or "")
        traits = self._traits_of(target.provider, target.model)
        crossing = Crossing(exchange.wire.name, exchange.body, said, wire, traits, created=int(exchange.ts))
        own = wire == exchange.wire.name
        exchange.tally.route = f"written again for {target.provider}" if own else f"translated to {wire}"
        reply = await following(_translation(exchange, crossing, wire))
        exchange.tally.left_out = crossing.dropped
        return _back(reply, crossing)


async def _counted(exchange: Exchange) -> Reply:
    """How many tokens the request has, as far as can be told without asking. Raises ``BadRequest``."""
    conversation(MESSAGES, exchange.body)  # what is no conversation has no length either
    exchange.tally.route = "counted here, an estimate"
    prompt = prompt_of(exchange)
    counted = tokens.estimate(prompt, "", exchange.target.model, body_bytes=len(exchange.body)).input
    return Reply(200, [JSON], msgspec.json.encode({"input_tokens": counted}))


def _mended(exchange: Exchange) -> Exchange:
    """The request without what another model's answer has left in it; nearly always the very same."""
    body, left_out = mended(exchange.wire.name, exchange.body)
    if body is exchange.body:
        return exchange
    exchange.tally.left_out = left_out
    return msgspec.structs.replace(exchange, body=body)


def conversation_of(exchange: Exchange) -> Conversation:
    """What the request asks for. Raises ``BadRequest``."""
    tally = exchange.tally
    if tally.conversation is None:
        tally.conversation = conversation(exchange.wire.name, exchange.body)
    return tally.conversation


def _translation(exchange: Exchange, crossing: Crossing, wire: str) -> Exchange:
    """The request as its provider gets it. A client's own key goes along in the way that is usual there."""
    target = exchange.target
    return msgspec.structs.replace(
        exchange,
        path=PATHS[wire],
        headers=_outward(exchange.headers, wire),
        body=crossing.body,
        wire=crossing.wire,
        facts=msgspec.structs.replace(exchange.facts, include_usage=True),
        target=msgspec.structs.replace(target, key=target.key or presented(exchange.headers), wire=None),
        client=exchange,
        translated=partial(_translated, exchange, crossing),
    )


def _outward(headers: Headers, wire: str) -> Headers:
    kept = [header for header in headers if header[0] not in _CREDENTIALS and not header[0].startswith(_STAYS)]
    return [*kept, ANTHROPIC_VERSION] if wire.startswith("anthropic") else kept


def _back(reply: Reply, crossing: Crossing) -> Reply:
    """The reply as the client's API has it."""
    crossed = crossing_headers(reply.headers, crossing.wire.api, crossing.api)
    headers = [header for header in crossed if header[0] != b"content-type"]
    if reply.pump is not None:
        backwards = crossing.stream()
        peek = None if reply.peek is None else _peeking(reply.peek, crossing)
        return Reply(reply.status, [*headers, EVENTS], pump=_pumping(reply.pump, backwards), peek=peek)
    if reply.status >= 400:
        status, body = crossing.failure(reply.status, reply.body)
        return Reply(status, [*headers, JSON], body)
    if content_type(reply.headers) == EVENT_STREAM:
        return Reply(reply.status, [*headers, EVENTS], crossing.stream().feed(reply.body))
    try:
        return Reply(reply.status, [*headers, JSON], crossing.whole(reply.body))
    except (msgspec.MsgspecError, ValueError) as problem:
        raise UpstreamError(
            f"the provider's reply is not what its API says: {problem}", code="farthing_reply_not_understood"
        ) from problem


def _peeking(peek: Peek, crossing: Crossing) -> Peek:
    async def peeking() -> tuple[str, bytes] | None:
        said = await peek()
        return None if said is None else (said[0], crossing.stream().feed(said[1]))

    return peeking


def _pumping(pump: Pump, backwards: Backwards) -> Pump:
    async def pumping(write: Write) -> None:
        async def translated(chunk: bytes) -> None:
            if out := backwards.feed(chunk):
                await write(out)

        await pump(translated)
        if rest := backwards.rest():
            await write(rest)

    return pumping


def _translated(exchange: Exchange, crossing: Crossing, finished: Finished) -> Finished:
    """What a provider said, for those who learn from it: as if the client's API had said it."""
    if finished.body is None or finished.call.status != 200:
        return msgspec.structs.replace(finished, body=None)
    if not finished.streamed:
        body = crossing.whole(finished.body)
        outcome = exchange.wire.outcome(body, 200)
        return msgspec.structs.replace(finished, body=body, outcome=outcome)
    backwards = crossing.stream(include_usage=True)
    body = backwards.feed(finished.body) + backwards.rest()
    tap = exchange.wire.tap(msgspec.structs.replace(exchange.facts, include_usage=True))
    tap.feed(body)
    return msgspec.structs.replace(finished, body=body, outcome=tap.outcome(ended=True))
