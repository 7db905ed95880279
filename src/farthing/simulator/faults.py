"""Faults on demand: which request fails how, decided by dice that follow from the seed and the request alone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Literal

import msgspec

Refused = Literal["error", "overloaded", "quota", "limited"]
Cut = Literal["drop", "error", "end"]


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What goes wrong with a model. ``None`` leaves it to the entry ``*``, and then to the default: nothing.

    Shares are between 0 and 1. ``rpm`` and ``tpm`` are limits per minute, by the simulator's own clock.
    ``drop_after`` alone drops every stream, ``stall_s`` alone stalls every reply. What begins with ``p_`` rolls dice,
    the rest is for all replies of the model; with ``times`` only the first so many times that the same bytes come.
    """

    times: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    p_limited: float | None = None
    retry_after_ms: int | None = None
    p_error: float | None = None
    p_overloaded: float | None = None
    p_quota: float | None = None
    p_reset: float | None = None
    p_drop: float | None = None
    drop_after: int | None = None
    p_stream_error: float | None = None
    stream_error_after: int | None = None
    truncate_after: int | None = None
    p_stall: float | None = None
    stall_s: float | None = None
    ttft_ms: float | None = None
    ms_per_token: float | None = None
    no_usage: bool | None = None
    zero_usage: bool | None = None
    usage_twice: bool | None = None
    usage_on_last_choice: bool | None = None
    malformed_json: bool | None = None
    wrong_content_length: bool | None = None

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is None or isinstance(value, bool):
                continue
            if value < 0 or (name.startswith("p_") and value > 1):
                allowed = "between 0 and 1" if name.startswith("p_") else "0 or more"
                raise ValueError(f"{name} must be {allowed}, not {value}")

    def over(self, other: Faults) -> Faults:
        """These faults, with those of ``other`` where nothing is said."""
        mine = {name: getattr(self, name) for name in self.__struct_fields__}
        return Faults(**{name: getattr(other, name) if value is None else value for name, value in mine.items()})


def faults_for(table: Mapping[str, Faults], *names: str) -> Faults:
    """What holds for a model that has these names; its own entries come before ``*``."""
    found = Faults()
    for name in (*names, "*"):
        if name in table:
            found = found.over(table[name])
    return found


class Fate(msgspec.Struct, frozen=True):
    """What will happen to one request. Places in a stream are shares of its events, ``drop_after`` a count."""

    refused: Refused | None = None
    reset: bool = False
    drop_after: int | None = None
    drop_at: float | None = None
    error_after: int | None = None
    error_at: float | None = None
    truncate_after: int | None = None
    stall_s: float = 0.0
    stall_at: float = 0.0
    ttft_s: float = 0.0
    token_s: float = 0.0

    def cut(self, events: int) -> tuple[int | None, Cut | None]:
        """After how many of so many events the stream breaks off, and how."""
        if self.drop_after is not None and self.drop_after < events:
            return self.drop_after, "drop"
        if self.error_after is not None and self.error_after < events:
            return self.error_after, "error"
        if self.truncate_after is not None and self.truncate_after < events:
            return self.truncate_after, "end"
        if self.drop_at is not None:
            return max(1, int(self.drop_at * events)), "drop"
        if self.error_at is not None:
            return max(1, int(self.error_at * events)), "error"
        return None, None


def fate_of(faults: Faults, seed: int, request: bytes, occurrence: int) -> Fate:
    """Rolls the dice for the n-th time that the same request (its digest) comes: in whatever order others come."""
    dice = random.Random(f"{seed}:{occurrence}:".encode() + request)  # noqa: S311 - faults, not secrets
    rolls = {name: dice.random() for name in ("refuse", "reset", "drop", "place", "stream_error", "stall", "where")}
    p_drop = _share(faults.p_drop, faults.drop_after)
    dropped = rolls["drop"] < p_drop
    return Fate(
        refused=_refused(faults, rolls["refuse"]),
        reset=rolls["reset"] < (faults.p_reset or 0.0),
        drop_after=faults.drop_after if dropped else None,
        drop_at=rolls["place"] if dropped and faults.drop_after is None else None,
        error_after=faults.stream_error_after,
        truncate_after=faults.truncate_after,
        error_at=rolls["place"] if rolls["stream_error"] < (faults.p_stream_error or 0.0) else None,
        stall_s=(faults.stall_s or 0.0) if rolls["stall"] < _share(faults.p_stall, faults.stall_s) else 0.0,
        stall_at=rolls["where"],
        ttft_s=(faults.ttft_ms or 0.0) / 1000,
        token_s=(faults.ms_per_token or 0.0) / 1000,
    )


def _share(share: float | None, switched_on_by: float | None) -> float:
    return share if share is not None else 0.0 if switched_on_by is None else 1.0


def _refused(faults: Faults, roll: float) -> Refused | None:
    chances: tuple[tuple[Refused, float | None], ...] = (
        ("error", faults.p_error),
        ("overloaded", faults.p_overloaded),
        ("quota", faults.p_quota),
        ("limited", faults.p_limited),
    )
    for name, share in chances:
        if roll < (share or 0.0):
            return name
        roll -= share or 0.0
    return None


class Bucket:
    """A token bucket that holds one minute's worth."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.per_minute = per_minute
        self._level = float(per_minute)
        self._at = now

    def take(self, amount: int, now: float) -> float:
        """Takes the amount and gives 0, or takes nothing and gives the seconds until it would be there."""
        self._fill(now)
        wanted = min(amount, self.per_minute)
        if self._level >= wanted:
            self._level -= amount
            return 0.0
        return (wanted - self._level) * 60 / self.per_minute if self.per_minute else 60.0

    def spend(self, amount: int) -> None:
        """Takes the amount in any case; the level may fall below 0."""
        self._level -= amount

    def left(self, now: float) -> int:
        """What can be taken now."""
        self._fill(now)
        return max(0, int(self._level))

    def full_in(self, now: float) -> float:
        """Seconds until the bucket is full."""
        self._fill(now)
        return (self.per_minute - self._level) * 60 / self.per_minute if self.per_minute else 60.0

    def _fill(self, now: float) -> None:
        self._level = min(self.per_minute, self._level + max(0.0, now - self._at) * self.per_minute / 60)
        self._at = max(self._at, now)
