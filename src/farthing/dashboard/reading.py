"""What the pages need of the ledger, as values: nano-dollars, seconds since the epoch, counts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.dashboard.view import Line
from farthing.types import Usage


class Figures(msgspec.Struct, frozen=True):
    """The sums of one key of a report (``None``: the requests named none)."""

    key: str | None
    cost: int = 0
    baseline: int = 0
    saved: int = 0
    would_save: int = 0
    """Observe mode: what the levers would have saved."""
    requests: int = 0
    hits: int = 0
    """Requests answered from the cache; in observe mode those that would have been."""
    misses: int = 0
    unpriced: int = 0
    """Provider calls."""
    unsettled: int = 0
    estimated: int = 0
    usage: Usage = Usage()
    median: int | None = None
    """Cost of one request: half cost less."""


class Point(msgspec.Struct, frozen=True):
    """What one feature cost in the hour or day that begins at ``ts``."""

    ts: float
    key: str | None
    cost: int
    saved: int = 0


class Reading(msgspec.Struct, frozen=True):
    """Everything that the first page is made of."""

    total: Figures
    features: tuple[Figures, ...] = ()
    models: tuple[Figures, ...] = ()
    users: tuple[Figures, ...] = ()
    query_types: tuple[Figures, ...] = ()
    points: tuple[Point, ...] = ()
    bucket: int = 86_400
    """Seconds of the points' buckets."""
    levers: tuple[tuple[str, int, int], ...] = ()
    """Name, what it saved, what it would have saved."""
    tenants: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    examples: Mapping[str, str] = {}
    """Query type → the beginning of a question."""
