"""One request's search for an answer: which way is next, and when. No I/O; the time is handed in."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farthing.errors import RequestError
from farthing.exchange import Exchange, Reply
from farthing.limits.gate import Gate, Gates
from farthing.pipeline.waiting import Lines, Place
from farthing.upstream.headroom import Need
from farthing.upstream.health import Health
from farthing.upstream.retry import Budget, Verdict
from farthing.upstream.ways import Way
from farthing.wire.too_long import TooLong

LEAN = 8
"""So many more calls than the least busy way may one have before a conversation leaves it."""
NEVER = float("inf")
NO_MORE = (b"x-should-retry", b"false")
"""Both official clients obey it: what has been retried here is not retried again there."""


class Limits(msgspec.Struct, frozen=True):
    """``attempts`` calls of the model that was asked for at most, begun within ``deadline_s`` seconds."""

    attempts: int
    deadline_s: float
    budget: float
    """Repeated calls at most, as a share of requests."""


class Step(NamedTuple):
    """A way, and the place of its model among those that may answer: 0 is the one that was asked for."""

    group: int
    way: Way


class Trip:
    """What is known of one request's search."""

    def __init__(self, exchange: Exchange, groups: list[list[Way]], need: Need, deadline: float) -> None:
        self.exchange, self.groups, self.need, self.deadline = exchange, groups, need, deadline
        self.calls = [0] * len(groups)
        self.not_before: dict[str, float] = {}
        """Of ways that failed: when they may be tried again, or never."""
        self.failed: tuple[Reply | None, RequestError | None] | None = None
        """What the model that was asked for said last."""
        self.too_long: TooLong | None = None
        """What it said of lengths, if that was why."""
        self.place: Place | None = None
        """In the line for a way that has no room."""
        self.why = ""

    @property
    def is_alone(self) -> bool:
        """Whether there is only one way."""
        return len(self.groups) == 1 and len(self.groups[0]) == 1

    def take(self, groups: list[list[Way]], why: str) -> None:
        """Have these take over; the model that was asked for is tried no more."""
        self.not_before |= {way.name: NEVER for way in self.groups[0]}
        self.groups = [self.groups[0], *groups]
        self.calls = [self.calls[0], *[0] * len(groups)]
        self.why = why

    def bar(self, step: Step, found: Verdict, again: float) -> None:
        """A way failed; ``again``: when it may be tried once more, if that may help."""
        if found == "final" and step.group == 0:
            self.not_before |= {way.name: NEVER for ways in self.groups for way in ways}
        else:
            self.not_before[step.way.name] = again if found == "again" else NEVER

    def last_word(self) -> Reply:
        """What the client gets if nothing else comes. Raises ``RequestError``."""
        reply, problem = self.failed or (None, None)
        if problem is not None:
            raise problem
        if reply is None:
            raise RuntimeError("a request was given up before it was tried")
        if sum(self.calls) > 1:
            reply.headers = [*(header for header in reply.headers if header[0] != NO_MORE[0]), NO_MORE]
        return reply


class Guide:
    """Chooses ways by their health, their limits, and what a request has tried already."""

    def __init__(self, health: Health, gates: Gates, limits: Limits) -> None:
        self._health, self._gates, self._attempts = health, gates, limits.attempts
        self.budget = Budget(limits.budget)
        self._lines = Lines()

    def ready(self, trip: Trip, now: float) -> Step | None:
        """The way to go now, if there is one."""
        if trip.is_alone and not trip.not_before and self._in(trip, trip.groups[0][0], now) <= 0:
            return Step(0, trip.groups[0][0])
        for group in range(len(trip.groups)):
            ready = [way for one, way in self._open(trip) if one == group and self._in(trip, way, now) <= 0]
            if not ready:
                continue
            untried = [way for way in ready if way.name not in trip.not_before]
            if untried or self.budget.spend():
                return Step(group, self._lean(untried or ready))
            trip.not_before |= {way.name: NEVER for way in ready}  # others need what is left of the budget
        return None

    def soonest(self, trip: Trip, now: float) -> tuple[float, Step | None]:
        """Seconds until a way is ready, and which; infinite if none will be."""
        steps = [(self._in(trip, step.way, now), number, step) for number, step in enumerate(self._open(trip))]
        wait, _, step = min(steps, default=(NEVER, 0, None))
        return wait, step

    def gate(self, trip: Trip, way: Way) -> Gate | None:
        """The limits of our own that a call keeps; ``None`` if there are none."""
        key = trip.exchange.credential if way.key is None else way.number
        return self._gates.for_call(way.provider, key, way.model)

    def waits_at_gate(self, trip: Trip, way: Way, now: float) -> bool:
        """Whether nothing but our own limits holds it up: there it waits for its turn."""
        return self.gate(trip, way) is not None and self._beyond_gate(trip, way, now) <= 0

    def join(self, trip: Trip, way: Way) -> None:
        """It waits for this way, until it leaves: who comes later is served later."""
        trip.place = self._lines.join(way.name, trip.place)

    def leave(self, trip: Trip) -> None:
        """It waits no more."""
        if trip.place is not None:
            self._lines.leave(trip.place)
            trip.place = None

    def _open(self, trip: Trip) -> list[Step]:
        """Ways that may still be tried: of the model that was asked for several times, of others once."""
        allowed = (self._attempts, *[1] * (len(trip.groups) - 1))
        return [
            Step(group, way)
            for group, ways in enumerate(trip.groups)
            if trip.calls[group] < allowed[group]
            for way in ways
            if trip.not_before.get(way.name) != NEVER
        ]

    def _in(self, trip: Trip, way: Way, now: float) -> float:
        """Seconds until this way may be gone."""
        wait = self._beyond_gate(trip, way, now)
        gate = self.gate(trip, way)
        return wait if gate is None else max(wait, gate.ready_in(trip.exchange.caller.tenant, trip.need.tokens))

    def _beyond_gate(self, trip: Trip, way: Way, now: float) -> float:
        """The only way is gone however often it failed: it may be up again, and nothing is lost."""
        known = self._health.told_in if trip.is_alone else self._health.ready_in
        ahead = self._lines.ahead(way.name, trip.place)
        return max(known(way, trip.need, now, ahead), trip.not_before.get(way.name, 0.0) - now)

    def _lean(self, ways: list[Way]) -> Way:
        """The preferred one, unless it has much more to do than another."""
        if len(ways) == 1:
            return ways[0]
        loads = [self._health.in_flight(way) for way in ways]
        return ways[0] if loads[0] <= min(loads) + LEAN else ways[loads.index(min(loads))]
