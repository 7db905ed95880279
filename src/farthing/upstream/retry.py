"""What a failed call means: whether another may succeed, where, and how long to wait first. Pure.

What is retried is what OpenAI's and Anthropic's own clients retry (408, 409, 429, 5xx, Anthropic's 529, a connection
that could not be made or broke off before the answer), and never what cannot get better: a quota that is used up, a
bill that is not paid. The provider has the last word: ``x-should-retry``, ``retry-after-ms``, ``retry-after``.

Waits grow exponentially with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

from farthing.types import Headers

Verdict = Literal["again", "elsewhere", "key", "final"]
"""``again``: the same call may succeed later, or elsewhere now. ``elsewhere``: not here. ``key``: not with this key.
``final``: it is the request's own fault.
"""

STATUSES = frozenset({408, 409, 429, 498})
"""Besides 5xx. 498: Groq's flex tier has no room."""
AGAIN = frozenset({"farthing_upstream_unreachable", "farthing_upstream_closed", "farthing_upstream_cut"})
HOPELESS = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached", "credit_balance_too_low"})
"""Error codes that waiting does not change, but another key may."""
NO_MONEY = b"credit balance is too low"
"""Anthropic says so in a 400 of the usual type."""
FIRST_S = 0.5
LONGEST_S = 8.0


class Failure(msgspec.Struct, frozen=True):
    """How a call ended: ``status`` is ``None`` where there was no answer; ``code`` is the provider's or our own."""

    status: int | None
    code: str | None
    headers: Headers = []
    body: bytes = b""


def verdict(failure: Failure, *, own_key: bool) -> Verdict:
    """What to make of it. ``own_key``: the key is the client's, and what is wrong with it is for the client to see.

    A call that timed out may go on at the provider and be billed: it is not made twice at the same place.
    """
    status = failure.status
    if status is None:
        return "again" if failure.code in AGAIN else "elsewhere"
    if failure.code in HOPELESS or status in {401, 403} or NO_MONEY in failure.body:
        return "final" if own_key else "key"
    told = _header(failure.headers, b"x-should-retry")
    if told == "true":
        return "again"
    if status in STATUSES or status >= 500:
        return "again" if told is None else "elsewhere"
    return "final"


def wait_s(failure: Failure, attempt: int, jitter: float, now: float) -> float:
    """Seconds to wait before the same call again. ``attempt``: how many there were; ``jitter``: random, 0 to 1;
    ``now``: seconds since the epoch.
    """
    asked = asked_s(failure.headers, now)
    if asked is not None:
        return asked
    return min(LONGEST_S, FIRST_S * 2 ** (attempt - 1)) * jitter


def asked_s(headers: Headers, now: float) -> float | None:
    """How long the provider wants to be left alone; ``None`` if it does not say. ``now``: seconds since the epoch."""
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
