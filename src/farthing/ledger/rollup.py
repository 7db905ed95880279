"""What the roll-ups count, and under what. Pure; ``sums`` adds it up.

A request is counted once in every dimension. Cost, tokens and calls belong to the model and the provider of the single
call (as the provider's invoice has them); the request itself, its savings and its errors to the model and provider
that answered it, or for an answer from a cache to those that the stored answer came from.

``saved`` is only claimed where cost and baseline are both known. Baseline is not kept: it is cost + saved, always.
"""

from __future__ import annotations

from collections.abc import Sequence

from farthing.ledger.records import Call, Settled
from farthing.types import Usage

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
"""Dimension → seconds of its finest buckets; all are kept by the day, too, for long spans.

Users are many: by the hour they would be as many rows as requests.
"""
HISTOGRAM_GRAIN = {
    "hour": HOUR,
    "total": DAY,
    "feature": DAY,
    "model": DAY,
    "provider": DAY,
    "query_type": DAY,
    "user": DAY,
}
"""Dimension → seconds of its histograms' buckets. They are large: those of single hours are of everything together."""

Key = tuple[str, int, str, str]
"""Dimension, start of the bucket (seconds since the epoch), tenant, key (empty: the requests named none)."""
Vector = Sequence[int]
"""One number for each of MEASURES."""

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
