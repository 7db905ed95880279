"""Prices history again, from the usage that was kept. Pure; ``corrections`` writes it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from farthing.ledger.bills import with_calls
from farthing.ledger.records import Call, Settled
from farthing.prices.rates import Priced
from farthing.types import Usage

PriceOf = Callable[[Settled, Call, str, Usage], Priced]
"""(request, its call, a name of the model, usage) → price."""

STATEMENT = "statement "
"""How the price version of a call begins whose cost a provider's statement has told."""
REPRICED = frozenset({"usage", "estimated", "unpriced"})
"""Free calls stay free; what is not known cannot be priced."""


class Moved(msgspec.Struct):
    """What repricing does to the calls of one model."""

    provider: str
    model: str
    calls: int = 0
    was_nano_usd: int = 0
    """Of those that had a price."""
    becomes_nano_usd: int = 0
    newly_priced: int = 0
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    """Old price version → new one."""


class Reprice:
    """A change for ``corrections.correct`` that remembers what it did.

    A price that is known is never given up for an unknown one: ``kept`` counts such calls. A statement of the
    provider's own is no price of ours, and stays.
    """

    def __init__(self, price: PriceOf, model: str | None = None, provider: str | None = None) -> None:
        self._price, self._model, self._provider = price, model, provider
        self._moved: dict[tuple[str, str], Moved] = {}
        self.kept = 0

    @property
    def moved(self) -> list[Moved]:
        """The largest change first."""
        return sorted(self._moved.values(), key=lambda one: -abs(one.becomes_nano_usd - one.was_nano_usd))

    def __call__(self, request: Settled) -> Settled | None:
        """The request at these prices; ``None`` if they are its own."""
        calls = [self._priced(request, call) if self._wants(call) else call for call in request.calls]
        return (
            None
            if all(new is old for new, old in zip(calls, request.calls, strict=True))
            else with_calls(request, calls)
        )

    def _wants(self, call: Call) -> bool:
        if call.usage is None or call.cost_source not in REPRICED or (call.price_version or "").startswith(STATEMENT):
            return False
        names = (call.model, call.model_reported)
        return self._model in (None, *names) and self._provider in (None, call.provider)

    def _priced(self, request: Settled, call: Call) -> Call:
        assert call.usage is not None  # noqa: S101 - for the type checker: see _wants
        found = self._price(request, call, call.model_reported or call.model or "", call.usage)
        if found.cost_nano is None and call.model_reported and call.model and call.model != call.model_reported:
            found = self._price(request, call, call.model, call.usage)
        if found.cost_nano is None or found.cost_nano == call.cost_nano:
            self.kept += found.cost_nano is None and call.cost_nano is not None
            return call
        self._note(call, found.cost_nano, found.version)
        source = "estimated" if call.cost_source == "estimated" else "usage"
        return msgspec.structs.replace(call, cost_nano=found.cost_nano, cost_source=source, price_version=found.version)

    def _note(self, call: Call, cost: int, version: str) -> None:
        key = call.provider, call.model_reported or call.model or ""
        its = self._moved.setdefault(key, Moved(*key))
        its.calls += 1
        its.was_nano_usd += call.cost_nano or 0
        its.becomes_nano_usd += cost
        its.newly_priced += call.cost_nano is None
        its.versions[call.price_version or ""] = version
