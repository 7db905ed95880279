"""Two sets of books about the same calls, the provider's invoice and farthing's ledger, and where they differ. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import sqrt
from typing import NamedTuple

import msgspec

TOKENS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
Z95 = 1.959964


class Bill(msgspec.Struct, frozen=True):
    """One model of the provider's invoice."""

    requests: int
    input: int
    cached: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    nano_usd: int


class Line(msgspec.Struct, frozen=True):
    """One billed call."""

    provider_request_id: str
    nano_usd: int


class Invoice(msgspec.Struct, frozen=True):
    """``GET /_invoice?lines=1`` of the provider."""

    total_nano_usd: int
    requests: int
    by_model: dict[str, Bill]
    lines: list[Line]


class Sums(msgspec.Struct, frozen=True):
    """A row, or the total, of ``farthing report --json``."""

    requests: int
    provider_calls: int
    cost_nano_usd: int
    baseline_nano_usd: int
    saved_nano_usd: int
    unpriced_calls: int
    unsettled_calls: int
    hits_exact: int
    hits_semantic: int
    tokens: dict[str, int]
    key: str | None = None


class Ledger(msgspec.Struct, frozen=True):
    """``farthing report --json --by model``."""

    total: Sums
    rows: list[Sums]


class Call(msgspec.Struct, frozen=True):
    """A provider call of ``farthing requests --json``; what is not known is ``None``."""

    provider_request_id: str | None
    cost_nano_usd: int | None


class Request(msgspec.Struct, frozen=True):
    """One line of ``farthing requests --json``."""

    calls: list[Call]


class Difference(NamedTuple):
    """``model`` may also be all of them, or ``what`` a call."""

    model: str
    what: str
    invoice: int
    ledger: int

    def __str__(self) -> str:
        return f"{self.model} {self.what}: invoice {self.invoice:,}, ledger {self.ledger:,}, {self.by:+,}"

    @property
    def by(self) -> int:
        return self.ledger - self.invoice


def book_differences(invoice: Invoice, ledger: Ledger) -> list[Difference]:
    """Of the totals, then of every model: calls, nano-dollars and every token class."""
    total, ours = Counter({"nano_usd": invoice.total_nano_usd, "calls": invoice.requests}), ledger.total
    found = list(_differences("all models", total, {"nano_usd": ours.cost_nano_usd, "calls": ours.provider_calls}))
    billed = {model: _billed(bill) for model, bill in invoice.by_model.items()}
    booked = {row.key or "(no model)": _booked(row) for row in ledger.rows}
    for model in sorted(billed | booked):
        found += _differences(model, billed.get(model, {}), booked.get(model, {}))
    return found


def call_differences(invoice: Invoice, requests: Iterable[Request]) -> list[Difference]:
    """The single calls, by the provider's request id. What one side does not have counts as 0 there."""
    billed, booked = Counter[str](), Counter[str]()
    for line in invoice.lines:
        billed[line.provider_request_id] += line.nano_usd
    for call in (call for request in requests for call in request.calls):
        booked[call.provider_request_id or "(no request id)"] += call.cost_nano_usd or 0
    return list(_differences("call", billed, booked))


def _billed(bill: Bill) -> dict[str, int]:
    tokens = (bill.input, bill.cached, bill.cache_write_5m, bill.cache_write_1h, bill.output)
    return {"calls": bill.requests, "nano_usd": bill.nano_usd, **dict(zip(TOKENS, tokens, strict=True))}


def _booked(row: Sums) -> dict[str, int]:
    return {"calls": row.provider_calls, "nano_usd": row.cost_nano_usd, **{name: row.tokens[name] for name in TOKENS}}


def _differences(model: str, invoice: Mapping[str, int], ledger: Mapping[str, int]) -> Iterator[Difference]:
    for what in dict.fromkeys([*invoice, *ledger]):
        one = Difference(model, what, invoice.get(what, 0), ledger.get(what, 0))
        if one.by:
            yield one


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95% interval of a share; of nothing everything is possible."""
    if not of:
        return 0.0, 1.0
    share, spread = hits / of, Z95**2 / of
    middle = share + spread / 2
    reach = Z95 * sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))


def usd(nano: int) -> str:
    """Every digit: the books are exact."""
    return f"{'-' if nano < 0 else ''}{abs(nano) // 10**9:,}.{abs(nano) % 10**9:09d}"
