"""The innermost stage: one call of a provider, in the ledger before it is made and when it has ended."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from farthing.errors import UpstreamError
from farthing.exchange import Exchange, Finished, Reply, Write
from farthing.ledger.records import Call, Opened
from farthing.pipeline.settle import Journal
from farthing.pipeline.settlement import CLIENT_GONE, Price, billable, close_call
from farthing.types import Outcome, Usage
from farthing.upstream.credentials import outgoing, returned
from farthing.upstream.pool import Cut, Pool, Response, content_type
from farthing.wire.base import Tap
from farthing.wire.errors import error_event

Estimate = Callable[[Exchange, str], Usage | None]
"""(exchange, text of the reply) → tokens, for a reply that carried no usage; ``None`` if there is no telling."""

EVENT_STREAM = "text/event-stream"


class BrokenOff(Exception):
    """The provider's stream broke off; the client has been told, its connection is to be closed."""


class Sender:
    """Sends an exchange to its provider."""

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
        new_id: Callable[[], str],
    ) -> None:
        self._pool, self._journal, self._price_of, self._estimate = pool, journal, price_of, estimate
        self._settle, self._meanwhile, self._monotonic, self._new_id = settle, meanwhile, monotonic, new_id

    async def handle(self, exchange: Exchange) -> Reply:
        """The provider's reply; raises ``UpstreamError``."""
        call = self._open(exchange)
        began = self._monotonic()
        try:
            pending = self._pool.send(
                exchange.method,
                exchange.target.url,
                outgoing(exchange.headers, exchange.wire.api, exchange.target.key),
                exchange.upload or exchange.wire.outgoing(exchange.body, exchange.facts),
            )
            self._meanwhile(exchange)
            response = await pending.response()
        except UpstreamError as problem:
            self._close(exchange, call, Outcome(), began, error=problem.code.removeprefix("farthing_"))
            raise
        except BaseException:
            self._close(exchange, call, Outcome(), began, error=CLIENT_GONE)
            raise
        call = msgspec.structs.replace(call, status=response.status, provider_request_id=_request_id(response))
        if (
            content_type(response.headers) == EVENT_STREAM
            or exchange.upload is not None
            or exchange.wire.name.endswith(".other")
        ):
            return self._streamed(exchange, call, response, began)
        return await self._whole(exchange, call, response, began)

    def _open(self, exchange: Exchange) -> Call:
        call = Call(
            id=self._new_id(),
            provider=exchange.target.provider,
            model=exchange.target.model,
            started=exchange.ts,
        )
        self._journal.append(
            Opened(
                id=exchange.id,
                ts=exchange.ts,
                caller=exchange.caller,
                wire=exchange.wire.name,
                path=exchange.path.partition("?")[0],
                provider=exchange.target.provider,
                model=exchange.facts.model,
                stream=exchange.facts.stream,
                call_id=call.id,
            )
        )
        return call

    async def _whole(self, exchange: Exchange, call: Call, response: Response, began: float) -> Reply:
        try:
            body = await response.read()
        except Cut as problem:
            self._close(exchange, call, Outcome(), began, error="cut")
            raise UpstreamError(f"the provider broke off inside its reply: {problem}") from problem
        except BaseException:
            self._close(exchange, call, Outcome(), began, error=CLIENT_GONE)
            raise
        finally:
            response.close()
        tally, now = exchange.tally, self._monotonic()
        tally.upstream_s += now - began
        tally.first_byte_at = now
        wire = exchange.wire
        outcome = wire.outcome(body, response.status)
        call = self._close(exchange, call, outcome, began, text=lambda: wire.text(body))
        self._learn(
            exchange, Finished(call, outcome, streamed=False, content_type=content_type(response.headers), body=body)
        )
        return Reply(response.status, returned(response.headers), body)

    def _streamed(self, exchange: Exchange, call: Call, response: Response, began: float) -> Reply:
        tap = exchange.wire.tap(exchange.facts)

        def close(error: str | None = None, *, ended: bool) -> None:
            outcome = tap.outcome(ended=ended)
            closed = self._close(exchange, call, outcome, began, error=error, text=tap.text)
            if error is None:
                kind = content_type(response.headers)
                self._learn(exchange, Finished(closed, outcome, streamed=True, content_type=kind, body=tap.recorded()))

        async def pump(write: Write) -> None:
            try:
                await self._pass_on(exchange, response, tap, write, began, lambda: close(ended=False))
            except Cut as problem:
                close("cut", ended=False)
                exchange.tally.error = "cut"
                await write(
                    error_event(exchange.wire.api, "farthing_upstream_cut", f"the provider broke off: {problem}")
                )
                raise BrokenOff from problem
            except BaseException:
                close(CLIENT_GONE, ended=False)
                raise
            finally:
                response.close()
            close(ended=True)
            if rest := tap.rest():
                await write(rest)

        exchange.tally.upstream_s += self._monotonic() - began
        return Reply(response.status, returned(response.headers), pump=pump)

    async def _pass_on(
        self, exchange: Exchange, response: Response, tap: Tap, write: Write, began: float, done: Callable[[], None]
    ) -> None:
        """Chunk by chunk. The ledger is written before the chunk goes out by which the client knows it has all."""
        tally = exchange.tally
        async for chunk in response.chunks():
            out = tap.feed(chunk)
            if tally.first_byte_at is None:
                tally.first_byte_at = self._monotonic()
                tally.upstream_s = tally.first_byte_at - began
            if tap.done and not tally.settled:
                done()
                self._settle(exchange)
            if out:
                await write(out)

    def _close(
        self,
        exchange: Exchange,
        call: Call,
        outcome: Outcome,
        began: float,
        *,
        error: str | None = None,
        text: Callable[[], str] | None = None,
    ) -> Call:
        """Price the call and add it to the tally, once."""
        tally = exchange.tally
        if tally.calls and tally.calls[-1].id == call.id:
            return tally.calls[-1]
        first = tally.first_byte_at
        call = msgspec.structs.replace(
            call,
            error=error,
            latency_us=round((self._monotonic() - began) * 1e6),
            ttft_us=None if first is None else round((first - began) * 1e6),
        )
        closed = close_call(
            call,
            outcome,
            billable=billable(exchange.method, exchange.wire.operation, exchange.path),
            price=self._price_of(exchange),
            estimate=lambda: self._estimate(exchange, text()) if text else None,
        )
        tally.calls.append(closed)
        tally.served_model = closed.model_reported or closed.model
        return closed

    def _learn(self, exchange: Exchange, finished: Finished) -> None:
        for learner in exchange.tally.learners:
            learner(finished)


def _request_id(response: Response) -> str | None:
    for name, value in response.headers:
        if name in (b"x-request-id", b"request-id"):
            return value.decode("latin-1")
    return None
