"""The metrics: their names, what they mean, and where their values come from. ``docs/metrics.md`` has them all. Pure.

All names begin with ``farthing_``; words and units are those of Prometheus: ``_total`` for what only grows, seconds,
bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from farthing.ledger.rollup import TOKENS
from farthing.money import usd
from farthing.telemetry.exposition import Family, Kind, Labels, Sample
from farthing.telemetry.ratchet import Named, Sums

MICRO = 1_000_000
EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds of a histogram's buckets, in seconds."""
NAMESPACE = "farthing_"
SUM = "sum"
BASELINE = "baseline"
TOKEN_CLASSES = tuple(name for name in TOKENS if name not in {"reasoning", "web_searches"})
"""Disjoint: reasoning is a part of output, and a search is no token."""


class By(NamedTuple):
    """How a dimension of the ledger's sums is shown: what the names begin with, and its label, if it has one."""

    prefix: str
    label: str


DIMS = {
    "all": By("", ""),
    "total": By("", "tenant"),
    "model": By("model_", "model"),
    "provider": By("provider_", "provider"),
    "feature": By("feature_", "feature"),
}
STATUS, LEVER = "status", "lever"

Measured = Callable[[Named], Iterable[Sample]]


class Metric(NamedTuple):
    """A metric of every dimension: the end of its name, and its samples from the measures of one key."""

    name: str
    text: str
    samples: Measured


def _count(measure: str) -> Measured:
    return lambda named: [Sample((), named.get(measure, 0))]


def _usd(measure: str) -> Measured:
    return lambda named: [Sample((), usd(named.get(measure, 0)))]


def _parted(label: str, parts: Mapping[str, str]) -> Measured:
    """A sample for each value of a label that has occurred. ``parts``: its value → the measure."""
    return lambda named: [
        Sample(((label, value),), named[measure]) for value, measure in parts.items() if named.get(measure)
    ]


METRICS = (
    Metric("requests_total", "Requests that have ended.", _count("requests")),
    Metric("request_errors_total", "Of these: a status of 400 or above, or a reply that broke off.", _count("errors")),
    Metric("calls_total", "Calls of providers, retries included.", _count("calls")),
    Metric(
        "estimated_calls_total", "Of these: tokens were counted here, not told by the provider.", _count("estimated")
    ),
    Metric("cost_usd_total", "What the calls cost.", _usd("cost")),
    Metric("baseline_usd_total", "What the requests would have cost as sent; less the cost: saved.", _usd(BASELINE)),
    Metric(
        "tokens_total",
        "Billed tokens by class; the classes are disjoint.",
        _parted("class", dict(zip(TOKEN_CLASSES, TOKEN_CLASSES, strict=True))),
    ),
    Metric(
        "cache_lookups_total",
        "Requests that looked into the cache, by what it said.",
        _parted("result", {"exact": "hits_exact", "semantic": "hits_semantic", "miss": "misses"}),
    ),
    Metric(
        "observed_cache_lookups_total",
        "Mode observe: by what the cache would have said.",
        _parted("result", {"exact": "would_exact", "semantic": "would_semantic", "miss": "would_miss"}),
    ),
)

HISTOGRAMS = {
    "latency": ("request_duration_seconds", "From the request's head to the end of the reply."),
    "ttft": ("time_to_first_token_seconds", "Streams: from the request's head to the reply's first byte."),
    "overhead": ("overhead_seconds", "farthing's own share of the time to the first byte."),
}
"""Name in ``rollup.METRICS`` → metric."""


class Vitals(msgspec.Struct, frozen=True):
    """How one process is."""

    in_flight: int = 0
    journal_waiting: int = 0
    journal_lost: int = 0


class House(msgspec.Struct, frozen=True):
    """What is not in the ledger's sums. ``None``: not known, and left out."""

    version: str
    mode: str
    workers: tuple[Vitals, ...]
    cache_entries: int | None = None
    cache_bytes: int | None = None
    unpriced: int | None = None
    unsettled: int | None = None
    behind: int | None = None
    """Bytes of the journal that the ledger does not have yet."""


