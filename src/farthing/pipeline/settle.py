"""The outermost stage: whatever happens to an exchange, it is in the journal before its client sees the end."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import msgspec

from farthing.errors import RequestError
from farthing.exchange import ClientGone, Exchange, Handler, Pump, Reply, Tally, Target, Write
from farthing.ledger.records import Call, Entry, Settled, Shape
from farthing.money import usd
from farthing.pipeline.settlement import CLIENT_GONE, cause, total
from farthing.types import Headers
from farthing.upstream.pool import EVENT_STREAM, content_type
from farthing.wire.errors import error_body

log = logging.getLogger("farthing")

ShapeOf = Callable[[Exchange], Shape | None]
CostOf = Callable[[Exchange, Target, Call], int | None]
"""(exchange, target, call) → what that call would have cost there, in nano-dollars; ``None`` if that is not known."""
TAKEN_OVER = "fallback"
"""The lever of requests that another model took over: what it saved may be less than nothing."""
Tell = Callable[[Exchange, Settled], None]
"""Lets those know who want to; never raises, and is quick."""


class Journal(Protocol):
    """Where entries go; never raises."""

    def append(self, entry: Entry) -> None:
        """Take it; it is on the disk, or waits for it, after ``flush`` at the latest."""
        ...

    def flush(self) -> None:
        """To be called before anybody outside learns of what the entries say."""
        ...


class Settler:
    """Writes ``Settled`` once for every exchange."""

    def __init__(
        self, journal: Journal, monotonic: Callable[[], float], shape_of: ShapeOf, cost_of: CostOf, tell: Tell
    ) -> None:
        self._journal, self._monotonic = journal, monotonic
        self._shape_of, self._cost_of, self._tell = shape_of, cost_of, tell

    async def stage(self, exchange: Exchange, following: Handler) -> Reply:
        """Settle in every ending: answered, refused, failed, hung up."""
        try:
            reply = await following(exchange)
        except RequestError as problem:
            return self.refuse(exchange, problem)
        except (CancelledError, ClientGone):
            self.settle(exchange, error=exchange.tally.error or CLIENT_GONE)
            raise
        except Exception:
            log.exception("request %s failed inside farthing", exchange.id)
            return self.refuse(
                exchange, RequestError(f"farthing failed on this request ({exchange.id}); its log says why")
            )
        exchange.tally.status = reply.status
        if reply.pump is None:
            self.settle(exchange)
        else:
            events = content_type(reply.headers) == EVENT_STREAM
            reply.pump = self._settling(exchange, reply.pump, events=events)
        reply.headers += self._headers(exchange)
        return reply

    def refuse(self, exchange: Exchange, problem: RequestError) -> Reply:
        """Settle with an error in the shape of the client's API."""
        tally = exchange.tally
        tally.status, tally.error = problem.status, problem.code
        self.settle(exchange)
        body = error_body(exchange.wire.api, problem.status, problem.code, problem.message)
        headers = [(b"content-type", b"application/json"), *problem.headers, *self._headers(exchange)]
        return Reply(problem.status, headers, body)

    def settle(self, exchange: Exchange, error: str | None = None) -> None:
        """Write the ledger's entry, unless it has been written."""
        tally = exchange.tally
        if tally.settled:
            return
        tally.settled = True
        exchange = exchange.client or exchange
        tally.learners.clear()  # they hold the exchange, as chores do
        if tally.shape is None:
            tally.shape = self._shape_of(exchange)
        cost = total(tally.calls)
        asked = tally.asked or exchange.target
        if tally.asked is not None:
            self._taken_over(exchange, tally.asked, cost)
        told = tally.calls[-1].error if tally.calls else None  # also an error event after a status of 200
        settled = Settled(
            id=exchange.id,
            ts=exchange.ts,
            caller=exchange.caller,
            wire=exchange.wire.name,
            path=exchange.path.partition("?")[0],
            provider=asked.provider or None,
            model=exchange.facts.model,
            stream=exchange.facts.stream,
            served_model=tally.served_model,
            status=tally.status,
            error=error or tally.error or told,
            cache=tally.cache,
            would_cache=tally.would_cache,
            route=_route(tally),
            calls=tuple(tally.calls),
            cost_nano=cost,
            baseline_nano=cost if tally.as_sent else tally.baseline_nano,
            saved=tuple(tally.saved),
            would_save=tuple(tally.would_save),
            latency_us=_micro(self._monotonic() - exchange.begun),
            ttft_us=None if tally.first_byte_at is None else _micro(tally.first_byte_at - exchange.begun),
            overhead_us=self._overhead_us(exchange),
            shape=tally.shape,
        )
        self._journal.append(settled)
        self._tell(exchange, settled)

    def _taken_over(self, exchange: Exchange, asked: Target, cost: int | None) -> None:
        """The baseline of a request that another model answered: its tokens at the price of the one asked for."""
        tally = exchange.tally
        tally.as_sent = False
        tally.baseline_nano = self._cost_of(exchange, asked, tally.calls[-1]) if tally.calls else None
        if tally.baseline_nano is not None and cost is not None:
            tally.saved.append((TAKEN_OVER, tally.baseline_nano - cost))

    def _settling(self, exchange: Exchange, pump: Pump, *, events: bool) -> Pump:
        async def settled(write: Write) -> None:
            try:
                await pump(write)
            except BaseException as problem:
                self.settle(exchange, error=exchange.tally.error or cause(problem))
                raise
            self.settle(exchange)
            if events:
                await write(b": farthing " + msgspec.json.encode(summary(exchange)) + b"\n\n")

        return settled

    def _overhead_us(self, exchange: Exchange) -> int:
        tally = exchange.tally
        until = tally.first_byte_at if tally.first_byte_at is not None else self._monotonic()
        return max(0, _micro(until - exchange.begun - tally.upstream_s))

    def _headers(self, exchange: Exchange) -> Headers:
        tally = exchange.tally
        headers: Headers = [
            (b"x-farthing-request-id", exchange.id.encode()),
            (b"x-farthing-cache", tally.cache.encode()),
            (b"x-farthing-overhead-ms", b"%.3f" % (self._overhead_us(exchange) / 1000)),
        ]
        if provider := tally.served_provider or exchange.target.provider:
            headers.append((b"x-farthing-provider", printable(provider)))
        if model := tally.served_model or exchange.target.model:
            headers.append((b"x-farthing-model", printable(model)))
        if tally.cache_reason:
            headers.append((b"x-farthing-cache-reason", tally.cache_reason.encode()))
        if tally.similarity is not None:
            headers.append((b"x-farthing-cache-similarity", b"%.3f" % tally.similarity))
        if route := _route(tally):
            headers.append((b"x-farthing-route", printable(route)))
        if tally.settled:
            headers += [(MONEY[name], _dollars(amount)) for name, amount in money(exchange)]
        return headers


