"""The stage before sending: a call that failed for a passing reason is made again, within limits.

Only before the first byte has reached the client: a stream that broke off is not begun anew. In observe mode nothing
is touched, and the client sees every failure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from farthing.errors import UpstreamError
from farthing.exchange import Exchange, Handler, Reply
from farthing.types import Clock
from farthing.upstream.retry import Budget, Failure, is_transient, wait_s

NO_MORE = (b"x-should-retry", b"false")
"""Both official clients obey it: what has been retried here is not retried again there."""


class Limits(msgspec.Struct, frozen=True):
    """``attempts`` calls for a request at most, the first included, begun within ``deadline_s`` seconds."""

    attempts: int
    deadline_s: float
    budget: float
    """Retries at most, as a share of requests."""


class Retry:
    """Calls the next stage again where that may help."""

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._limits, self._clock, self._monotonic = limits, clock, monotonic
        self._random, self._sleep = random, sleep
        self._budget = Budget(limits.budget)

    async def stage(self, exchange: Exchange, following: Handler) -> Reply:
        """The first answer that is none of a passing failure, or the last failure. Raises ``UpstreamError``."""
        if exchange.mode == "observe" or exchange.upload is not None:
            return await following(exchange)
        self._budget.earn()
        attempt = 1
        while True:
            problem: UpstreamError | None = None
            reply: Reply | None = None
            try:
                reply = await following(exchange)
            except UpstreamError as raised:
                problem = raised
            wait = self._wait(exchange, _failure(exchange, reply, problem), attempt)
            if wait is None:
                return _last(reply, problem, retried=attempt > 1)
            await self._sleep(wait)
            exchange.tally.upstream_s += wait
            attempt += 1

    def _wait(self, exchange: Exchange, failure: Failure | None, attempt: int) -> float | None:
        """Seconds until another try, or ``None`` if there is to be none."""
        if failure is None or attempt >= self._limits.attempts or not is_transient(failure):
            return None
        wait = wait_s(failure, attempt, self._random(), self._clock())
        if self._monotonic() + wait - exchange.begun > self._limits.deadline_s or not self._budget.spend():
            return None
        return wait


def _failure(exchange: Exchange, reply: Reply | None, problem: UpstreamError | None) -> Failure | None:
    if reply is None:
        return Failure(None, None if problem is None else problem.code)
    if reply.status < 400 or reply.pump is not None:
        return None
    return Failure(reply.status, exchange.tally.calls[-1].error, reply.headers)


def _last(reply: Reply | None, problem: UpstreamError | None, *, retried: bool) -> Reply:
    if problem is not None:
        raise problem
    if reply is None:
        raise RuntimeError("neither an answer nor a failure")
    if retried and reply.status >= 400:
        reply.headers = [*(header for header in reply.headers if header[0] != NO_MORE[0]), NO_MORE]
    return reply
