"""Figures for people."""

from __future__ import annotations

from decimal import Decimal

UNKNOWN = "\N{EN DASH}"
NAMELESS = "(none)"


def dollars(nano: int | None) -> str:
    """Nano-dollars: two decimals from a cent on, below that two significant digits."""
    if nano is None:
        return UNKNOWN
    sign, amount = ("-" if nano < 0 else ""), Decimal(abs(nano)) / 10**9
    if amount == 0 or amount >= Decimal("0.01"):
        return f"{sign}${amount:,.2f}"
    return f"{sign}${amount:.{1 - amount.adjusted()}f}"


def share(part: int, whole: int) -> str:
    """Percent, or a dash where there is nothing to share."""
    return f"{part / whole:.0%}" if whole > 0 else UNKNOWN


def count(number: int) -> str:
    """A number that is exact up to six digits, then rounded: 1,234 or 12.3M."""
    for size, unit in ((10**9, "B"), (10**6, "M")):
        if number >= size:
            return f"{number / size:,.1f}{unit}"
    return f"{number:,}"


def duration(micros: int | None) -> str:
    """Microseconds as µs, ms or s."""
    if micros is None:
        return UNKNOWN
    if micros < 1_000:
        return f"{micros} µs"
    return f"{micros / 1000:.0f} ms" if micros < 1_000_000 else f"{micros / 1_000_000:.1f} s"


def plural(number: int, thing: str) -> str:
    """``1 call``, ``2 calls``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
