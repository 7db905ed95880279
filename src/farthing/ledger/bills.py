"""What a correction may change of a request: usage and cost of its calls, and what follows from them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from farthing.ledger.records import Call, Settled
from farthing.types import CostSource, Usage


class CallBill(msgspec.Struct, frozen=True, array_like=True):
    """Of one call."""

    usage: Usage | None
    cost_nano: int | None
    cost_source: CostSource
    price_version: str | None
    provider_request_id: str | None


class Bill(msgspec.Struct, frozen=True, array_like=True):
    """Of a request and its calls, in their order."""

    cost_nano: int | None
    baseline_nano: int | None
    calls: tuple[CallBill, ...]


def bill_of(request: Settled) -> Bill:
    """The bill as it stands."""
    calls = (
        CallBill(one.usage, one.cost_nano, one.cost_source, one.price_version, one.provider_request_id)
        for one in request.calls
    )
    return Bill(request.cost_nano, request.baseline_nano, tuple(calls))


def with_bill(request: Settled, bill: Bill) -> Settled:
    """The request with another bill."""
    calls = tuple(
        msgspec.structs.replace(call, **msgspec.structs.asdict(its))
        for call, its in zip(request.calls, bill.calls, strict=True)
    )
    return msgspec.structs.replace(request, calls=calls, cost_nano=bill.cost_nano, baseline_nano=bill.baseline_nano)


def with_calls(request: Settled, calls: Sequence[Call]) -> Settled:
    """The request with other costs of its calls.

    What was claimed as saved stays: the baseline moves with the cost. Where neither was known, the request went as the
    app sent it, and both are the same.
    """
    cost = _total(calls)
    baseline = request.baseline_nano
    if cost is not None:
        if request.cost_nano is not None and baseline is not None:
            baseline += cost - request.cost_nano
        elif request.cost_nano is None and baseline is None:
            baseline = cost
    return msgspec.structs.replace(request, calls=tuple(calls), cost_nano=cost, baseline_nano=baseline)


def _total(calls: Sequence[Call]) -> int | None:
    """``None`` while any cost is unknown."""
    known = [call.cost_nano for call in calls]
    return None if None in known else sum(cost for cost in known if cost is not None)
