"""From prices in dollars to the exact cost of a call.

A rate is an integer, in 10⁻¹² dollars per million units, so that every price with nine decimals and every multiplier
with three is exact. A call's cost is the sum of units times rate, divided once, half to even, into nano-dollars.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Literal, cast

import msgspec

from farthing.money import divide_half_even
from farthing.types import Usage

CLASSES = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "input_audio",
    "cache_read_audio",
    "output_audio",
    "input_image",
    "output_image",
    "web_searches",
)
"""The classes of ``Usage`` that are billed. ``reasoning`` is part of ``output``."""

PER_CALL = "requests"
PER_THOUSAND = frozenset({"web_searches", PER_CALL})
"""Priced in dollars per thousand, and never discounted by a tier."""

PRICED = frozenset({*CLASSES, PER_CALL})

RATE = 10**12
"""Rate of one dollar per million units."""
NANO_RATE = 10**9
"""Units times rate in one nano-dollar."""

Rates = dict[str, int]
Prices = Mapping[str, Sequence[tuple[int, Decimal]]]
"""Class → ((more than so many prompt tokens, dollars), …), ascending from 0."""

_counts = cast("Callable[[Usage], tuple[int, ...]]", attrgetter(*CLASSES))


class Priced(msgspec.Struct, frozen=True, gc=False):
    """What a call cost. ``cost_nano`` is ``None`` iff the source is ``unpriced``; ``version`` then says why."""

    cost_nano: int | None
    source: Literal["usage", "unpriced"]
    version: str


class Fallback(msgspec.Struct, frozen=True):
    """What a class costs that an entry has no price for: a multiple of another class, or a fixed price."""

    name: str
    """The class."""
    like: str | None = None
    times: Decimal = Decimal(1)
    usd: Decimal | None = None
    provider: str | None = None
    """Only for this provider's list."""
    model: str | None = None
    """Only for models with this in their name."""

    def applies(self, providers: Collection[str], models: Collection[str]) -> bool:
        known = self.model is None or any(self.model in name for name in models)
        return known and (self.provider is None or self.provider in providers)


class Card(msgspec.Struct, frozen=True):
    """The rates that hold for one model, tier and time. ``steps``: (more than so many prompt tokens, rates in the order
    of ``CLASSES``), the highest first. Without steps the model is unpriced, and ``version`` says why.
    """

    version: str
    steps: tuple[tuple[int, tuple[int | None, ...]], ...] = ()
    per_call: int = 0

    def price(self, usage: Usage) -> Priced:
        if not self.steps:
            return Priced(None, "unpriced", self.version)
        start, rates = self.steps[-1]
        if len(self.steps) > 1:
            prompt = usage.prompt_tokens
            start, rates = next(step for step in self.steps if prompt > step[0] or step[0] == 0)
        total = self.per_call
        for count, rate in zip(_counts(usage), rates, strict=True):
            if count:
                if rate is None or count < 0:
                    return Priced(None, "unpriced", self._why(usage, rates))
                total += count * rate
        version = self.version if start == 0 else f"{self.version} >{start}"
        return Priced(divide_half_even(total, NANO_RATE), "usage", version)

    def _why(self, usage: Usage, rates: tuple[int | None, ...]) -> str:
        bad = [
            name for name, n, rate in zip(CLASSES, _counts(usage), rates, strict=True) if n < 0 or (n and rate is None)
        ]
        return f"{self.version}: no price for {', '.join(bad)}"


def card(version: str, prices: Prices, fallbacks: Sequence[Fallback], multiplier: Decimal = Decimal(1)) -> Card:
    """Compile prices. ``multiplier`` is a tier's, for tokens; the fallbacks are those that apply, in order."""
    if not prices:
        return Card(f"{version}: the entry has no prices")
    starts = sorted({start for steps in prices.values() for start, _ in steps} | {0}, reverse=True)
    steps = tuple((start, _row(_at(prices, start, multiplier), fallbacks)) for start in starts)
    return Card(version, steps, _at(prices, 0, multiplier).get(PER_CALL, 0))


def _at(prices: Prices, start: int, multiplier: Decimal) -> Rates:
    """The rates of a prompt with just more than ``start`` tokens."""
    found: Rates = {}
    for name, steps in prices.items():
        usd = next((usd for begin, usd in reversed(steps) if begin <= start), None)
        if usd is not None:
            found[name] = rate(usd, name, multiplier)
    return found


def _row(rates: Rates, fallbacks: Sequence[Fallback]) -> tuple[int | None, ...]:
    filled = dict(rates)
    for fallback in fallbacks:
        if fallback.name in filled:
            continue
        if fallback.usd is not None:
            filled[fallback.name] = rate(fallback.usd, fallback.name)
        elif fallback.like in filled:
            filled[fallback.name] = _exact(filled[fallback.like] * fallback.times)
    return tuple(filled.get(name) for name in CLASSES)


def rate(usd: Decimal, name: str, multiplier: Decimal = Decimal(1)) -> int:
    """Dollars per million (searches, calls: per thousand) → rate."""
    return _exact(usd * 1000 * RATE) if name in PER_THOUSAND else _exact(usd * multiplier * RATE)


def _exact(value: Decimal) -> int:
    # Nine decimals of a price and three of each of two multipliers may exceed a rate's twelve by a hair.
    return int(value.to_integral_value())


def dollars(rate: int, name: str) -> str:
    """The rate as dollars per million (searches, calls: per thousand)."""
    value = Decimal(rate) / (RATE * 1000 if name in PER_THOUSAND else RATE)
    return f"{value.normalize():f}"
