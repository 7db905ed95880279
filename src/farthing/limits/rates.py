"""How much may go, and when: requests and tokens that refill continuously. Pure; time is an argument, in seconds.

The generic cell rate algorithm (ITU-T I.371): a bucket is one number, the time at which it was empty. Providers count
in short slices (60 a minute is 1 a second), so what may go at once is a setting.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from farthing.policy.model import Rates
from farthing.policy.units import seconds


class Load(NamedTuple):
    """What calls ask of a limit."""

    requests: int
    tokens: int


NOTHING = Load(0, 0)


class Bucket:
    """Refills at a steady rate. May be overdrawn: by a call larger than the whole bucket, and by a wrong estimate.

    In any stretch of time no more is taken than flows in, plus one burst (or one call, if that is larger).
    """

    __slots__ = ("_burst_s", "_empty_at", "_rate")

    def __init__(self, per_minute: float, burst_s: float) -> None:
        self._rate = per_minute / 60
        self._burst_s = max(burst_s, 1 / self._rate)
        self._empty_at = float("-inf")

    def ready_in(self, now: float, amount: int, ahead: int = 0) -> float:
        """Seconds until the amount can be taken, after what is ahead of it."""
        wanted_s = min(amount / self._rate, self._burst_s) + ahead / self._rate
        return max(0.0, self._since(now) + wanted_s - now)

    def take(self, now: float, amount: int) -> None:
        """Take it, ready or not; a negative amount is given back."""
        self._empty_at = self._since(now) + amount / self._rate

    def lasts_s(self, amount: int) -> float:
        """How long it takes until so much has flowed in."""
        return amount / self._rate

    def is_full(self, now: float) -> bool:
        """Whether it is as it was at first."""
        return self._empty_at <= now - self._burst_s

    def _since(self, now: float) -> float:
        return max(self._empty_at, now - self._burst_s)


class Meter:
    """One limit and what is used of it: a bucket of requests, one of tokens, or both."""

    __slots__ = ("_requests", "_tokens")

    def __init__(self, rates: Rates, workers: int) -> None:
        requests, tokens = rates.requests_per_minute, rates.tokens_per_minute
        self._requests = None if requests is None else Bucket(requests / workers, seconds(rates.burst))
        self._tokens = None if tokens is None else Bucket(tokens / workers, seconds(rates.burst_tokens))

    def ready_in(self, now: float, tokens: int, ahead: Load = NOTHING) -> float:
        """Seconds until a call of so many tokens may go, after those ahead of it."""
        of_requests = self._requests.ready_in(now, 1, ahead.requests) if self._requests else 0.0
        of_tokens = self._tokens.ready_in(now, tokens, ahead.tokens) if self._tokens else 0.0
        return max(of_requests, of_tokens)

    def take(self, now: float, load: Load) -> None:
        """Use it; negative numbers give back."""
        if self._requests and load.requests:
            self._requests.take(now, load.requests)
        if self._tokens and load.tokens:
            self._tokens.take(now, load.tokens)

    def lasts_s(self, tokens: int) -> float:
        """For how long a call uses the scarcer of the two up."""
        of_requests = self._requests.lasts_s(1) if self._requests else 0.0
        return max(of_requests, self._tokens.lasts_s(tokens) if self._tokens else 0.0)

    def is_full(self, now: float) -> bool:
        """Whether nothing is used."""
        return all(bucket is None or bucket.is_full(now) for bucket in (self._requests, self._tokens))


def ready_in(meters: Iterable[Meter], now: float, tokens: int, ahead: Load = NOTHING) -> float:
    """Seconds until a call may go by all limits at once."""
    return max((meter.ready_in(now, tokens, ahead) for meter in meters), default=0.0)
