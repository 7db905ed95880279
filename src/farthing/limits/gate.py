"""Waiting for room in the limits of a provider's key. Single-threaded (one event loop), no locks, no I/O.

What is used flows back by itself, so a permit that nobody ends blocks nothing for long. There is a timer only while
somebody waits, one a key.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future, TimerHandle
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from heapq import heappop, heappush
from math import ceil
from typing import NamedTuple

from farthing.errors import RateLimited
from farthing.limits.fair import Lane, Place, Turns
from farthing.limits.rates import Load, Meter, ready_in
from farthing.policy.model import Rates
from farthing.policy.units import seconds

Key = int | bytes
"""A provider's key: the number of a configured one, or the digest of a client's own."""
MOST_ACCOUNTS = 1024
"""Keys that are kept in mind before idle ones are forgotten."""
LEAST_DELAY_S = 0.001
"""A timer that fires a hair too early must not make the loop spin."""


class Permit:
    """A call may go. It ends once, by ``settle`` or ``release``; what comes after that has no effect."""

    __slots__ = ("_account", "_meters", "_tokens", "waited_s")

    def __init__(self, account: Account, meters: Sequence[Meter], tokens: int, waited_s: float) -> None:
        self._account, self._meters, self._tokens = account, meters, tokens
        self.waited_s = waited_s

    def settle(self, tokens: int | None) -> None:
        """The call was made and used so many tokens; ``None``: not known, the estimate stands."""
        self._end(Load(0, 0 if tokens is None else tokens - self._tokens))

    def release(self) -> None:
        """The call was never made: all of it is given back."""
        self._end(Load(-1, -self._tokens))

    def _end(self, correction: Load) -> None:
        meters, self._meters = self._meters, ()
        if meters:
            self._account.ended(meters, correction)


class Ask:
    """A call that waits."""

    __slots__ = ("deadline", "gate", "permit", "queued", "since")

    def __init__(self, gate: Gate, since: float, deadline: float) -> None:
        self.gate, self.since, self.deadline = gate, since, deadline
        self.permit: Future[Permit] = asyncio.get_running_loop().create_future()
        self.queued = True


class Account:
    """One key of a provider: its limits, and who waits for them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._turns = Turns()
        self._gates: dict[tuple[str, ...], Gate] = {}
        self._meters: dict[str, Meter] = {}
        self._deadlines: list[tuple[float, int, Place[Ask]]] = []
        self._timer: TimerHandle | None = None
        self.waiting = 0
        self.out = 0
        """Permits that have not ended."""

    def gate(self, rates: Mapping[str, Rates], names: tuple[str, ...], workers: int) -> Gate:
        """The way through these limits."""
        gate = self._gates.get(names)
        if gate is None:
            for name in names:
                self._meters.setdefault(name, Meter(rates[name], workers))
            meters = {name: self._meters[name] for name in names}
            gate = Gate(self, meters, Terms.of([rates[name] for name in names], workers), Lane(self._turns))
            self._gates[names] = gate
        return gate

    def now(self) -> float:
        """The time, in seconds."""
        return self._monotonic()

    def is_idle(self) -> bool:
        """Whether it may be forgotten, as a new one would be the same."""
        now = self._monotonic()
        return not self.waiting and not self.out and all(meter.is_full(now) for meter in self._meters.values())

    def permit(self, gate: Gate, tokens: int, now: float, since: float) -> Permit:
        """Take what the call needs."""
        for meter in gate.meters:
            meter.take(now, Load(1, tokens))
        self.out += 1
        return Permit(self, gate.meters, tokens, now - since)

    def ended(self, meters: Sequence[Meter], correction: Load) -> None:
        """A permit has ended, and used more or less than was taken for it."""
        self.out -= 1
        now = self._monotonic()
        for meter in meters:
            meter.take(now, correction)
        if self.waiting:
            self.pump()

    def join(self, tenant: str, tokens: int, ask: Ask) -> Place[Ask]:
        """Wait for a turn."""
        place = ask.gate.lane.push(tenant, tokens, ask)
        self.waiting += 1
        heappush(self._deadlines, (ask.deadline, place.number, place))
        self.pump()
        return place

    def leave(self, place: Place[Ask]) -> None:
        """Who waited is gone: nothing stays behind."""
        future = place.item.permit
        if future.cancelled():
            self._remove(place)
            self.pump()
        elif future.exception() is None:  # the permit and the cancellation crossed
            future.result().release()

    def pump(self) -> None:
        """Let go who can, in order, and set the timer for the next."""
        now = self._monotonic()
        self._expire(now)
        blocked: list[tuple[Place[Ask], float]] = []
        gates = [gate for gate in self._gates.values() if gate.lane.waiting]
        while gates:
            gate = min(gates, key=lambda one: one.lane.turn())
            head = gate.lane.first()
            if head.item.permit.done():  # cancelled, and not yet gone
                self._remove(head)
            elif (wait := self._held_up(head, now, blocked)) is None:
                self._serve(head, now)
            else:
                blocked.append((head, wait))
            if not gate.lane.waiting or not head.item.permit.done():
                gates.remove(gate)
        self._arm([wait for _, wait in blocked], now)

    def _held_up(self, head: Place[Ask], now: float, blocked: list[tuple[Place[Ask], float]]) -> float | None:
        """How long there is no room for it; ``None``: it may go. Not if that would delay somebody before it (as in the
        backfilling of batch schedulers): a small call that always fits would keep a large one waiting for ever.
        """
        meters = head.item.gate.meters
        wait = ready_in(meters, now, head.tokens)
        taken = Load(1, head.tokens)
        delays = any(
            meter in meters and meter.ready_in(now, other.tokens, taken) > until
            for other, until in blocked
            for meter in other.item.gate.meters
        )
        return wait if wait > 0 or delays else None

    def _serve(self, head: Place[Ask], now: float) -> None:
        ask = head.item
        self._turns.served(head.tenant, ask.gate.cost_s(head.tokens))
        self._remove(head)
        ask.permit.set_result(self.permit(ask.gate, head.tokens, now, ask.since))

    def _expire(self, now: float) -> None:
        while self._deadlines and (self._deadlines[0][0] < now or self._deadlines[0][2].item.permit.done()):
            place = heappop(self._deadlines)[2]
            if not place.item.permit.done():
                self._remove(place)
                place.item.permit.set_exception(place.item.gate.refusal(place.tenant, place.tokens, now))

    def _remove(self, place: Place[Ask]) -> None:
        if not place.item.queued:
            return
        place.item.queued = False
        place.item.gate.lane.remove(place)
        self.waiting -= 1
        if not self.waiting:
            self._turns.forget()

    def _arm(self, waits: list[float], now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.waiting:
            self._deadlines.clear()
            return
        delay = min([self._deadlines[0][0] - now, *(wait for wait in waits if wait > 0)])
        self._timer = asyncio.get_running_loop().call_later(max(delay, LEAST_DELAY_S), self.pump)


class Terms(NamedTuple):
    """How many may wait, and how long: the strictest of all limits."""

    queue: int
    wait_s: float

    @classmethod
    def of(cls, rates: Sequence[Rates], workers: int) -> Terms:
        """One worker's terms."""
        return cls(min(ceil(one.queue / workers) for one in rates), min(seconds(one.wait) for one in rates))


class Gate:
    """The way through the limits that a call has to keep, all at once."""

    def __init__(self, account: Account, meters: Mapping[str, Meter], terms: Terms, lane: Lane[Ask]) -> None:
        self._account, self._names, self._terms = account, ", ".join(f'[rates."{name}"]' for name in meters), terms
        self.meters = tuple(meters.values())
        self.lane = lane

    async def admit(self, tenant: str, tokens: int, deadline: float | None = None) -> Permit:
        """Wait for room and take it. ``tokens``: estimated, of prompt and reply; ``deadline``: on the monotonic clock,
        if the request has one. Raises ``RateLimited``, at once where it can be known at once.
        """
        account, now = self._account, self._account.now()
        if not account.waiting and ready_in(self.meters, now, tokens) <= 0:
            return account.permit(self, tokens, now, now)
        until = now + self._terms.wait_s if deadline is None else min(deadline, now + self._terms.wait_s)
        if self.lane.of(tenant) >= self._terms.queue or now + self._wait(tenant, tokens, now) > until:
            raise self.refusal(tenant, tokens, now)
        ask = Ask(self, now, until)
        place = account.join(tenant, tokens, ask)
        try:
            return await ask.permit
        except CancelledError:
            account.leave(place)
            raise

    def ready_in(self, tenant: str, tokens: int) -> float:
        """Seconds that a call would wait at least if it came now; infinite if it would be refused."""
        wait = self._wait(tenant, tokens, self._account.now())
        refused = wait > 0 and self.lane.of(tenant) >= self._terms.queue
        return float("inf") if refused or wait > self._terms.wait_s else wait

    def cost_s(self, tokens: int) -> float:
        """For how long a call uses up the scarcest of the limits."""
        return max(meter.lasts_s(tokens) for meter in self.meters)

    def refusal(self, tenant: str, tokens: int, now: float) -> RateLimited:
        """What somebody is told who cannot wait."""
        wait = self._wait(tenant, tokens, now)
        return RateLimited(
            f"the limit {self._names} is used up: {self.lane.waiting} calls wait, this one would for {wait:.1f} s or "
            f"more; raise the limit, its queue ({self._terms.queue} calls) or its wait ({self._terms.wait_s:g} s)",
            wait,
        )

    def _wait(self, tenant: str, tokens: int, now: float) -> float:
        return ready_in(self.meters, now, tokens, self.lane.ahead(tenant))


class Gates:
    """All limits of a worker; the workers share them by dividing."""

    def __init__(self, rates: Mapping[str, Rates], workers: int, monotonic: Callable[[], float]) -> None:
        self._rates, self._workers, self._monotonic = rates, workers, monotonic
        self._accounts: dict[tuple[str, Key], Account] = {}
        self._names = lru_cache(4096)(self._matching)
        self._most = MOST_ACCOUNTS

    def for_call(self, provider: str, key: Key, model: str | None) -> Gate | None:
        """The way through all limits of a call; ``None`` if nothing limits it."""
        names = self._names(provider, model)
        if not names:
            return None
        account = self._accounts.get((provider, key))
        if account is None:
            self._make_room()
            account = self._accounts[provider, key] = Account(self._monotonic)
        return account.gate(self._rates, names, self._workers)

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return sum(account.waiting for account in self._accounts.values())

    @property
    def out(self) -> int:
        """Permits that have been neither settled nor released."""
        return sum(account.out for account in self._accounts.values())

    def _matching(self, provider: str, model: str | None) -> tuple[str, ...]:
        return tuple(name for name in self._rates if _fits(name, provider, model))

    def _make_room(self) -> None:
        if len(self._accounts) >= self._most:
            self._accounts = {key: one for key, one in self._accounts.items() if not one.is_idle()}
            self._most = MOST_ACCOUNTS + 2 * len(self._accounts)


def _fits(name: str, provider: str, model: str | None) -> bool:
    owner, slash, pattern = name.partition("/")
    return owner == provider and (not slash or (model is not None and fnmatchcase(model, pattern)))
