"""Sums over requests, by hour and by what they are about. Pure: the same entries in any order give the same sums.

A request is counted once in every dimension. Cost, tokens and calls belong to the model and the provider of the single
call (as the provider's invoice has them); the request itself, its savings and its errors to the model and provider
that answered it, or for an answer from a cache to those that the stored answer came from.

``saved`` is only claimed where cost and baseline are both known. Baseline is not kept: it is cost + saved, always.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import add, sub
from typing import cast

import msgspec

from farthing.ledger.histogram import Histogram, bucket
from farthing.ledger.records import Call, Settled
from farthing.types import CacheState, CostSource, Usage

HOUR = 3_600
DAY = 86_400
MICRO = 1_000_000

REQUEST_MEASURES = (
    "requests",
    "errors",
    "saved",
    "would_save",
    "hits_exact",
    "hits_semantic",
    "misses",
    "would_exact",
    "would_semantic",
    "would_miss",
)
TOKENS = Usage.__struct_fields__
CALL_MEASURES = ("calls", "cost", "unpriced", "unsettled", "estimated", *TOKENS)
MEASURES = REQUEST_MEASURES + CALL_MEASURES
METRICS = ("cost", "latency", "ttft", "overhead")
"""Of a request: nano-dollars and microseconds. Kept as histograms."""

GRAIN = {
    "total": HOUR,
    "feature": HOUR,
    "model": HOUR,
    "provider": HOUR,
    "query_type": HOUR,
    "status": HOUR,
    "lever": HOUR,
    "user": DAY,
}
"""Dimension → seconds of its buckets. Users are many: by the hour they would be as many rows as requests."""
HISTOGRAM_GRAIN = {
    "hour": HOUR,
    "total": DAY,
    "feature": DAY,
    "model": DAY,
    "provider": DAY,
    "query_type": DAY,
    "user": DAY,
}
"""The same for histograms, which are larger; those of single hours are kept of everything together."""

Key = tuple[str, int, str, str]
"""Dimension, start of the bucket (seconds since the epoch), tenant, key (empty: the requests named none)."""
Vector = Sequence[int]
"""One number for each of MEASURES."""

_NO_REQUEST = (0,) * len(REQUEST_MEASURES)
_NO_CALL = (0,) * len(CALL_MEASURES)
_NO_USAGE = (0,) * len(TOKENS)
_CACHE_STATES: dict[CacheState, tuple[int, int, int]] = {
    "exact": (1, 0, 0),
    "semantic": (0, 1, 0),
    "miss": (0, 0, 1),
    "off": (0, 0, 0),
}
_NO_DOUBT = (0, 0, 0)
_COST_SOURCES: dict[CostSource, tuple[int, int, int]] = {
    "unpriced": (1, 0, 0),
    "unsettled": (0, 1, 0),
    "estimated": (0, 0, 1),
}
_PLACES = tuple(range(len(MEASURES), len(MEASURES) + len(METRICS)))
CLIENT_GONE = "client_gone"
"""The error of a request whose client hung up."""


def micro(seconds: float) -> int:
    """Seconds as whole microseconds: how the ledger keeps times."""
    return round(seconds * MICRO)


def start_of(at: int, grain: int) -> int:
    """The bucket (in seconds) that a time (in microseconds) is in."""
    return at // (grain * MICRO) * grain


def saving(request: Settled) -> int:
    """Baseline - cost, where both are known; else nothing is claimed."""
    if request.cost_nano is None or request.baseline_nano is None:
        return 0
    return request.baseline_nano - request.cost_nano


def shares(request: Settled) -> list[tuple[str, int]]:
    """What each lever saved. What no lever owns up to stands under the empty name: the shares sum to the saving."""
    total = saving(request)
    if not total and not request.saved:
        return []
    if request.cost_nano is None or request.baseline_nano is None:
        return []
    rest = total - sum(amount for _, amount in request.saved)
    return [*request.saved, ("", rest)] if rest else list(request.saved)


def is_error(request: Settled) -> bool:
    """Whether it ended badly. A client that hangs up is no error."""
    return (request.status or 0) >= 400 or (request.error is not None and request.error != CLIENT_GONE)


def answered_by(request: Settled) -> tuple[str, str]:
    """Model and provider that a request is counted under."""
    for call in request.calls[::-1]:
        if call.purpose == "answer":
            return call.model_reported or call.model or "", call.provider
    return request.served_model or request.model or "", request.provider or ""


def billed_as(call: Call) -> tuple[str, str]:
    """Model and provider of a call, as on the provider's invoice."""
    return call.model_reported or call.model or "", call.provider


def _of_request(request: Settled, saved: int) -> Vector:
    would = sum([amount for _, amount in request.would_save]) if request.would_save else 0
    states = _CACHE_STATES[request.cache] + _CACHE_STATES[request.would_cache or "off"]
    return (1, 1 if is_error(request) else 0, saved, would, *states)


def _of_call(call: Call) -> Vector:
    tokens = _NO_USAGE if call.usage is None else msgspec.structs.astuple(call.usage)
    return (1, call.cost_nano or 0, *_COST_SOURCES.get(call.cost_source, _NO_DOUBT), *tokens)


