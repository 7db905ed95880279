"""Many amounts as one integer, a field of 96 bits for each: adding two rows of them is one addition. Pure.

Each amount must fit 64 bits, as the ledger's columns do; then a field has room for the sum of two thousand million.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from struct import Struct

FIELD = 96
CELL = "Q4x"
"""The same, to ``struct``."""


class Fields:
    """Which amount is in which field: those that are seldom other than 0 come last, to keep most integers short."""

    def __init__(self, names: Sequence[str], *first: str) -> None:
        order = [*first, *(name for name in names if name not in first)]
        self.at = {name: place * FIELD for place, name in enumerate(order)}
        """Name → how far to the left its amount is shifted."""
        self._in_order = itemgetter(*(order.index(name) for name in names))
        self._layout = Struct("<" + CELL * len(order))
        every = sum(1 << at for at in self.at.values())
        self._beyond_63, self._beyond_64 = (every * ((1 << FIELD) - (1 << bits)) for bits in (63, 64))
        self._middles = every << 63

    def amounts(self, packed: int) -> tuple[int, ...]:
        """In the order of the names. Raises ``OverflowError`` if one of them does not fit 64 bits."""
        if packed >= 0 and not packed & self._beyond_63:
            return self._in_order(self._layout.unpack(packed.to_bytes(self._layout.size, "little")))
        packed += self._middles  # perhaps there are negative ones: now all are positive
        if packed & self._beyond_64:
            raise OverflowError("a sum is beyond 64 bits")
        found = self._layout.unpack(packed.to_bytes(self._layout.size, "little"))
        return tuple([amount - (1 << 63) for amount in self._in_order(found)])
