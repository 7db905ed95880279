"""When to leave a provider alone, and when to try it again. Pure; times in seconds on any clock.

A circuit breaker (Nygard, "Release It!", 2007): closed, open for a while after failures in a row, then half-open, in
which one request goes ahead of the others to see. It opens at once where the provider says for how long.
"""

from __future__ import annotations

IN_A_ROW = 3
"""Failures that open it."""
FIRST_S, LONGEST_S = 0.5, 3.0
"""It stays open for so long, twice as long each time; it has to close soon after a recovery, the reply included."""
PROBE_S = 30.0
"""A probe that has not ended by then does not keep the others away any longer."""
AGAIN_S = 0.25
"""How long to wait for somebody else's probe before looking again."""


class Breaker:
    """One breaker."""

    __slots__ = ("_failures", "_opened", "_probe_until", "_told_until", "_until")

    def __init__(self) -> None:
        self._failures = self._opened = 0
        self._until: float | None = None
        self._probe_until = self._told_until = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether nothing is known against it."""
        return self._until is None

    def ready_in(self, now: float) -> float:
        """Seconds until a request may go: 0 when closed, or half-open and no other is on its way to see."""
        if self._until is None:
            return 0.0
        return self._until - now if now < self._until else AGAIN_S if now < self._probe_until else 0.0

    def told_in(self, now: float) -> float:
        """Seconds until the time that the provider named: 0 if it named none, or that is over."""
        return max(0.0, self._told_until - now)

    def begin(self, now: float) -> None:
        """A request goes; if half-open, it is the probe."""
        if self._until is not None and now >= self._until:
            self._probe_until = now + PROBE_S

    def succeeded(self) -> None:
        """A request was answered."""
        if self._failures or self._until is not None:
            self._failures = self._opened = 0
            self._until = None
            self._probe_until = self._told_until = 0.0

    def failed(self, now: float, began: float, wait_s: float | None = None) -> None:
        """A request that began at ``began`` failed for a reason that others would meet.

        ``wait_s``: the provider says when to come again.
        """
        self._failures += 1
        if wait_s is not None:
            self._told_until = max(self._told_until, now + wait_s)
            self._until = max(self._until or 0.0, self._told_until)
        elif self._until is None:
            if self._failures >= IN_A_ROW:
                self._open(now)
        elif began >= self._until:  # those that went before it opened tell nothing new
            self._open(began)  # a provider that says nothing takes long to fail: it is asked as often as others

    def _open(self, since: float) -> None:
        self._until = since + min(LONGEST_S, FIRST_S * 2**self._opened)
        self._probe_until = 0.0
        self._opened += 1

    def left(self) -> None:
        """A request ended without telling anything, as when its client hung up: another may be the probe."""
        self._probe_until = 0.0
