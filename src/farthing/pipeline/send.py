"""The innermost stage: one call of a provider, in the ledger before it is made and when it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from farthing.errors import UpstreamError
from farthing.exchange import Exchange, Finished, Reply, Write
from farthing.ledger.records import Call, Opened
from farthing.pipeline.drain import Drains, Nowhere
from farthing.pipeline.settle import Journal
from farthing.pipeline.settlement import (
    CLIENT_GONE,
    CUT,
    NOT_SENT,
    TRUNCATED,
    Price,
    billable,
    cause,
    close_call,
    lacks_end,
)
from farthing.types import Outcome, Usage
from farthing.upstream.credentials import outgoing, returned
from farthing.upstream.pool import EVENT_STREAM, Cut, Pending, Pool, Response, content_type
from farthing.wire.base import Tap, Wire
from farthing.wire.errors import error_event
from farthing.wire.reading import is_json

Estimate = Callable[[Exchange, str], Usage | None]
"""(exchange, text of the reply) → tokens, for a reply that carried no usage; ``None`` if there is no telling."""


class BrokenOff(Exception):
    """The provider's stream broke off; the client has been told, its connection is to be closed."""


class Sender:
    """Sends exchanges to their providers."""

    def __init__(
        self,
        *,
        pool: Pool,
        journal: Journal,
        price_of: Callable[[Exchange], Price],
        estimate: Estimate,
        settle: Callable[[Exchange], None],
        meanwhile: Callable[[Exchange], None],
        monotonic: Callable[[], float],
        drains: Drains,
    ) -> None:
        self._pool, self._journal, self._settle, self._meanwhile = pool, journal, settle, meanwhile
        self._drains = drains
        self._attempt = partial(Attempt, price_of=price_of, estimate=estimate, monotonic=monotonic)

    async def handle(self, exchange: Exchange) -> Reply:
        """The provider's reply; raises ``UpstreamError``."""
        attempt = self._attempt(exchange)
        self._journal.append(_opened(exchange, attempt.id))
        pending: Pending | None = None
        try:
            pending = self._pool.send(
                exchange.method,
                exchange.target.url,
                outgoing(exchange.headers, exchange.wire.api, exchange.target.key),
                exchange.upload or exchange.wire.outgoing(exchange.body, exchange.facts),
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
        tap = exchange.wire.tap(exchange.facts)

        def end(*, ended: bool) -> None:
            attempt.end(tap.outcome(ended=ended), ended=ended, text=tap.text, learn=tap.recorded)

        async def pass_on(write: Write) -> None:
            await self._pass_on(exchange, attempt, response, tap, write, end)
            end(ended=True)

        async def pump(write: Write) -> None:
            try:
                await pass_on(write)
            except Cut as problem:
                attempt.end(tap.outcome(ended=False), CUT, text=tap.text)
                exchange.tally.error = exchange.tally.error or CUT
                if attempt.kind == EVENT_STREAM:
                    text = f"the provider broke off: {problem}"
                    await write(b"\n\n" + error_event(exchange.wire.api, "farthing_upstream_cut", text))
                raise BrokenOff from problem
            except BaseException as problem:
                try:
                    free = attempt.kind != EVENT_STREAM or _lacks_only_usage(tap)
                    if not tap.done and self._drains.wanted(problem, exchange, free=free):
                        await self._drains.run(exchange, partial(pass_on, Nowhere()))
                finally:
                    attempt.end(tap.outcome(ended=False), cause(problem), text=tap.text)
                raise
            finally:
                response.close()
            if rest := tap.rest():
                await write(rest)

        attempt.waited()
        headers = returned(response.headers, whole=attempt.kind != EVENT_STREAM)
        return Reply(response.status, headers, pump=pump)

    async def _pass_on(
        self,
        exchange: Exchange,
        attempt: Attempt,
        response: Response,
        tap: Tap,
        write: Write,
        end: Callable[..., None],
    ) -> None:
        """Chunk by chunk. The ledger is written before the chunk goes out by which the client knows it has all."""
        tally = exchange.tally
        async for chunk in response.chunks():
            out = tap.feed(chunk)
            if tally.first_byte_at is None:
                attempt.first_byte()
            if tap.done and not tally.settled:
                end(ended=False)
                self._settle(exchange)
            if out:
                await write(out)


class Attempt:
    """One call of a provider while it lasts; when it ends, it is priced and added to the tally, once."""

    __slots__ = (
        "_began",
        "_ended",
        "_estimate",
        "_exchange",
        "_monotonic",
        "_price_of",
        "_response",
        "_waited_before",
        "id",
        "kind",
    )

    def __init__(
        self,
        exchange: Exchange,
        *,
        price_of: Callable[[Exchange], Price],
        estimate: Estimate,
        monotonic: Callable[[], float],
    ) -> None:
        self.id = f"{exchange.id}.{len(exchange.tally.calls) + 1}"
        self.kind = ""
        """The media type of the reply."""
        self._exchange, self._price_of, self._estimate, self._monotonic = exchange, price_of, estimate, monotonic
        self._began = monotonic()
        self._response: Response | None = None
        self._waited_before = exchange.tally.upstream_s
        self._ended = False

    def answered(self, response: Response) -> None:
        """The reply's headers have arrived."""
        self._response = response
        self.kind = content_type(response.headers)

    def waited(self) -> None:
        """Until its latest bytes arrived it was the provider's time; what has passed since then is ours."""
        heard = self._response.heard if self._response else None
        self._exchange.tally.upstream_s = self._waited_before + (heard or self._monotonic()) - self._began

    def first_byte(self) -> None:
        """The first byte of a stream goes to the client."""
        self.waited()
        self._exchange.tally.first_byte_at = self._monotonic()

    def end(
        self,
        outcome: Outcome,
        error: str | None = None,
        *,
        ended: bool = False,
        text: Callable[[], str] | None = None,
        learn: Callable[[], bytes | None] | None = None,
    ) -> None:
        """Close the call. ``ended``: the reply ended in order, as far as HTTP goes; ``text``: what it says, to estimate
        tokens; ``learn``: its bytes, for who learns.
        """
        if self._ended:
            return
        self._ended = True
        if self._response is None:
            self.waited()
        exchange, tally = self._exchange, self._exchange.tally
        status = 0 if self._response is None else self._response.status
        if ended and lacks_end(status, exchange.wire.operation, outcome):
            error = TRUNCATED
        call = close_call(
            self._call(error),
            outcome,
            billable=billable(exchange.method, exchange.wire.operation, exchange.path),
            price=self._price_of(exchange),
            estimate=lambda: self._estimate(exchange, text()) if text else None,
        )
        tally.calls.append(call)
        tally.served_model = call.model_reported or call.model
        if learn is not None and tally.learners:
            streamed = self.kind == EVENT_STREAM
            finished = Finished(call, outcome, streamed=streamed, content_type=self.kind, body=learn())
            for learner in tally.learners:
                learner(finished)

    def _call(self, error: str | None) -> Call:
        exchange, first = self._exchange, self._exchange.tally.first_byte_at
        return Call(
            id=self.id,
            provider=exchange.target.provider,
            model=exchange.target.model,
            started=exchange.ts,
            status=None if self._response is None else self._response.status,
            error=error,
            provider_request_id=None if self._response is None else _request_id(self._response),
            latency_us=round((self._monotonic() - self._began) * 1e6),
            ttft_us=None if first is None else round((first - self._began) * 1e6),
        )


def _why(problem: BaseException, pending: Pending | None) -> str:
    """Why there is no reply."""
    reason = cause(problem)
    return NOT_SENT if reason == CLIENT_GONE and (pending is None or not pending.sent) else reason


def _lacks_only_usage(tap: Tap) -> bool:
    """The answer is whole: nothing more is generated."""
    return tap.outcome(ended=False).finish_reason is not None


def said(wire: Wire, body: bytes) -> str:
    """The text of a reply in one piece; of one that is no JSON, all of it: something was generated, and is billed."""
    return wire.text(body) or ("" if is_json(body) else body.decode("utf-8", "replace"))


def _opened(exchange: Exchange, call_id: str) -> Opened:
    return Opened(
        id=exchange.id,
        ts=exchange.ts,
        caller=exchange.caller,
        wire=exchange.wire.name,
        path=exchange.path.partition("?")[0],
        provider=exchange.target.provider,
        model=exchange.facts.model,
        stream=exchange.facts.stream,
        call_id=call_id,
    )


def _request_id(response: Response) -> str | None:
    for name, value in response.headers:
        if name in (b"x-request-id", b"request-id"):
            return value.decode("latin-1")
    return None