def dimensions(labels: Collection[str]) -> list[str]:
    """Those of the ledger that the metrics need to be split by these labels. Without tenants all of them are one."""
    split = [dim for dim, by in DIMS.items() if by.label in labels]
    return [*split, *([] if "tenant" in labels else ["all"]), STATUS, LEVER]


def of_ledger(shown: Sums, dims: Collection[str]) -> Iterable[Family]:
    """From the sums that may be shown, of some dimensions."""
    for dim, by in DIMS.items():
        if dim in dims:
            its = _labelled(by.label, shown.get(dim, {}))
            for metric in METRICS:
                yield _family(by.prefix + metric.name, "counter", metric.text, its, metric.samples)
    yield _family("responses_total", "counter", RESPONSES, _labelled(STATUS, shown.get(STATUS, {})), _count("requests"))
    levers = _labelled(LEVER, shown.get(LEVER, {}))
    for measure, (name, text) in LEVERS.items():
        yield _family(name, "gauge", text, levers, _usd(measure))
    for metric, (name, text) in HISTOGRAMS.items():
        yield Family(NAMESPACE + name, "histogram", text, _buckets(shown.get(metric, {}).get("", {})))


RESPONSES = "Requests by the status that the client got; empty if it left before there was one."
LEVERS = {
    "saved": ("lever_saved_usd", "What a lever has saved; may fall."),
    "would_save": ("lever_would_save_usd", "Mode observe: what it would have saved."),
}


def of_house(house: House) -> Iterable[Family]:
    """What is so now."""
    about = (("version", house.version), ("mode", house.mode))
    yield Family(NAMESPACE + "build_info", "gauge", "Always 1.", [Sample(about, 1)])
    for name, text, value in (
        ("workers", "Processes that serve.", len(house.workers)),
        ("requests_in_flight", "Requests that have not ended.", sum(one.in_flight for one in house.workers)),
        (
            "journal_waiting_entries",
            "Entries in memory that the disk does not take.",
            sum(one.journal_waiting for one in house.workers),
        ),
        (
            "journal_lost_entries",
            "Entries that found no room in memory either, since the processes started.",
            sum(one.journal_lost for one in house.workers),
        ),
        ("ledger_up", "1: the ledger can be read.", 0 if house.unsettled is None else 1),
        ("ledger_behind_bytes", "Bytes of the journal that the ledger does not have yet.", house.behind),
        ("unpriced_calls", "Calls whose price is not known.", house.unpriced),
        ("unsettled_calls", "Calls whose cost is not known yet.", house.unsettled),
        ("cache_entries", "Answers in the cache.", house.cache_entries),
        ("cache_bytes", "Their size.", house.cache_bytes),
    ):
        yield Family(NAMESPACE + name, "gauge", text, [] if value is None else [Sample((), value)])


def binned(values: Mapping[int, int]) -> Named:
    """How many of the values (microseconds) are in each bucket, by its upper bound, and their sum."""
    found: Named = {}
    for value, number in values.items():
        edge = bisect_left(EDGES, value / MICRO)
        name = str(EDGES[edge]) if edge < len(EDGES) else "+Inf"
        found[name] = found.get(name, 0) + number
        found[SUM] = found.get(SUM, 0) + value * number
    return found


def _labelled(label: str, its: Mapping[str, Named]) -> dict[Labels, Named]:
    return {((label, key),) if label else (): named for key, named in sorted(its.items())}


def _family(name: str, kind: Kind, text: str, its: Mapping[Labels, Named], samples: Measured) -> Family:
    found = [one._replace(labels=(*labels, *one.labels)) for labels, named in its.items() for one in samples(named)]
    return Family(NAMESPACE + name, kind, text, found)


def _buckets(named: Named) -> list[Sample]:
    if not named:
        return []
    total, found = 0, list[Sample]()
    for edge in (*map(str, EDGES), "+Inf"):
        total += named.get(edge, 0)
        found.append(Sample((("le", edge),), total, "_bucket"))
    micros = named.get(SUM, 0)
    return [*found, Sample((), f"{micros // MICRO}.{micros % MICRO:06d}", "_sum"), Sample((), total, "_count")]