def _of_calls(calls: Sequence[Call]) -> Vector:
    if len(calls) == 1:
        return _of_call(calls[0])
    return tuple(map(sum, zip(*map(_of_call, calls), strict=True))) if calls else _NO_CALL


_Cell = list[tuple[int | None, ...]]
"""A line for each request that falls together: its vector, then its buckets."""


class Sums:
    """Adds up requests."""

    def __init__(self, requests: Iterable[tuple[Settled, str]] = ()) -> None:
        self._cells: defaultdict[Key, _Cell] = defaultdict(list)
        self._answers: defaultdict[tuple[int, str, str, str, str], _Cell] = defaultdict(list)
        self._extra: dict[Key, Vector] = {}
        for request, query_type in requests:
            self.add(request, query_type)

    def add(self, request: Settled, query_type: str) -> None:
        """Count a request; ``query_type`` is empty where it is not known."""
        hour = start_of(round(request.ts * MICRO), HOUR)
        caller, (model, provider) = request.caller, answered_by(request)
        tenant, status = caller.tenant, "" if request.status is None else str(request.status)
        saved = saving(request)
        line = (*_of_request(request, saved), *_of_calls(request.calls), *_buckets(request))
        self._answers[hour, tenant, model, provider, status].append(line)
        self._cells["feature", hour, tenant, caller.feature or ""].append(line)
        self._cells["query_type", hour, tenant, query_type].append(line)
        self._cells["user", hour // DAY * DAY, tenant, caller.user or ""].append(line)
        if len(request.calls) > 1 or (request.calls and request.calls[0].purpose != "answer"):
            self._move_calls(request, hour, model, provider)
        if request.saved or request.would_save or saved:
            self._add_levers(request, hour)

    def sums(self) -> dict[Key, Vector]:
        """Key → one number for each of ``MEASURES``."""
        found = {key: _summed(cell) for key, cell in self._cells.items()}
        for (hour, tenant, model, provider, status), cell in self._answers.items():
            vector = _summed(cell)
            _add(found, ("total", hour, tenant, ""), vector)
            _add(found, ("model", hour, tenant, model), vector)
            _add(found, ("provider", hour, tenant, provider), vector)
            _add(found, ("status", hour, tenant, status), vector)
        for key, vector in self._extra.items():
            _add(found, key, vector)
        return {key: vector for key, vector in found.items() if any(vector)}

    def histograms(self) -> dict[Key, list[Histogram]]:
        """Key → a histogram for each of ``METRICS``."""
        cells: defaultdict[Key, _Cell] = defaultdict(list)
        for (dim, bucket_, tenant, key), cell in self._cells.items():
            cells[dim, bucket_ // DAY * DAY, tenant, key] += cell
        for (hour, tenant, model, provider, _), cell in self._answers.items():
            day = hour // DAY * DAY
            cells["hour", hour, tenant, ""] += cell
            cells["total", day, tenant, ""] += cell
            cells["model", day, tenant, model] += cell
            cells["provider", day, tenant, provider] += cell
        return {key: [_counted(cell, place) for place in _PLACES] for key, cell in cells.items()}

    def _move_calls(self, request: Settled, hour: int, model: str, provider: str) -> None:
        """Calls of other models and providers than the one that answered stand under their own names."""
        for call in request.calls:
            own_model, own_provider = billed_as(call)
            vector = (*_NO_REQUEST, *_of_call(call))
            for dim, own, other in (("model", own_model, model), ("provider", own_provider, provider)):
                if own != other:
                    _add(self._extra, (dim, hour, request.caller.tenant, own), vector)
                    _add(self._extra, (dim, hour, request.caller.tenant, other), vector, sub)

    def _add_levers(self, request: Settled, hour: int) -> None:
        saved = dict[str, int]()
        would = dict[str, int]()
        for amounts, found in ((shares(request), saved), (request.would_save, would)):
            for lever, amount in amounts:
                found[lever] = found.get(lever, 0) + amount
        for lever in {**saved, **would}:
            vector = (1, 0, saved.get(lever, 0), would.get(lever, 0), *_NO_REQUEST[4:], *_NO_CALL)
            _add(self._extra, ("lever", hour, request.caller.tenant, lever), vector)


def _buckets(request: Settled) -> list[int | None]:
    """One for each of METRICS."""
    values = (request.cost_nano, request.latency_us, request.ttft_us, request.overhead_us)
    return [None if value is None else bucket(value) for value in values]


def _counted(cell: _Cell, place: int) -> Histogram:
    counts: Histogram = {}
    for line in cell:
        index = line[place]
        if index is not None:
            counts[index] = counts.get(index, 0) + 1
    return counts


def _summed(cell: _Cell) -> Vector:
    lines = cast("list[tuple[int, ...]]", cell)
    if len(lines) == 1:
        return lines[0][: len(MEASURES)]
    return tuple(map(sum, islice(zip(*lines, strict=True), len(MEASURES))))


def _add(into: dict[Key, Vector], key: Key, vector: Vector, how: Callable[[int, int], int] = add) -> None:
    before = into.get(key)
    if before is None:
        before = _NO_REQUEST + _NO_CALL
    into[key] = tuple(map(how, before, vector))
