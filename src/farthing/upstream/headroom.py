"""How much a provider still lets through, learned from what its replies say: so one need not run into the wall.

OpenAI and those like it send ``x-ratelimit-{limit,remaining}-{requests,tokens}``, Anthropic
``anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining}``. A limit is an amount a minute
that refills all the time. A reply's figure is of the moment when its request was counted, and what was sent since has
to be taken off. Pure; times in seconds on any clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from farthing.types import Headers

Kind = Literal["requests", "tokens", "input", "output"]
_KINDS: dict[bytes, Kind] = {
    b"requests": "requests",
    b"tokens": "tokens",
    b"input-tokens": "input",
    b"output-tokens": "output",
}
_LIMIT: dict[bytes, Kind] = {
    spelt % name: kind
    for name, kind in _KINDS.items()
    for spelt in (b"x-ratelimit-limit-%b", b"anthropic-ratelimit-%b-limit")
}
_REMAINING: dict[bytes, Kind] = {
    spelt % name: kind
    for name, kind in _KINDS.items()
    for spelt in (b"x-ratelimit-remaining-%b", b"anthropic-ratelimit-%b-remaining")
}
_NOTHING = 1e-9
_OVERTAKEN_S = 0.5
"""Requests overtake one another on their way. Where they follow each other more closely than this, what flows in
meanwhile stays in reserve: without it every tenth meets the wall if the way takes 0.1 s more or less."""


class Need(msgspec.Struct, frozen=True, gc=False):
    """What a request takes off the limits; tokens are estimates."""

    input: int
    output: int

    @property
    def tokens(self) -> int:
        """Both."""
        return self.input + self.output

    def amount(self, kind: Kind) -> int:
        """Of one limit."""
        return 1 if kind == "requests" else self.tokens if kind == "tokens" else getattr(self, kind)


class Told(msgspec.Struct, frozen=True, gc=False):
    """A limit as a reply has it."""

    limit: int
    remaining: int


def told(headers: Headers) -> dict[Kind, Told]:
    """The limits that a reply tells of; none that are unknown (0 or -1 on some services)."""
    limits: dict[Kind, int] = {}
    left: dict[Kind, int] = {}
    for name, value in headers:
        if b"ratelimit" in name and value.isdigit():
            if kind := _LIMIT.get(name):
                limits[kind] = int(value)
            elif kind := _REMAINING.get(name):
                left[kind] = int(value)
    return {kind: Told(limit, left[kind]) for kind, limit in limits.items() if limit > 0 and kind in left}


class Mark(NamedTuple):
    """A meter when a request went out, to compare the reply's figure with."""

    number: int
    taken: float
    level: float
    corrected: float


class Meter:
    """One limit: what is left of it by one's own reckoning, corrected by what replies say.

    A reply's figure is a whole number, so anything up to one more is no contradiction.
    """

    __slots__ = ("_at", "_corrected", "_latest", "_level", "_limit", "_number")

    def __init__(self) -> None:
        self._limit = self._level = self._at = self._corrected = 0.0
        self._number = self._latest = 0

    def send(self, amount: int, now: float) -> Mark:
        """A request goes out."""
        self._refill(now)
        taken = min(amount, self._limit)
        self._level -= taken
        self._number += 1
        return Mark(self._number, taken, self._level, self._corrected)

    def take_back(self, mark: Mark) -> None:
        """The request with this mark never went out."""
        self._level += mark.taken
        self._corrected += mark.taken

    def learn(self, news: Told, mark: Mark | None, at: float) -> None:
        """A reply to the request with this mark, which went out at ``at``.

        No mark: nothing was known of this limit then. Older news than the last are none.
        """
        if mark is None:
            if not self._limit:
                self._limit, self._level, self._at = news.limit, news.remaining, at
            self._level = min(self._level, news.remaining)
            return
        if mark.number <= self._latest:
            return
        self._limit, self._latest = news.limit, mark.number
        reckoned = mark.level + self._corrected - mark.corrected
        if not news.remaining <= reckoned < news.remaining + 1:
            correction = news.remaining - reckoned
            self._level += correction
            self._corrected += correction

    def ready_in(self, amount: int, now: float, behind: int = 0) -> float:
        """Seconds until so much may be sent, as far as one can know; ``behind`` so many others that need as much.

        What is more than the whole limit never fits, so there is nothing to wait for: the provider has the word.
        """
        if not self._limit or amount > self._limit:
            return 0.0
        self._refill(now)
        lacking = max(amount, self._limit * _OVERTAKEN_S / 60) + amount * behind - self._level
        return lacking * 60 / self._limit if lacking > _NOTHING else 0.0

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._level = min(self._limit, self._level + (now - self._at) * self._limit / 60)
            self._at = now


class Headroom:
    """All limits of one key at one model."""

    def __init__(self) -> None:
        self._meters: dict[Kind, Meter] = {}

    def send(self, need: Need, now: float) -> Mapping[Kind, Mark]:
        """A request goes out; gives its marks."""
        return {kind: meter.send(need.amount(kind), now) for kind, meter in self._meters.items()}

    def take_back(self, marks: Mapping[Kind, Mark]) -> None:
        """The request with these marks never went out."""
        for kind, mark in marks.items():
            self._meters[kind].take_back(mark)

    def learn(self, headers: Headers, marks: Mapping[Kind, Mark], at: float) -> None:
        """What the reply to the request with these marks says, which went out at ``at``."""
        for kind, one in told(headers).items():
            self._meters.setdefault(kind, Meter()).learn(one, marks.get(kind), at)

    def ready_in(self, need: Need, now: float, behind: int = 0) -> float:
        """Seconds until there is room for a request, and for so many others that wait already."""
        waits = [meter.ready_in(need.amount(kind), now, behind) for kind, meter in self._meters.items()]
        return max(waits, default=0.0)
