"""How far token estimates are off, by model: learned from what providers bill. Pure; times from the caller."""

from __future__ import annotations

WEIGHT = 0.2
"""Of the latest comparison: templates change."""
EVERY_S = 10.0
"""To count a long prompt takes milliseconds in which nobody is served."""
MOST = 1_000
LEAST, LARGEST = 0.2, 5.0
"""What is further off is a mistake of somebody's, not a property of a tokenizer."""


class Calibration:
    """Factor between an estimate and the tokens that were billed."""

    def __init__(self) -> None:
        self._factors: dict[str, float] = {}
        self._noted: dict[str, float] = {}

    def factor(self, model: str | None) -> float:
        """What an estimate for this model has to be multiplied by."""
        return self._factors.get(model or "", 1.0)

    def is_due(self, model: str | None, now: float) -> bool:
        """Whether another comparison is worth its while."""
        return now - self._noted.get(model or "", float("-inf")) >= EVERY_S

    def note(self, model: str | None, estimated: int, billed: int, now: float) -> None:
        """A call whose prompt was estimated at so many tokens was billed for so many."""
        if estimated <= 0 or billed <= 0:
            return
        name, ratio = model or "", min(LARGEST, max(LEAST, billed / estimated))
        if len(self._noted) >= MOST and name not in self._noted:  # names come from clients
            self._factors.clear()
            self._noted.clear()
        known = self._factors.get(name)
        self._factors[name] = ratio if known is None else known + WEIGHT * (ratio - known)
        self._noted[name] = now
