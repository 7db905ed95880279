"""What a call costs, and the invoice: the truth that a ledger is held against."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from farthing.money import NANO, NanoUSD, divide_half_even
from farthing.simulator.catalog import Model, Price
from farthing.types import TOKEN_CLASSES, Api, Usage

_TIERS: Mapping[str, Decimal] = MappingProxyType({"flex": Decimal("0.5"), "batch": Decimal("0.5")})
_MILLION = 1_000_000


def cost(price: Price, usage: Usage, tier: str = "default") -> NanoUSD:
    """The sum of tokens times price over the disjoint classes, rounded once, half to even, to nano-dollars."""
    dollars_per_million = Decimal(0)
    for name in TOKEN_CLASSES:
        each: Decimal | None = getattr(price, name)
        dollars_per_million += getattr(usage, name) * (price.input if each is None else each)
    numerator, denominator = (dollars_per_million * _TIERS.get(tier, Decimal(1)) * NANO).as_integer_ratio()
    return NanoUSD(divide_half_even(numerator, denominator * _MILLION))


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One billed call. ``request_id`` is the one in the reply's headers; ``ts`` the (virtual) time of the request."""

    request_id: str
    response_id: str
    model: str
    api: Api
    path: str
    tier: str
    ts: float
    nano_usd: int
    tokens: Usage
    complete: bool
    """Whether the reply was sent to its end; else only the output that was sent is billed."""


class Invoice:
    """Every billed call since the start, or since the last ``reset``."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    @property
    def total_nano_usd(self) -> int:
        """The whole bill."""
        return sum(line.nano_usd for line in self.lines)

    def by_model(self) -> dict[str, dict[str, int]]:
        """Requests, tokens by class and nano-dollars of every model."""
        table: dict[str, dict[str, int]] = {}
        for line in self.lines:
            row = table.setdefault(line.model, dict.fromkeys(("requests", *TOKEN_CLASSES, "nano_usd"), 0))
            row["requests"] += 1
            row["nano_usd"] += line.nano_usd
            for name in TOKEN_CLASSES:
                row[name] += getattr(line.tokens, name)
        return table

    def report(self, *, lines: bool = False) -> dict[str, Any]:
        """The invoice as ``GET /_invoice`` gives it."""
        head: dict[str, Any] = {
            "total_nano_usd": self.total_nano_usd,
            "requests": len(self.lines),
            "by_model": self.by_model(),
        }
        return head | {"lines": msgspec.to_builtins(self.lines)} if lines else head


def line_for(model: Model, usage: Usage, **facts: Any) -> Line:  # noqa: ANN401 - the other fields of Line
    """A line at the model's price."""
    return Line(
        model=model.name, api=model.api, tokens=usage, nano_usd=cost(model.price, usage, facts["tier"]), **facts
    )
