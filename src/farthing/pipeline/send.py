"""The innermost stage: one call of a provider, in the ledger before it is made and when it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from farthing.errors import UpstreamError
from farthing.exchange import Exchange, Reply
from farthing.ledger.records import Opened
from farthing.pipeline.attempt import Attempt
from farthing.pipeline.drain import Drains, Nowhere
from farthing.pipeline.settle import Journal
from farthing.pipeline.settlement import (
    CLIENT_GONE,
    CUT,
    NOT_SENT,
    cause,
)
from farthing.pipeline.stream import BrokenOff, Stream
from farthing.policy import Provider
from farthing.types import Outcome
from farthing.upstream.credentials import outgoing, returned
from farthing.upstream.pool import EVENT_STREAM, Cut, Pending, Pool, Response
from farthing.wire.base import Wire
from farthing.wire.reading import is_json


class Sender:
    """Sends exchanges to their providers."""

    def __init__(
        self,
        *,
        pool: Pool,
        pools: Mapping[str, Pool],
        providers: Mapping[str, Provider],
        journal: Journal,
        attempt: Callable[[Exchange], Attempt],
        settle: Callable[[Exchange], None],
        meanwhile: Callable[[Exchange], None],
        drains: Drains,
    ) -> None:
        """``pools``: those of providers that are not reached like the others."""
        self._pools = pools
        self._pool, self._providers, self._journal, self._attempt = pool, providers, journal, attempt
        self._settle, self._meanwhile, self._drains = settle, meanwhile, drains

    async def handle(self, exchange: Exchange) -> Reply:
        """The provider's reply; raises ``UpstreamError``."""
        attempt, provider = self._attempt(exchange), self._providers[exchange.target.provider]
        self._journal.append(_opened(exchange, attempt.id))
        self._journal.flush()
        pending: Pending | None = None
        try:
            pending = self._pools.get(exchange.target.provider, self._pool).send(
                exchange.method,
                exchange.target.url,
                outgoing(exchange.headers, provider.scheme, exchange.target.key),
                exchange.upload or _body(exchange, provider),
            )
            asyncio.get_running_loop().call_soon(self._meanwhile, exchange)
            return await self._reply(exchange, attempt, pending)
        except BaseException as problem:
            try:
                await self._read_on(problem, exchange, attempt, pending)
            finally:
                attempt.end(Outcome(), _why(problem, pending))
                if pending is not None:
                    pending.close()
            raise

    async def _reply(self, exchange: Exchange, attempt: Attempt, pending: Pending) -> Reply:
        """Who was cancelled may call it again."""
        response = await pending.response()
        attempt.answered(response)
        if attempt.kind == EVENT_STREAM or exchange.upload is not None or exchange.wire.name.endswith(".other"):
            return self._streamed(exchange, attempt, response)
        return await self._whole(exchange, attempt, response)

    async def _read_on(
        self, problem: BaseException, exchange: Exchange, attempt: Attempt, pending: Pending | None
    ) -> None:
        """If the client left before the reply had begun: its bill may still be had."""

        async def read(sent: Pending) -> None:
            with suppress(BrokenOff):
                reply = await self._reply(exchange, attempt, sent)
                if reply.pump is not None:
                    await reply.pump(Nowhere())

        if pending is None or not pending.sent:
            return
        if self._drains.wanted(problem, exchange, free=not exchange.facts.stream):
            await self._drains.run(exchange, partial(read, pending))

    async def _whole(self, exchange: Exchange, attempt: Attempt, response: Response) -> Reply:
        try:
            body = await response.read()
        except Cut as problem:
            attempt.waited()
            attempt.end(Outcome(), CUT)
            raise UpstreamError(
                f"the provider broke off inside its reply: {problem}", code="farthing_upstream_cut"
            ) from problem
        attempt.waited()
        wire = exchange.wire
        outcome = wire.outcome(body, response.status)
        attempt.end(outcome, ended=True, text=lambda: said(wire, body), learn=lambda: body)
        return Reply(response.status, returned(response.headers), body)

    def _streamed(self, exchange: Exchange, attempt: Attempt, response: Response) -> Reply:
        stream = Stream(exchange, attempt, response, self._drains, self._settle)
        attempt.waited()
        is_events = attempt.kind == EVENT_STREAM
        headers = returned(response.headers, whole=not is_events)
        return Reply(response.status, headers, pump=stream.pump, peek=stream.peek if is_events else None)


def _body(exchange: Exchange, provider: Provider) -> bytes:
    """What goes out. Where a stream's usage may not be asked for, not a byte is added."""
    if provider.quirks.stream_options:
        return exchange.wire.outgoing(exchange.body, exchange.facts)
    return exchange.body


def _why(problem: BaseException, pending: Pending | None) -> str:
    """Why there is no reply."""
    reason = cause(problem)
    return NOT_SENT if reason == CLIENT_GONE and (pending is None or not pending.sent) else reason


def said(wire: Wire, body: bytes) -> str:
    """The text of a reply in one piece; of one that is no JSON, all of it: something was generated, and is billed."""
    return wire.text(body) or ("" if is_json(body) else body.decode("utf-8", "replace"))


def _opened(exchange: Exchange, call_id: str) -> Opened:
    asked = exchange.client or exchange
    return Opened(
        id=exchange.id,
        ts=exchange.ts,
        caller=exchange.caller,
        wire=asked.wire.name,
        path=asked.path.partition("?")[0],
        provider=exchange.target.provider,
        model=exchange.facts.model,
        stream=exchange.facts.stream,
        call_id=call_id,
    )
