"""A statement that names its calls, held against the ledger call by call; closes what is unsettled. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from farthing.ledger.billed import OneCall
from farthing.ledger.bills import with_calls
from farthing.ledger.cells import plain
from farthing.ledger.records import Call, Settled
from farthing.ledger.reprice import STATEMENT
from farthing.ledger.statements import Item, Statement
from farthing.types import TOKEN_CLASSES, Usage

LATE_S = 600.0
"""A call whose length is not known may have been billed so much later than it began."""
EARLY_S = 2.0
"""The provider's clock may be so far behind."""


class Odd(msgspec.Struct, frozen=True):
    """A call that is not the same in both."""

    provider_request_id: str | None
    request: str | None
    """The ledger's id of the request; ``None`` if it knows none."""
    model: str | None
    theirs_nano_usd: int | None
    ours_nano_usd: int | None
    cause: str


class Matched(msgspec.Struct, frozen=True):
    """What came of it."""

    same: int
    odd: list[Odd]
    closings: dict[tuple[str, int], Item]
    """(Request, number of its call) → the line that tells the ending of this unsettled call."""


def matched(statement: Statement, calls: Iterable[OneCall]) -> Matched:
    """By the provider's request ids; unsettled calls without one by model and time, where only one fits."""
    lines = {item.request_id: item for item in statement.items if item.request_id is not None}
    odd: list[Odd] = []
    closings: dict[tuple[str, int], Item] = {}
    nameless: list[OneCall] = []
    left, same = dict(lines), 0
    for call in calls:
        line = left.pop(call.provider_request_id, None) if call.provider_request_id else None
        if line is None:
            nameless.append(call) if _may_be_closed(call) else odd.append(_ours(call))
        elif call.cost_source == "unsettled":
            closings[call.request, call.number] = line
        elif said := _difference(line, call, statement):
            odd.append(_odd(line, call, said))
        else:
            same += 1
    found = _by_time(nameless, list(left.values()))
    for call in nameless:
        line = found.get((call.request, call.number))
        if line is None:
            odd.append(_ours(call))
        elif line.request_id is not None:
            closings[call.request, call.number] = left.pop(line.request_id)
    odd += [_odd(line, None, "did not go through farthing") for line in left.values()]
    return Matched(same, odd, closings)


class Closing:
    """A change for ``corrections.correct``: the endings that a statement tells. Settled calls are never touched."""

    def __init__(self, name: str, closings: Mapping[tuple[str, int], Item]) -> None:
        self._version = f"{STATEMENT}{name}"
        self._closings: defaultdict[str, dict[int, Item]] = defaultdict(dict)
        for (request, number), line in closings.items():
            self._closings[request][number] = line

    def __call__(self, request: Settled) -> Settled | None:
        """The request with the endings of its calls; ``None`` if there are none."""
        its = self._closings.get(request.id, {})
        calls = [
            self._closed(call, its[number]) if number in its and call.cost_source == "unsettled" else call
            for number, call in enumerate(request.calls)
        ]
        is_same = all(new is old for new, old in zip(calls, request.calls, strict=True))
        return None if is_same else with_calls(request, calls)

    def _closed(self, call: Call, line: Item) -> Call:
        return msgspec.structs.replace(
            call,
            usage=Usage(**line.tokens) if line.tokens else call.usage,
            cost_nano=line.cost_nano,
            cost_source="usage",
            price_version=self._version,
            provider_request_id=call.provider_request_id or line.request_id,
        )


def can_close(statement: Statement) -> bool:
    """Whether its lines tell all that an ending needs: what it cost, and how much of which class."""
    own = all(held == (name,) for name, held in statement.classes.items())
    return (
        own and set(TOKEN_CLASSES) <= statement.classes.keys() and all(i.cost_nano is not None for i in statement.items)
    )


def _may_be_closed(call: OneCall) -> bool:
    return call.cost_source == "unsettled" and call.provider_request_id is None


def _by_time(calls: Sequence[OneCall], lines: Sequence[Item]) -> dict[tuple[str, int], Item]:
    """Calls and lines of which only one fits the other, both ways."""
    of_call = {(call.request, call.number): [line for line in lines if _fits(call, line)] for call in calls}
    wanted: defaultdict[str | None, int] = defaultdict(int)
    for fitting in of_call.values():
        for line in fitting:
            wanted[line.request_id] += 1
    return {
        key: fitting[0] for key, fitting in of_call.items() if len(fitting) == 1 and wanted[fitting[0].request_id] == 1
    }


def _fits(call: OneCall, line: Item) -> bool:
    if line.since is None or line.model is None or plain(line.model) != plain(call.model):
        return False
    lasted = LATE_S if call.latency_us is None else call.latency_us / 1e6 + EARLY_S
    return call.started - EARLY_S <= line.since <= call.started + lasted


def _difference(line: Item, call: OneCall, statement: Statement) -> str | None:
    """What is not the same, in words; ``None`` if nothing."""
    ours = call.tokens or {}
    tokens = [
        name
        for name, held in statement.classes.items()
        if line.tokens and line.tokens.get(name, 0) != sum(ours.get(its, 0) for its in held)
    ]
    if tokens:
        guess = ": estimated here, the provider reported no usage" if call.cost_source == "estimated" else ""
        return f"{', '.join(tokens)} differ{guess}"
    if line.cost_nano is None or abs(line.cost_nano - (call.cost_nano or 0)) <= line.slack_nano:
        return None
    return "no price is known here" if call.cost_nano is None else "another price for the same tokens"


def _odd(line: Item, call: OneCall | None, cause: str) -> Odd:
    ours = None if call is None else call.cost_nano
    return Odd(line.request_id, None if call is None else call.request, line.model, line.cost_nano, ours, cause)


def _ours(call: OneCall) -> Odd:
    unsettled = call.cost_source == "unsettled"
    cause = "unsettled here, and not on the statement or not to be told apart" if unsettled else "not on the statement"
    return Odd(call.provider_request_id, call.request, call.model, None, call.cost_nano, cause)
