"""When a call that failed is worth another, and how long to wait first. Pure.

What is retried is what OpenAI's and Anthropic's own clients retry (408, 409, 429, 5xx, Anthropic's 529, a connection
that could not be made or broke off before the answer), and never what cannot get better: a quota that is used up, a
bill that is not paid. The provider has the last word: ``x-should-retry``, ``retry-after-ms``, ``retry-after``.

Waits grow exponentially with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import msgspec

from farthing.types import Headers

STATUSES = frozenset({408, 409, 429})
HOPELESS = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached", "credit_balance_too_low"})
"""Error codes of a 429 or 5xx that waiting does not change."""
FIRST_S = 0.5
LONGEST_S = 8.0


class Failure(msgspec.Struct, frozen=True):
    """How a call ended: ``status`` is ``None`` where there was no answer; ``code`` is the provider's or our own."""

    status: int | None
    code: str | None
    headers: Headers = []


def is_transient(failure: Failure) -> bool:
    """Whether the same call may succeed later."""
    if failure.status is None:
        return failure.code in {"farthing_upstream_unreachable", "farthing_upstream_closed"}
    if (told := _header(failure.headers, b"x-should-retry")) is not None:
        return told == "true"
    return (failure.status in STATUSES or failure.status >= 500) and failure.code not in HOPELESS


def wait_s(failure: Failure, attempt: int, jitter: float, now: float) -> float:
    """Seconds to wait before the next call. ``attempt``: how many there were; ``jitter``: random, 0 to 1;
    ``now``: seconds since the epoch.
    """
    asked = _asked(failure.headers, now)
    if asked is not None:
        return asked
    return min(LONGEST_S, FIRST_S * 2 ** (attempt - 1)) * jitter


def _asked(headers: Headers, now: float) -> float | None:
    """How long the provider wants to be left alone; ``None`` if it does not say."""
    millis = _number(_header(headers, b"retry-after-ms"))
    if millis is not None:
        return millis / 1000
    text = _header(headers, b"retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _header(headers: Headers, name: bytes) -> str | None:
    return next((value.decode("latin-1").strip().lower() for key, value in headers if key == name), None)


class Budget:
    """Retries as a share of requests, so that a provider that is down is not hit twice as hard.

    Each request earns ``share`` of a retry; at most ``most`` are saved up. (The retry budget of Finagle and Envoy.)
    """

    def __init__(self, share: float, most: float = 10.0) -> None:
        self._share, self._most = share, most
        self._saved = most

    def earn(self) -> None:
        """A request has come."""
        self._saved = min(self._most, self._saved + self._share)

    def spend(self) -> bool:
        """Take one retry, if there is one."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
