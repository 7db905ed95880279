"""What the pages need of the ledger, as values: nano-dollars, seconds since the epoch, counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from farthing.dashboard.view import Line
from farthing.ledger.records import Settled
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


class Record(msgspec.Struct, frozen=True):
    """One request as the ledger has it, and the id of its query type."""

    settled: Settled
    query_type: str | None = None


class Books(Protocol):
    """Where the pages and the API read. All of it blocks; all of it may raise ``StoreError``.

    Times are seconds since the epoch, from ``since`` to before ``until``; ``None`` is no limit, for a tenant all.
    """

    def read(self, since: float | None, until: float, tenant: str | None) -> Reading | None:
        """For the first page; ``None`` if no request was ever recorded."""
        ...

    def record(self, request_id: str) -> Record | None:
        """One request; ``None`` if there is none."""
        ...

    def report(self, by: str | None, since: float | None, until: float | None, tenant: str | None) -> object:
        """The contract's report, ready to be written as JSON."""
        ...

    def requests(self, limit: int) -> object:
        """The contract's requests, newest first, ready to be written as JSON."""
        ...

    def request(self, request_id: str) -> object | None:
        """One of them; ``None`` if there is none."""
        ...
