"""Taking turns: fair between tenants, first come first served within one. Pure.

Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996) in which a call costs the share of the scarcest limit that
it uses (dominant resources: Ghodsi et al., SIGCOMM 2012). Whoever got less so far is next; who was away gains nothing.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import Generic, NamedTuple, TypeVar

from farthing.limits.rates import Load

T = TypeVar("T")
MOST_GONE = 64
"""Tenants that are remembered though they no longer wait, before the needless ones are forgotten."""


class Turns:
    """Virtual time: how far each tenant has come, over all lanes of a key."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: dict[str, float] = {}
        self._numbers = count()
        self._prune_at = MOST_GONE

    def number(self) -> int:
        """The next number: who came first."""
        return next(self._numbers)

    def of(self, tenant: str) -> float:
        """When it is this tenant's turn. Never falls, so that nobody is passed over for ever."""
        return max(self._now, self._due.get(tenant, 0.0))

    def served(self, tenant: str, cost: float) -> None:
        """A call of the tenant goes."""
        self._now = self.of(tenant)
        self._due[tenant] = self._now + cost
        if len(self._due) > self._prune_at:
            self._due = {name: due for name, due in self._due.items() if due > self._now}
            self._prune_at = 2 * len(self._due) + MOST_GONE

    def forget(self) -> None:
        """Nobody waits: nobody owes anybody anything."""
        self._now = 0.0
        self._due.clear()


class Place(NamedTuple, Generic[T]):
    """A call in a queue."""

    number: int
    tenant: str
    tokens: int
    item: T


class Queue(Generic[T]):
    """The waiting calls of one tenant, in order."""

    __slots__ = ("places", "tokens")

    def __init__(self) -> None:
        self.places: deque[Place[T]] = deque()
        self.tokens = 0


class Lane(Generic[T]):
    """Calls that need the same limits: a queue a tenant."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._queues: dict[str, Queue[T]] = {}
        self._heap: list[tuple[float, int, str]] = []
        """The head of each queue: (turn, number, tenant). Those out of date are mended when they come up."""
        self.waiting = 0

    def push(self, tenant: str, tokens: int, item: T) -> Place[T]:
        """To the end of the tenant's queue."""
        place = Place(self._turns.number(), tenant, tokens, item)
        queue = self._queues.setdefault(tenant, Queue())
        queue.places.append(place)
        queue.tokens += tokens
        self.waiting += 1
        if len(queue.places) == 1:
            self._enter(place)
        return place

    def first(self) -> Place[T]:
        """Whose turn it is. Raises ``IndexError`` if nobody waits."""
        while True:
            turn, number, tenant = self._heap[0]
            queue = self._queues.get(tenant)
            if queue is None or queue.places[0].number != number:
                heappop(self._heap)
            elif (since := self._turns.of(tenant)) > turn:
                heapreplace(self._heap, (since, number, tenant))
            else:
                return queue.places[0]

    def turn(self) -> tuple[float, int]:
        """The place of its first among the first of all lanes."""
        first = self.first()
        return self._turns.of(first.tenant), first.number

    def remove(self, place: Place[T]) -> None:
        """Out of the queue: served, or gone."""
        queue = self._queues[place.tenant]
        first = queue.places[0] is place
        if first:
            queue.places.popleft()
        else:
            queue.places.remove(place)
        queue.tokens -= place.tokens
        self.waiting -= 1
        if not queue.places:
            del self._queues[place.tenant]
        elif first:
            self._enter(queue.places[0])

    def of(self, tenant: str) -> int:
        """How many calls of a tenant wait."""
        queue = self._queues.get(tenant)
        return len(queue.places) if queue else 0

    def ahead(self, tenant: str) -> Load:
        """What is sure to go before a new call of the tenant: its own, and of every other tenant as much."""
        own = self._queues.get(tenant)
        if own is None:
            return Load(0, 0)
        requests, tokens = len(own.places), own.tokens
        others = self._queues.values()
        return Load(
            sum(min(requests, len(queue.places)) for queue in others),
            sum(min(tokens, queue.tokens) for queue in others),
        )

    def _enter(self, head: Place[T]) -> None:
        heappush(self._heap, (self._turns.of(head.tenant), head.number, head.tenant))
