"""The stage before sending: which way a request goes, and what is tried when that fails.

Asked for is a model; there may be several keys and endpoints for it, and other models that may take over. A request
goes the first way that has room and is not down. If it fails, another way is tried at once, and the same one after a
while, within limits and only before the first byte has reached the client. In the end the client sees an answer, or
what the model that it asked for said last.

In observe mode nothing is changed: one call, of the model that was asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from farthing.errors import BadRequest, RateLimited, RequestError, UpstreamError
from farthing.exchange import Exchange, Handler, Pump, Reply, Target, Write
from farthing.ledger.records import Call
from farthing.limits.gate import Permit
from farthing.pipeline.fitting import LONG, Fit
from farthing.pipeline.settlement import NOT_SENT
from farthing.pipeline.trip import NEVER, Guide, Step, Trip
from farthing.types import Clock
from farthing.upstream.headroom import Need
from farthing.upstream.health import Health, Ticket
from farthing.upstream.pool import EVENT_STREAM, content_type
from farthing.upstream.retry import Failure, asked_s, verdict, wait_s
from farthing.upstream.targets import Choice, path_on
from farthing.upstream.ways import Group, Plan, Way, Ways, by_affinity
from farthing.wire.too_long import TooLong, too_long
from farthing.wire.translate.bridge import COUNTED

STATUS_OF = {
    "overloaded_error": 529,
    "api_error": 500,
    "server_error": 500,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "timeout_error": 504,
}
"""What an error inside a stream would be as a status; any other is the request's own fault."""
NEVER_WENT = frozenset({NOT_SENT, "upstream_unreachable"})
"""Errors of calls that the provider has not seen."""
ROUTE_OFF = (b"x-farthing-route", b"off")
BEGINNING = 1_024
"""Bytes of a body that tell conversations apart where there is no session."""
BYTES_PER_TOKEN = 4
USUAL_OUTPUT = 256
"""Tokens, where a request sets no limit."""
KEY_REFUSED_S = 60.0
"""A key that the provider does not take, or that has no money left, is left alone for so long."""


class Timing(NamedTuple):
    """Time and chance, handed in."""

    clock: Clock
    monotonic: Callable[[], float]
    random: Callable[[], float]
    """From 0 to 1."""
    sleep: Callable[[float], Awaitable[None]]


