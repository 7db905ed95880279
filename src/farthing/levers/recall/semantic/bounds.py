"""Limits on a rate from counts: for one look (Clopper and Pearson, 1934), and for as many looks as one likes.

The second kind is a confidence sequence: the beta mixture of likelihood ratios against the true rate is a martingale
that begins at 1, so by Ville's inequality (1939) it ever reaches ``1 / doubt`` with a probability of at most ``doubt``
(Robbins, 1970; Howard, Ramdas, McAuliffe and Sekhon, 2021). The rates it rejects stay rejected.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, lgamma, log, log1p
from typing import NamedTuple

STEPS = 60
"""Of a bisection: beyond the precision of a float between 0 and 1."""


class Prior(NamedTuple):
    """Where the mixture lays its weight, a beta distribution. Any choice is valid; a good one is tight."""

    wrong: float = 0.5
    right: float = 0.5


def clopper_pearson(wrong: int, seen: int, doubt: float = 0.05) -> tuple[float, float]:
    """Exact two-sided limits of the rate behind ``wrong`` of ``seen``; for one look. (0, 1) if nothing was seen."""
    low = 0.0 if wrong == 0 else _where(lambda rate: at_least(wrong, seen, rate) > doubt / 2)
    high = 1.0 if wrong == seen else _where(lambda rate: at_most(wrong, seen, rate) < doubt / 2)
    return low, high


def at_most(wrong: int, seen: int, rate: float) -> float:
    """Probability of so many wrong or fewer among ``seen``."""
    return 1.0 if wrong >= seen else incomplete_beta(seen - wrong, wrong + 1, 1 - rate)


def at_least(wrong: int, seen: int, rate: float) -> float:
    """Probability of so many wrong or more among ``seen``."""
    return 1.0 if wrong <= 0 else incomplete_beta(wrong, seen - wrong + 1, rate)


def upper_always(wrong: float, right: float, doubt: float, prior: Prior = Prior()) -> float:  # noqa: B008 - frozen
    """A limit that the true rate passes at no time, but for a probability of ``doubt``."""
    return _where(lambda rate: is_below(rate, wrong, right, doubt, prior))


def is_below(rate: float, wrong: float, right: float, doubt: float, prior: Prior = Prior()) -> bool:  # noqa: B008
    """Whether ``upper_always`` is at most ``rate``, without the search for it."""
    return wrong <= rate * (wrong + right) and log_evidence(wrong, right, rate, prior) >= -log(doubt)


def log_evidence(wrong: float, right: float, rate: float, prior: Prior = Prior()) -> float:  # noqa: B008 - frozen
    """Logarithm of the mixture's likelihood ratio against ``rate``: large where the counts speak against it."""
    if (rate <= 0 and wrong > 0) or (rate >= 1 and right > 0):
        return inf
    mixed = _log_beta(prior.wrong + wrong, prior.right + right) - _log_beta(prior.wrong, prior.right)
    return mixed - (wrong * log(rate) if wrong else 0.0) - (right * log1p(-rate) if right else 0.0)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = exp(a * log(x) + b * log1p(-x) - _log_beta(a, b)) / a
    tiny = 1e-300
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1), tiny)
    found = d
    for step in range(1, 1000):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        before = found
        for part in (even, odd):
            d = 1 / _off_zero(1 + part * d, tiny)
            c = _off_zero(1 + part / c, tiny)
            found *= c * d
        if abs(found - before) <= 1e-14 * abs(found):
            break
    return front * found


def _off_zero(value: float, tiny: float) -> float:
    return tiny if abs(value) < tiny else value


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _where(beyond: Callable[[float], bool]) -> float:
    """The rate from which on ``beyond`` holds."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return high
