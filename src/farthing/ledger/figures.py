"""Reports as values: what the API and the command line print. Money is nano-dollars, ``None`` is unknown."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from farthing.ledger.histogram import Histogram, parts, percentile
from farthing.ledger.rollup import MEASURES, TOKENS, Vector
from farthing.types import TOKEN_CLASSES, Usage

By = Literal["model", "feature", "user", "tenant", "provider", "query_type", "status", "day", "hour", "lever"]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over requests and their provider calls.

    ``key``: ``None`` if the requests named none; absent in a total. Unpriced and unsettled calls are not in the cost.
    ``saved`` is baseline - cost. Rows of a lever have only what it saved. Percentiles (off by at most 1%) are of single
    requests.
    """

    key: str | UnsetType | None = UNSET
    requests: int = 0
    provider_calls: int = 0
    cost_nano_usd: int = 0
    baseline_nano_usd: int = 0
    saved_nano_usd: int = 0
    would_save_nano_usd: int = 0
    unpriced_calls: int = 0
    unsettled_calls: int = 0
    estimated_calls: int = 0
    errors: int = 0
    hits_exact: int = 0
    hits_semantic: int = 0
    misses: int = 0
    would_hit_exact: int = 0
    """Observe mode: what the cache would have said."""
    would_hit_semantic: int = 0
    would_miss: int = 0
    tokens: dict[str, int] = {}
    """The five classes of the contract, others where they occur; ``reasoning`` is a part of ``output``."""
    cost_p50_nano_usd: int | None = None
    cost_p95_nano_usd: int | None = None
    latency_p50_us: int | None = None
    latency_p95_us: int | None = None
    latency_p99_us: int | None = None
    ttft_p50_us: int | None = None
    ttft_p95_us: int | None = None
    overhead_p50_us: int | None = None
    overhead_p99_us: int | None = None

    @property
    def usage(self) -> Usage:
        """The tokens with all their classes."""
        return Usage(**self.tokens)


class Report(msgspec.Struct, frozen=True):
    """``farthing report --json``."""

    total: Figures
    rows: list[Figures]


class Point(msgspec.Struct, frozen=True):
    """The sums of one key in the bucket that begins at ``ts`` (seconds since the epoch)."""

    ts: int
    key: str | None
    requests: int
    cost_nano_usd: int
    saved_nano_usd: int


def figures(vector: Vector, counts: Histogram | None = None, *, key: str | UnsetType | None = UNSET) -> Figures:
    """From the roll-up's numbers."""
    found = dict(zip(MEASURES, vector, strict=True))
    return Figures(
        key=key,
        requests=found["requests"],
        provider_calls=found["calls"],
        cost_nano_usd=found["cost"],
        baseline_nano_usd=found["cost"] + found["saved"],
        saved_nano_usd=found["saved"],
        would_save_nano_usd=found["would_save"],
        unpriced_calls=found["unpriced"],
        unsettled_calls=found["unsettled"],
        estimated_calls=found["estimated"],
        errors=found["errors"],
        hits_exact=found["hits_exact"],
        hits_semantic=found["hits_semantic"],
        misses=found["misses"],
        would_hit_exact=found["would_exact"],
        would_hit_semantic=found["would_semantic"],
        would_miss=found["would_miss"],
        tokens={name: found[name] for name in TOKENS if found[name] or name in TOKEN_CLASSES},
        **(_percentiles(counts) if counts else {}),
    )


def _percentiles(counts: Histogram) -> dict[str, int | None]:
    cost, latency, ttft, overhead = parts(counts)
    return {
        "cost_p50_nano_usd": percentile(cost, 0.5),
        "cost_p95_nano_usd": percentile(cost, 0.95),
        "latency_p50_us": percentile(latency, 0.5),
        "latency_p95_us": percentile(latency, 0.95),
        "latency_p99_us": percentile(latency, 0.99),
        "ttft_p50_us": percentile(ttft, 0.5),
        "ttft_p95_us": percentile(ttft, 0.95),
        "overhead_p50_us": percentile(overhead, 0.5),
        "overhead_p99_us": percentile(overhead, 0.99),
    }
