"""What a provider call came to: usage, price, and where the figure comes from. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from farthing.ledger.records import Call
from farthing.types import CostSource, Outcome, Usage

FREE_OPERATIONS = frozenset({"models", "count_tokens"})
FREE_PATHS = ("/v1/files", "/v1/uploads", "/v1/batches", "/v1/moderations", "/v1/messages/batches")
"""Calls that providers do not bill themselves (the requests of a batch are billed in its results)."""

CLIENT_GONE = "client_gone"


class Priced(Protocol):
    """A price for a usage: ``cost_nano`` is ``None`` where no price is known."""

    @property
    def cost_nano(self) -> int | None: ...
    @property
    def source(self) -> CostSource: ...
    @property
    def version(self) -> str: ...


Price = Callable[[str, Usage, str | None], Priced]
"""(model, usage, service tier) → price."""


def billable(method: str, operation: str, path: str) -> bool:
    """Whether a call of this kind can be on the provider's bill."""
    return method == "POST" and operation not in FREE_OPERATIONS and not path.startswith(FREE_PATHS)


def close_call(
    call: Call, outcome: Outcome, *, billable: bool, price: Price, estimate: Callable[[], Usage | None]
) -> Call:
    """The call with usage and cost. ``estimate`` is asked only where a reply that is billed carried no usage."""
    known = msgspec.structs.replace(
        call,
        model_reported=outcome.model,
        error=call.error or outcome.error,
        finish_reason=outcome.finish_reason,
        service_tier=outcome.service_tier,
        usage=outcome.usage,
        raw_usage=outcome.raw_usage.decode() if outcome.raw_usage else None,
    )
    if call.status is None:
        # Hung up before the provider answered: it may or may not be billed. Anything else never got there.
        unknown = call.error == CLIENT_GONE and billable
        return _costs(known, None if unknown else 0, "unsettled" if unknown else "free", None)
    if outcome.usage is None and (call.status >= 400 or not billable):
        return _costs(known, 0, "free", None)
    usage, exact = _usage(outcome, estimate)
    if usage is None:
        return _costs(known, None, "unpriced", None)
    priced = _price(known, usage, price)
    estimated = not exact and priced.source == "usage"
    known = msgspec.structs.replace(known, usage=usage)
    return _costs(known, priced.cost_nano, "estimated" if estimated else priced.source, priced.version)


def _usage(outcome: Outcome, estimate: Callable[[], Usage | None]) -> tuple[Usage | None, bool]:
    """The tokens of a reply, and whether the provider itself said all of them."""
    if outcome.usage is not None and not outcome.partial_usage:
        return outcome.usage, True
    guess = estimate()
    if outcome.usage is None or guess is None:
        return outcome.usage or guess, False
    output = max(outcome.usage.output, guess.output)
    return msgspec.structs.replace(outcome.usage, output=output), False


def _price(call: Call, usage: Usage, price: Price) -> Priced:
    """By the model that the provider reports, else by the one that was asked for."""
    names = [name for name in (call.model_reported, call.model) if name] or [""]
    priced = price(names[0], usage, call.service_tier)
    return price(names[-1], usage, call.service_tier) if priced.cost_nano is None and len(names) > 1 else priced


def _costs(call: Call, cost: int | None, source: CostSource, version: str | None) -> Call:
    return msgspec.structs.replace(call, cost_nano=cost, cost_source=source, price_version=version)


def total(calls: list[Call]) -> int | None:
    """The cost of all calls; ``None`` while any is unknown. No call costs nothing."""
    amount = 0
    for call in calls:
        if call.cost_nano is None:
            return None
        amount += call.cost_nano
    return amount