MONEY = {name: b"x-farthing-" + name.replace("_", "-").encode() for name in ("cost_usd", "baseline_usd", "saved_usd")}


def money(exchange: Exchange) -> list[tuple[str, int]]:
    """Cost, baseline and saving in nano-dollars; what is unknown is left out."""
    tally = exchange.tally
    cost = total(tally.calls)
    baseline = cost if tally.as_sent else tally.baseline_nano
    saved = None if cost is None or baseline is None else baseline - cost
    known = (("cost_usd", cost), ("baseline_usd", baseline), ("saved_usd", saved))
    return [(name, amount) for name, amount in known if amount is not None]


@lru_cache(1024)
def _dollars(amount: int) -> bytes:
    return usd(amount).encode()


def _route(tally: Tally) -> str | None:
    """Where it went and why, and what could not be said there."""
    without = f"without {', '.join(tally.left_out)}" if tally.left_out else None
    return "; ".join(part for part in (tally.route, without) if part) or None


@lru_cache(1024)
def printable(text: str) -> bytes:
    """A text from outside as the value of a header: a line break in it would begin another header."""
    return text.encode("utf-8", "replace") if text.isprintable() else repr(text)[1:-1].encode("utf-8", "replace")


def summary(exchange: Exchange) -> dict[str, str]:
    """What the last comment of a stream says."""
    return {
        "request_id": exchange.id,
        "cache": exchange.tally.cache,
        **{name: usd(amount) for name, amount in money(exchange)},
    }


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)
