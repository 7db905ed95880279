"""Traffic through a cache: what it served, and what of that was wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from farthing.levers.recall.semantic.bounds import clopper_pearson
from semantics.data import Request


class Served(msgspec.Struct, frozen=True):
    """An answer out of the cache: the request that it was first given to, and by which layer."""

    source: Request
    layer: str


class Cache(Protocol):
    """Answers, or keeps the answer that the provider gives."""

    name: str

    def ask(self, request: Request) -> Served | None: ...


def wrong(request: Request, source: Request) -> str | None:
    """Why the answer to ``source`` must not be given to ``request``; ``None`` if it may."""
    if request.why_not or source.why_not:
        return request.why_not or source.why_not
    if request.before != source.before:
        return "another conversation"
    if request.class_id != source.class_id:
        return "another class"
    return None if request.tenant == source.tenant else "right, but another tenant's"


class Tally(msgspec.Struct):
    requests: int = 0
    served: int = 0
    wrong: int = 0
    across_tenants: int = 0
    layers: Counter[str] = msgspec.field(default_factory=Counter)
    streams: dict[str, list[int]] = msgspec.field(default_factory=dict)
    """Requests, served, wrong."""
    reasons: Counter[str] = msgspec.field(default_factory=Counter)


def replay(requests: Sequence[Request], cache: Cache) -> dict[str, Any]:
    tally = Tally()
    for request in requests:
        count(tally, request, cache.ask(request))
    return figures(cache.name, tally)


def count(tally: Tally, request: Request, served: Served | None) -> None:
    stream = tally.streams.setdefault(request.stream, [0, 0, 0])
    tally.requests += 1
    stream[0] += 1
    if served is None:
        return
    tally.served += 1
    stream[1] += 1
    tally.layers[served.layer] += 1
    tally.across_tenants += request.tenant != served.source.tenant
    if reason := wrong(request, served.source):
        tally.wrong += 1
        stream[2] += 1
        tally.reasons[f"{served.layer}: {reason}"] += 1


def figures(name: str, tally: Tally) -> dict[str, Any]:
    low, high = clopper_pearson(tally.wrong, tally.served)
    return {
        "cache": name,
        "requests": tally.requests,
        "served": tally.served,
        "hits": share(tally.served, tally.requests),
        "wrong": tally.wrong,
        "wrong_of_served": share(tally.wrong, tally.served),
        "wrong_interval_95": [round(low, 5), round(high, 5)],
        "across_tenants": tally.across_tenants,
        "layers": dict(tally.layers),
        "streams": {
            stream: {"requests": all_, "served": given, "wrong": bad}
            for stream, (all_, given, bad) in sorted(tally.streams.items())
        },
        "wrong_because": dict(tally.reasons.most_common()),
    }


def share(part: float, whole: float) -> float | None:
    return round(part / whole, 5) if whole else None
