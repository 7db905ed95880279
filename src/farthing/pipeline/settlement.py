"""What a provider call came to: usage, price, and where the figure comes from. Pure."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from typing import Protocol

import msgspec

from farthing.errors import UpstreamError
from farthing.exchange import ClientGone
from farthing.ledger.records import Call
from farthing.types import CostSource, Outcome, Usage

FREE_OPERATIONS = frozenset({"models", "count_tokens"})
FREE_PATHS = ("/v1/files", "/v1/uploads", "/v1/batches", "/v1/moderations", "/v1/messages/batches")
"""Calls that providers do not bill themselves (the requests of a batch are billed in its results)."""

CLIENT_GONE = "client_gone"
TIMED_OUT = "upstream_timeout"
INTERNAL = "internal_error"
NOT_SENT = "not_sent"
"""The client left before its request had gone out."""
CUT = "cut"
"""The provider broke off inside its reply."""
TRUNCATED = "truncated"
"""The connection ended in order, but the reply in it lacks its end."""
CLOSED = "upstream_closed"
LET_GO_US = 30_000_000
"""A connection that breaks while the provider has long been at work may have been broken by a box in between (their
limits for idle connections begin at 60 s): then the answer is billed. Earlier, the provider has refused the request."""
UNKNOWN_END = frozenset({CLIENT_GONE, TIMED_OUT, INTERNAL})
"""Nobody waited for the provider's answer: it may or may not be on the bill."""

BROKEN = UNKNOWN_END | {CUT}
NOTHING = Usage()


class Priced(Protocol):
    """A price for a usage: ``cost_nano`` is ``None`` where no price is known."""

    @property
    def cost_nano(self) -> int | None: ...
    @property
    def source(self) -> CostSource: ...
    @property
    def version(self) -> str: ...


Price = Callable[[str, Usage, str | None], Priced]
"""(model, usage, service tier) → price."""


def cause(problem: BaseException) -> str:
    """Why a request or call ended without its answer."""
    if isinstance(problem, UpstreamError):
        return problem.code.removeprefix("farthing_")
    return CLIENT_GONE if isinstance(problem, CancelledError | ClientGone) else INTERNAL


def lacks_end(status: int, operation: str, outcome: Outcome) -> bool:
    """Whether an answer ended in a way in which its API ends none. Some servers leave out the very last event."""
    is_odd = not (outcome.complete or outcome.finish_reason or outcome.error)
    return is_odd and operation == "chat" and status < 400


def billable(method: str, operation: str, path: str) -> bool:
    """Whether a call of this kind can be on the provider's bill."""
    return method == "POST" and operation not in FREE_OPERATIONS and not path.startswith(FREE_PATHS)


def close_call(
    call: Call, outcome: Outcome, *, billable: bool, price: Price, estimate: Callable[[], Usage | None]
) -> Call:
    """The call with usage and cost. ``estimate`` is asked only where a reply that is billed carried no usage."""
    usage, cost, source, version = _bill(call, outcome, billable=billable, price=price, estimate=estimate)
    return msgspec.structs.replace(
        call,
        model_reported=outcome.model,
        error=call.error or outcome.error,
        finish_reason=outcome.finish_reason,
        service_tier=outcome.service_tier,
        usage=usage,
        raw_usage=outcome.raw_usage.decode() if outcome.raw_usage else None,
        cost_nano=cost,
        cost_source=source,
        price_version=version,
    )


Bill = tuple[Usage | None, int | None, CostSource, str | None]
"""Usage, cost, where it comes from, price version."""


def _bill(call: Call, outcome: Outcome, *, billable: bool, price: Price, estimate: Callable[[], Usage | None]) -> Bill:
    if call.status is None:
        unknown = billable and _may_be_billed(call)
        return (None, None, "unsettled", None) if unknown else (None, 0, "free", None)
    if outcome.usage is None and (call.status >= 400 or not billable):
        return None, 0, "free", None
    usage, exact = _usage(outcome, estimate)
    if outcome.usage is None and outcome.error and not _had_begun(outcome, usage):
        return None, 0, "free", None  # an error came instead of an answer
    if usage is None:  # of a reply that broke off the price is known, but not of what
        return None, None, "unsettled" if call.error in BROKEN else "unpriced", None
    priced = _price(outcome.model, call.model, usage, outcome.service_tier, price)
    source = priced.source if exact or priced.source != "usage" else "estimated"
    return usage, priced.cost_nano, source, priced.version


def _had_begun(outcome: Outcome, usage: Usage | None) -> bool:
    """Whether anything of an answer came before the error: then the prompt has been read, and may be billed."""
    return bool(outcome.model or outcome.response_id or (usage and usage.output))


def _may_be_billed(call: Call) -> bool:
    """Of a call without an answer: whether the provider may have worked all the same. Anything else never got there."""
    return call.error in UNKNOWN_END or (call.error == CLOSED and (call.latency_us or 0) > LET_GO_US)


def _usage(outcome: Outcome, estimate: Callable[[], Usage | None]) -> tuple[Usage | None, bool]:
    """The tokens of a reply, and whether the provider itself said all of them.

    It is believed, zeros too, unless it says that nothing at all was used, not even input, for a reply that says
    something: that is a server that does not count.
    """
    if outcome.usage is not None and not outcome.partial_usage and outcome.usage != NOTHING:
        return outcome.usage, True
    guess = estimate()
    if outcome.usage == NOTHING:
        return (guess, False) if guess is not None and guess.output else (outcome.usage, not outcome.partial_usage)
    if outcome.usage is None or guess is None:
        return outcome.usage or guess, False
    output = max(outcome.usage.output, guess.output)
    return msgspec.structs.replace(outcome.usage, output=output), False


def _price(reported: str | None, asked: str | None, usage: Usage, tier: str | None, price: Price) -> Priced:
    """By the model that the provider reports, else by the one that was asked for."""
    priced = price(reported or asked or "", usage, tier)
    if priced.cost_nano is None and reported and asked and asked != reported:
        return price(asked, usage, tier)
    return priced


def total(calls: list[Call]) -> int | None:
    """The cost of all calls; ``None`` while any is unknown. No call costs nothing."""
    amount = 0
    for call in calls:
        if call.cost_nano is None:
            return None
        amount += call.cost_nano
    return amount
