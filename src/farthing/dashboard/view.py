"""What the pages show, as values: nano-dollars, counts, seconds since the epoch. ``None`` is unknown."""

from __future__ import annotations

from typing import Literal

import msgspec

from farthing.dashboard.charts import Chart
from farthing.types import CacheState

Mode = Literal["observe", "save"]


class Link(msgspec.Struct, frozen=True):
    """A choice: of the range or the tenant."""

    label: str
    href: str
    current: bool = False


class Notice(msgspec.Struct, frozen=True):
    """Something about the figures that must not be overlooked."""

    kind: Literal["unpriced", "unsettled", "estimated"]
    title: str
    text: str


class Headline(msgspec.Struct, frozen=True):
    """The period in a few figures."""

    cost: int
    baseline: int
    saved: int
    would_save: int
    """Observe mode: what the levers would have saved."""
    requests: int
    hits: int
    misses: int


class Item(msgspec.Struct, frozen=True):
    """One bar of a ranking; ``width`` is percent of the longest."""

    name: str
    cost: int
    requests: int
    width: float
    each: int | None = None
    """Median cost of one request."""
    aside: bool = False
    """Not a name of the user's: the rest, or what came without a name."""


class Ranking(msgspec.Struct, frozen=True):
    """Who or what costs most. ``hint`` says how to get names where there are none."""

    title: str
    noun: str
    items: tuple[Item, ...]
    hint: str = ""


class Pattern(msgspec.Struct, frozen=True):
    """An expensive query type, with the beginning of a question."""

    title: str
    example: str
    cost: int
    requests: int
    drivers: tuple[str, ...] = ()
    """What makes it dear, in plain words."""


class Cache(msgspec.Struct, frozen=True):
    """What the answer cache did, or in observe mode would have done: requests by state, and what it saved."""

    hits: int
    misses: int
    off: int
    """Requests that are not for the cache."""
    saved: int


class Lever(msgspec.Struct, frozen=True):
    """What one lever saved, or would have."""

    name: str
    saved: int
    width: float


class Line(msgspec.Struct, frozen=True):
    """One request of the list."""

    id: str
    ts: float
    tenant: str
    feature: str | None
    user: str | None
    model: str | None
    status: int | None
    error: str | None
    cache: CacheState
    tokens: int | None
    cost: int | None
    source: str
    """Worst cost source of its provider calls: ``usage``, ``estimated``, ``unpriced``, ``unsettled``, ``free``."""
    saved: int | None


class Page(msgspec.Struct, frozen=True):
    """Everything on the first page."""

    mode: Mode
    period: str
    """For example "last 30 days"."""
    ranges: tuple[Link, ...]
    tenants: tuple[Link, ...]
    headline: Headline
    notices: tuple[Notice, ...]
    chart: Chart | None
    pareto: str
    patterns: tuple[Pattern, ...]
    rankings: tuple[Ranking, ...]
    cache: Cache
    levers: tuple[Lever, ...]
    lines: tuple[Line, ...]
    now: float


class Detail(msgspec.Struct, frozen=True):
    """One request in full: facts as (name, text), and the same for each of its provider calls."""

    line: Line
    question: str
    facts: tuple[tuple[str, str], ...]
    saved: tuple[tuple[str, int], ...]
    """Lever → nano-dollars; ``would_save`` likewise, in observe mode."""
    would_save: tuple[tuple[str, int], ...]
    baseline: int | None
    calls: tuple[Call, ...]


class Call(msgspec.Struct, frozen=True):
    """One provider call."""

    title: str
    cost: int | None
    source: str
    facts: tuple[tuple[str, str], ...]
    tokens: tuple[tuple[str, int], ...]
    """Class → count, those that are not 0."""
    raw_usage: str