class Reach:
    """Finds ways and goes them."""

    def __init__(
        self,
        ways: Ways,
        health: Health,
        guide: Guide,
        *,
        deadline_s: float,
        timing: Timing,
        fit: Fit,
        rename: Callable[[bytes, str], bytes],
    ) -> None:
        self._ways, self._health, self._guide, self._deadline_s = ways, health, guide, deadline_s
        self._clock, self._monotonic, self._random, self._sleep = timing
        self._fit, self._rename = fit, rename

    async def stage(self, exchange: Exchange, following: Handler) -> Reply:
        """The first answer, or the last failure of the model that was asked for. Raises ``RequestError``."""
        if exchange.upload is not None or exchange.target.wire == COUNTED:
            return await following(exchange)
        target = exchange.target
        own_key = exchange.credential if target.key is None else None
        plan = self._ways.plan(exchange.wire.name, _asked(target), own_key)
        if exchange.mode == "observe":
            return await self._observed(exchange, plan, following)
        self._guide.budget.earn()
        trip = self._trip(exchange, plan)
        while (step := await self._next(trip)) is not None:
            reply = await self._try(trip, step, following)
            if reply is not None:
                return reply
        if trip.too_long is not None and (trip.too_long.tokens is None or trip.too_long.window is None):
            raise self._does_not_fit(trip, trip.too_long)
        return trip.last_word()

    async def _observed(self, exchange: Exchange, plan: Plan, following: Handler) -> Reply:
        if len(plan.groups[0]) == 1:
            return await following(exchange)
        return await following(self._through(exchange, _ordered(plan.groups[0], exchange)[0]))

    def _trip(self, exchange: Exchange, plan: Plan) -> Trip:
        asked, *others = plan.groups
        groups = [_ordered(asked, exchange)]
        if others and ROUTE_OFF not in exchange.headers:
            groups += [_ordered(ways, exchange) for ways in others if self._fit.fits(exchange, ways[0])]
        need = Need(len(exchange.body) // BYTES_PER_TOKEN, exchange.facts.max_output or USUAL_OUTPUT)
        trip = Trip(exchange, groups, need, exchange.begun + self._deadline_s)
        if len(exchange.body) > LONG and self._fit.is_too_long(exchange, asked[0]):
            self._to_larger(trip, TooLong(None, None))
        return trip

    def _to_larger(self, trip: Trip, problem: TooLong) -> bool:
        """Only models with a larger window than the one that was asked for are left; whether there are any."""
        exchange, asked = trip.exchange, trip.groups[0][0]
        if ROUTE_OFF in exchange.headers:
            return False
        own_key = exchange.credential if asked.key is None else None
        plan = self._ways.plan(exchange.wire.name, _asked(exchange.target), own_key)
        window = problem.window or self._fit.window(asked) or 0
        found = [
            _ordered(ways, exchange)
            for ways in (*plan.groups[1:], *plan.better)
            if (self._fit.window(ways[0]) or 0) > max(window, problem.tokens or 0) and self._fit.fits(exchange, ways[0])
        ]
        if found:
            trip.take(found, "does not fit its window")
        return bool(found)

    def _does_not_fit(self, trip: Trip, problem: TooLong) -> RequestError:
        """The provider's error did not say how long the prompt is, and how long it may be."""
        exchange, asked = trip.exchange, trip.groups[0][0]
        window = problem.window or self._fit.window(asked)
        tokens = problem.tokens or self._fit.needed(exchange, asked, 0)
        takes = "fewer" if window is None else f"at most {window:,}"
        return BadRequest(
            f"prompt and reply need about {tokens:,} tokens and {asked.model} takes {takes}; shorten the prompt, or "
            "name a model with a larger window in [fallback] or the model's tier",
            code="farthing_context_length_exceeded",
        )

    async def _next(self, trip: Trip) -> Step | None:
        """The way for the next call, once there is one; ``None`` if there will be none in time."""
        try:
            return await self._found(trip)
        finally:
            self._guide.leave(trip)

    async def _found(self, trip: Trip) -> Step | None:
        while True:
            now = self._monotonic()
            if (step := self._guide.ready(trip, now)) is not None:
                return step
            wait, step = self._guide.soonest(trip, now)
            if step is None or now + wait > trip.deadline:
                # Never worse than not being there: a request that was not tried at all is tried now.
                return None if trip.failed else Step(0, trip.groups[0][0])
            if self._guide.waits_at_gate(trip, step.way, now):
                return step
            await self._pause(trip, step.way, wait)

    async def _pause(self, trip: Trip, way: Way, wait: float) -> None:
        """It is the provider that has no room, so the time is not ours."""
        began = self._monotonic()
        self._guide.join(trip, way)
        try:
            await self._sleep(wait)
        finally:
            trip.exchange.tally.upstream_s += self._monotonic() - began

    def ended(self, exchange: Exchange, ticket: Ticket, call: Call | None, permit: Permit | None) -> None:
        """Nothing of a call is under way any more. What never went out takes nothing off any limit."""
        went = call is None or call.error not in NEVER_WENT
        self._health.ended(ticket, went=went)
        usage = None if call is None else call.usage
        if permit is not None and not went:
            permit.release()
        elif permit is not None:
            permit.settle(None if usage is None else usage.prompt_tokens + usage.output)
        if usage is not None:
            self._fit.learn(exchange, usage, self._monotonic())

    def withdrawn(self, ticket: Ticket, permit: Permit | None) -> None:
        """There was no call: farthing itself refused the request on its way out."""
        self._health.left(ticket)
        self._health.ended(ticket, went=False)
        if permit is not None:
            permit.release()

    # ------------------------------------------------------------ one call

    async def _try(self, trip: Trip, step: Step, following: Handler) -> Reply | None:
        """One call: its answer, or ``None`` if it failed and was noted."""
        gate = self._guide.gate(trip, step.way)
        try:
            permit = gate and await gate.admit(trip.exchange.caller.tenant, trip.need.tokens, trip.deadline)
        except RateLimited as full:
            self._give_up(trip, step, full)
            return None
        trip.calls[step.group] += 1
        call = _Call(self, self._health.begin(step.way, trip.need, self._monotonic()), permit)
        reply, problem = await self._called(call, self._through(trip.exchange, step.way), following)
        failure = _failure(trip.exchange, reply, problem)
        if failure is None and reply is not None:
            self._health.answered(call.ticket, reply.headers)
            trip.too_long = None
            if step.group:
                self._taken_over(trip, step.way, is_stream=reply.pump is not None)
            return reply
        if failure is not None:
            self._note(trip, step, call.ticket, failure)
        if not step.group:
            trip.failed = (reply, problem)
        return None

    async def _called(
        self, call: _Call, exchange: Exchange, following: Handler
    ) -> tuple[Reply | None, RequestError | None]:
        try:
            reply = await following(exchange)
            if reply.peek is not None and (said := await reply.peek()) is not None:
                # Whatever its status says, an error in place of an answer is a failure.
                call.end(exchange)
                return Reply(reply.status, reply.headers, said[1]), None
        except UpstreamError as problem:
            call.end(exchange)
            return None, problem
        except RequestError:
            call.withdraw()
            raise
        except BaseException:
            self._health.left(call.ticket)
            call.end(exchange)
            raise
        if reply.pump is None:
            call.end(exchange)
        else:
            reply.pump = _ending(call, exchange, reply.pump)
        return reply, None

    def _give_up(self, trip: Trip, step: Step, problem: RateLimited) -> None:
        """Our own limit has no room for it in time."""
        trip.not_before[step.way.name] = NEVER
        trip.why = trip.why or "has no room"
        if not step.group:
            trip.failed = (None, problem)

    def _note(self, trip: Trip, step: Step, ticket: Ticket, failure: Failure) -> None:
        """Learn from a failure."""
        now, epoch = self._monotonic(), self._clock()
        found = verdict(failure, own_key=ticket.way.key is None)
        if not step.group and (problem := too_long(failure.status, failure.code, failure.body)) is not None:
            trip.too_long = problem
            if self._to_larger(trip, problem):
                self._health.declined(ticket, failure.headers)
                return
        if failure.status is None:
            self._health.silent(ticket, now)
        elif found == "final":
            self._health.declined(ticket, failure.headers)
        else:
            wait = KEY_REFUSED_S if found == "key" else asked_s(failure.headers, epoch)
            self._health.refused(ticket, failure.headers, wait, now)
        trip.why = trip.why or str(failure.status or (failure.code or "").removeprefix("farthing_"))
        trip.bar(step, found, now + wait_s(failure, trip.calls[step.group], self._random(), epoch))

    def _taken_over(self, trip: Trip, way: Way, *, is_stream: bool) -> None:
        """Another model answers: say so."""
        tally, asked = trip.exchange.tally, trip.exchange.target
        why = trip.why or ("is down" if self._health.is_down(trip.groups[0][0]) else "is at its limit")
        tally.asked, tally.served_provider = asked, way.provider
        if is_stream:  # its own call has not ended yet: the latest is one that failed
            tally.served_model = way.model
        tally.route = f"fallback {way.provider}/{way.model}: {asked.provider}/{asked.model} {why}"

    def _through(self, exchange: Exchange, way: Way) -> Exchange:
        """The exchange as it goes this way."""
        url = way.base + path_on(way.wire, exchange.path)[way.cut :]
        target = Target(way.provider, url, way.model, way.key, way.api, way.wire)
        if target == exchange.target:
            return exchange
        body = exchange.body
        if way.model != exchange.target.model and way.model is not None and way.wire is None:
            body = self._rename(body, way.model)
        return msgspec.structs.replace(exchange, target=target, body=body)


class _Call(NamedTuple):
    """A call under way, with what it holds."""

    reach: Reach
    ticket: Ticket
    permit: Permit | None

    def end(self, exchange: Exchange) -> None:
        """Give back what it holds, and learn from what it came to."""
        calls = exchange.tally.calls
        self.reach.ended(exchange, self.ticket, calls[-1] if calls else None, self.permit)

    def withdraw(self) -> None:
        """Give back all of it."""
        self.reach.withdrawn(self.ticket, self.permit)


def _ending(call: _Call, exchange: Exchange, pump: Pump) -> Pump:
    async def ending(write: Write) -> None:
        try:
            await pump(write)
        finally:
            call.end(exchange)

    return ending


def _asked(target: Target) -> Choice:
    return Choice(target.provider, target.model, target.wire)


def _failure(exchange: Exchange, reply: Reply | None, problem: RequestError | None) -> Failure | None:
    if reply is None:
        return Failure(None, None if problem is None else problem.code)
    if reply.pump is not None:
        return None
    error = exchange.tally.calls[-1].error
    if reply.status < 400:
        is_stream = content_type(reply.headers) == EVENT_STREAM
        return Failure(STATUS_OF.get(error or "", 400), error, reply.headers) if is_stream else None
    return Failure(reply.status, error, reply.headers, reply.body)


def _ordered(ways: Group, exchange: Exchange) -> list[Way]:
    """As this conversation prefers them."""
    if len(ways) == 1:
        return list(ways)
    session = exchange.caller.session
    return by_affinity(ways, session.encode("utf-8", "replace") if session else exchange.body[:BEGINNING])
