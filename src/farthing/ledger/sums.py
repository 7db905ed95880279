"""Adds requests up by hour, by day and by what they are about. Pure: the same entries in any order give the same sums.

The keeper spends much of its time here: of each request there is one integer with all its counts, which is added in
two places, and a handful of buckets, which are counted by the thousand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is one
from typing import NamedTuple

import msgspec

from farthing.ledger.histogram import SPAN, Histogram, add, bucket, counted
from farthing.ledger.records import Call, Settled
from farthing.ledger.rollup import (
    DAY,
    GRAIN,
    HOUR,
    MEASURES,
    MICRO,
    TOKENS,
    Key,
    Vector,
    answered_by,
    billed_as,
    is_error,
    saving,
    shares,
)
from farthing.ledger.vectors import CELL, Fields
from farthing.types import CacheState, CostSource, Usage

_fields = Fields(MEASURES, "requests", "calls", "cost", "misses", "hits_exact", "saved", *TOKENS)
_AT = _fields.at
_SAVED, _WOULD_SAVE, _COST, _FIRST_TOKEN = _AT["saved"], _AT["would_save"], _AT["cost"], _AT[TOKENS[0]]
_ONE = {name: 1 << at for name, at in _AT.items()}
_REQUEST, _ERROR, _CALL = _ONE["requests"], _ONE["errors"], _ONE["calls"]
_TOKENS = Struct("<" + CELL * len(TOKENS))
_MICRO_HOUR = HOUR * MICRO
_CACHE: dict[CacheState, int] = {
    "off": _REQUEST,
    "miss": _REQUEST + _ONE["misses"],
    "exact": _REQUEST + _ONE["hits_exact"],
    "semantic": _REQUEST + _ONE["hits_semantic"],
}
_WOULD: dict[CacheState, int] = {
    "off": 0,
    "miss": _ONE["would_miss"],
    "exact": _ONE["would_exact"],
    "semantic": _ONE["would_semantic"],
}
_SOURCES: dict[CostSource, int] = {
    "unpriced": _CALL + _ONE["unpriced"],
    "unsettled": _CALL + _ONE["unsettled"],
    "estimated": _CALL + _ONE["estimated"],
}

_Kind = tuple[int, str, str, str, str, str, str]
"""Hour, tenant, model, provider, status, feature, query type: what all dimensions but user and lever need to know."""
_Buckets = list[int | None]


class _Cell:
    """What falls together: counts as one integer, and every bucket."""

    __slots__ = ("buckets", "packed")

    def __init__(self) -> None:
        self.packed = 0
        self.buckets: _Buckets = []


class ByTime(NamedTuple):
    """Sums by the hour, of the dimensions that are kept so, and of all dimensions by the day."""

    hours: dict[Key, Vector]
    days: dict[Key, Vector]


class Sums:
    """Adds up requests with their query types (empty where not known)."""

    def __init__(self, requests: Iterable[tuple[Settled, str]] = ()) -> None:
        self._kinds: defaultdict[_Kind, _Cell] = defaultdict(_Cell)
        self._users: defaultdict[Key, _Cell] = defaultdict(_Cell)
        self._extra: defaultdict[Key, int] = defaultdict(int)
        for request, query_type in requests:
            self.add(request, query_type)

    def add(self, request: Settled, query_type: str) -> None:
        """Count a request."""
        hour = round(request.ts * MICRO) // _MICRO_HOUR * HOUR
        caller, calls, saved = request.caller, request.calls, saving(request)
        tenant, (model, provider) = caller.tenant, answered_by(request)
        status = "" if request.status is None else str(request.status)
        kind = (hour, tenant, model, provider, status, caller.feature or "", query_type)
        packed = _packed(request, saved)
        buckets = buckets_of(request.cost_nano, request.latency_us, request.ttft_us, request.overhead_us)
        for cell in (self._kinds[kind], self._users["user", hour // DAY * DAY, tenant, caller.user or ""]):
            cell.packed += packed
            cell.buckets.extend(buckets)
        if len(calls) > 1 or (calls and calls[0].purpose != "answer"):
            self._move_calls(request, hour, model, provider)
        if saved or request.saved or request.would_save:
            self._add_levers(request, hour)

    def sums(self) -> ByTime:
        """Key → one number for each of ``MEASURES``."""
        hours = self._whole()
        days: defaultdict[Key, int] = defaultdict(int)
        for (dim, start, tenant, key), packed in hours.items():
            days[dim, start // DAY * DAY, tenant, key] += packed
        return ByTime(
            {key: _fields.amounts(packed) for key, packed in hours.items() if packed and GRAIN[key[0]] == HOUR},
            {key: _fields.amounts(packed) for key, packed in days.items() if packed},
        )

    def histograms(self) -> dict[Key, Histogram]:
        """Key → a histogram with all of ``METRICS``."""
        cells = defaultdict[Key, _Buckets](list, {key: cell.buckets for key, cell in self._users.items()})
        answers: defaultdict[tuple[int, str, str, str], _Buckets] = defaultdict(list)
        for (hour, tenant, model, provider, _, feature, query_type), cell in self._kinds.items():
            day = hour // DAY * DAY
            cells["hour", hour, tenant, ""] += cell.buckets
            cells["feature", day, tenant, feature] += cell.buckets
            cells["query_type", day, tenant, query_type] += cell.buckets
            answers[day, tenant, model, provider] += cell.buckets
        found = defaultdict[Key, Histogram](dict, {key: counted(buckets) for key, buckets in cells.items()})
        for (day, tenant, model, provider), buckets in answers.items():
            counts = counted(buckets)
            for dim, key in (("total", ""), ("model", model), ("provider", provider)):
                add(found[dim, day, tenant, key], counts)
        return found

    def _whole(self) -> Mapping[Key, int]:
        found = self._extra.copy()
        for key, cell in self._users.items():
            found[key] += cell.packed
        for (hour, tenant, model, provider, status, feature, query_type), cell in self._kinds.items():
            found["total", hour, tenant, ""] += cell.packed
            found["feature", hour, tenant, feature] += cell.packed
            found["query_type", hour, tenant, query_type] += cell.packed
            found["model", hour, tenant, model] += cell.packed
            found["provider", hour, tenant, provider] += cell.packed
            found["status", hour, tenant, status] += cell.packed
        return found

    def _move_calls(self, request: Settled, hour: int, model: str, provider: str) -> None:
        """Calls of other models and providers than the one that answered stand under their own names."""
        for call in request.calls:
            own_model, own_provider = billed_as(call)
            packed = _of_call(call)
            for dim, own, other in (("model", own_model, model), ("provider", own_provider, provider)):
                self._extra[dim, hour, request.caller.tenant, own] += packed
                self._extra[dim, hour, request.caller.tenant, other] -= packed

    def _add_levers(self, request: Settled, hour: int) -> None:
        found: dict[str, int] = {}
        for lever, amount in shares(request):
            found[lever] = found.get(lever, _REQUEST) + (amount << _SAVED)
        for lever, amount in request.would_save:
            found[lever] = found.get(lever, _REQUEST) + (amount << _WOULD_SAVE)
        for lever, packed in found.items():
            self._extra["lever", hour, request.caller.tenant, lever] += packed


def buckets_of(cost: int | None, latency: int | None, ttft: int | None, overhead: int | None) -> tuple[int | None, ...]:
    """The bucket in each of ``METRICS``."""
    return bucket(cost), bucket(latency, SPAN), bucket(ttft, 2 * SPAN), bucket(overhead, 3 * SPAN)


def _packed(request: Settled, saved: int) -> int:
    packed = _CACHE[request.cache]
    if request.would_cache:
        packed += _WOULD[request.would_cache]
    if saved:
        packed += saved << _SAVED
    if request.would_save:
        packed += sum([amount for _, amount in request.would_save]) << _WOULD_SAVE
    if is_error(request):
        packed += _ERROR
    for call in request.calls:
        packed += _of_call(call)
    return packed


def _of_call(call: Call) -> int:
    packed = _SOURCES.get(call.cost_source, _CALL)
    if call.cost_nano:
        packed += call.cost_nano << _COST
    return packed if call.usage is None else packed + _of_usage(call.usage)


def _of_usage(usage: Usage) -> int:
    counts = msgspec.structs.astuple(usage)
    try:
        return int.from_bytes(_TOKENS.pack(*counts), "little") << _FIRST_TOKEN
    except StructError:  # a negative count
        return sum(count << _AT[name] for name, count in zip(TOKENS, counts, strict=True))
