"""Money is an integer number of nano-dollars: 1 USD = 1,000,000,000. No floats, one rounding, half to even."""

from __future__ import annotations

from typing import NewType

NanoUSD = NewType("NanoUSD", int)
"""An amount in nano-dollars. ``None`` stands for an unknown amount, never 0."""

NANO = 1_000_000_000


def divide_half_even(numerator: int, denominator: int) -> int:
    """The quotient of two integers, rounded half to even.

    >>> divide_half_even(5, 2), divide_half_even(7, 2), divide_half_even(-5, 2)
    (2, 4, -2)
    """
    if denominator <= 0:
        raise ValueError("denominator must be positive")
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient % 2):
        quotient += 1
    return quotient


def usd(amount: int) -> str:
    """The amount as an exact decimal string in dollars, without trailing zeros.

    >>> usd(1_500_000_000), usd(250), usd(0), usd(-1)
    ('1.5', '0.00000025', '0', '-0.000000001')
    """
    sign = "-" if amount < 0 else ""
    whole, nano = divmod(abs(amount), NANO)
    return f"{sign}{whole}.{nano:09d}".rstrip("0").rstrip(".")
