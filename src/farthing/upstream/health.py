"""How the ways to the providers are: what is under way, what failed, how much room is left. Times from the caller."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.types import Headers
from farthing.upstream.breaker import Breaker
from farthing.upstream.headroom import Headroom, Kind, Mark, Need, told
from farthing.upstream.ways import Way

MOST = 4_096
"""Ways remembered: names of models come from clients."""


class _State:
    """Of one way: an endpoint, a key and a model."""

    __slots__ = ("breaker", "headroom", "in_flight")

    def __init__(self) -> None:
        self.breaker, self.headroom = Breaker(), Headroom()
        self.in_flight = 0


class Ticket(msgspec.Struct, frozen=True):
    """A call on its way."""

    way: Way
    began: float
    marks: Mapping[Kind, Mark]


class Health:
    """Of all ways, in this process."""

    def __init__(self) -> None:
        self._ways: dict[str, _State] = {}
        self._endpoints: dict[str, Breaker] = {}

    def ready_in(self, way: Way, need: Need, now: float, behind: int = 0) -> float:
        """Seconds until a call that needs so much may go this way, ``behind`` so many others; 0: now."""
        state, endpoint = self._ways.get(way.name), self._endpoints.get(way.endpoint)
        wait = 0.0 if endpoint is None else endpoint.ready_in(now)
        if state is None:
            return wait
        return max(wait, state.breaker.ready_in(now), state.headroom.ready_in(need, now, behind))

    def told_in(self, way: Way, need: Need, now: float, behind: int = 0) -> float:
        """The same by what the provider itself says of its limits, whatever failed."""
        state = self._ways.get(way.name)
        return 0.0 if state is None else max(state.breaker.told_in(now), state.headroom.ready_in(need, now, behind))

    def in_flight(self, way: Way) -> int:
        """Calls under way."""
        state = self._ways.get(way.name)
        return 0 if state is None else state.in_flight

    def is_down(self, way: Way) -> bool:
        """Whether it failed and has not been seen to work since."""
        state, endpoint = self._ways.get(way.name), self._endpoints.get(way.endpoint)
        return not ((state is None or state.breaker.is_closed) and (endpoint is None or endpoint.is_closed))

    def begin(self, way: Way, need: Need, now: float) -> Ticket:
        """A call goes."""
        state = self._state(way)
        state.in_flight += 1
        state.breaker.begin(now)
        self._endpoint(way).begin(now)
        return Ticket(way, now, state.headroom.send(need, now))

    def answered(self, ticket: Ticket, headers: Headers) -> None:
        """The provider took the request, whatever comes of it."""
        self._learn(ticket, headers).breaker.succeeded()
        self._endpoint(ticket.way).succeeded()

    def declined(self, ticket: Ticket, headers: Headers) -> None:
        """The provider will have none of it, whoever sends it. Where it tells no limits, it took nothing off them."""
        self.answered(ticket, headers)
        if not told(headers):
            self._state(ticket.way).headroom.take_back(ticket.marks)

    def refused(self, ticket: Ticket, headers: Headers, wait_s: float | None, now: float) -> None:
        """It answered that it cannot, for a reason that others would meet. ``wait_s``: when to come again."""
        self._learn(ticket, headers).breaker.failed(now, ticket.began, wait_s)
        self._endpoint(ticket.way).succeeded()

    def silent(self, ticket: Ticket, now: float) -> None:
        """It did not answer at all."""
        self._endpoint(ticket.way).failed(now, ticket.began)
        self._state(ticket.way).breaker.left()

    def left(self, ticket: Ticket) -> None:
        """The call was given up before it told anything, as when the client hung up."""
        self._state(ticket.way).breaker.left()
        self._endpoint(ticket.way).left()

    def ended(self, ticket: Ticket, *, went: bool = True) -> None:
        """Nothing of it is under way any more. ``went``: the provider may have seen it."""
        state = self._state(ticket.way)
        state.in_flight = max(0, state.in_flight - 1)
        if not went:
            state.headroom.take_back(ticket.marks)

    def _learn(self, ticket: Ticket, headers: Headers) -> _State:
        state = self._state(ticket.way)
        state.headroom.learn(headers, ticket.marks, ticket.began)
        return state

    def _state(self, way: Way) -> _State:
        state = self._ways.get(way.name)
        if state is None:
            if len(self._ways) >= MOST:
                self._forget()
            state = self._ways[way.name] = _State()
        return state

    def _endpoint(self, way: Way) -> Breaker:
        return self._endpoints.setdefault(way.endpoint, Breaker())

    def _forget(self) -> None:
        """The older half of those that nothing has to be remembered of."""
        idle = [name for name, state in self._ways.items() if not state.in_flight and state.breaker.is_closed]
        for name in idle[: len(idle) // 2 + 1]:
            del self._ways[name]
