"""Why a statement and the ledger differ: the likely causes, the likeliest first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import msgspec

from farthing.ledger.cells import Cell, Place, beside, neighbours
from farthing.ledger.rollup import DAY

COST = "cost_nano_usd"
LATE_S = 3_600
"""So long after midnight the day before may still be incomplete at the provider."""
ORDINARY = frozenset({"", "default", "standard", "auto", "on_demand", "standard_only"})
FACTORS: Mapping[Fraction, str] = {
    Fraction(1, 2): "half the price: the batch or flex tier",
    Fraction(2): "twice the price: the priority tier, or farthing took a full price for batch or flex",
}


class Around(msgspec.Struct, frozen=True):
    """What a cell is judged by."""

    cells: Mapping[Place, Cell]
    now: float
    more: bool = False
    remarks: tuple[str, ...] = ()


Rule = Callable[[Cell, Around], str | None]


def causes(cell: Cell, around: Around) -> list[str]:
    """At least one sentence for a cell that differs."""
    if only_rounding(cell):
        return ["rounding of the provider's dollars"]
    found = [said for rule in CERTAIN if (said := rule(cell, around))]
    return found or [next(filter(None, (rule(cell, around) for rule in LAST)), "no cause was found")]


def only_rounding(cell: Cell) -> bool:
    """Whether nothing differs but dollars by less than their last decimals."""
    delta = cell.delta
    return delta.keys() == {COST} and abs(delta[COST]) <= cell.slack_nano and not cell.unpriced + cell.unsettled


def _incomplete(_: Cell, around: Around) -> str | None:
    return "the statement has more pages: give all of them" if around.more else None


def _not_over(cell: Cell, around: Around) -> str | None:
    day = cell.place.day
    if day is None or around.now >= day + DAY + LATE_S:
        return None
    return "the day is not closed, and providers tell usage late: compare again later"


def _other_key(cell: Cell, _: Around) -> str | None:
    """The difference is what one of the keys has used."""
    delta = cell.delta
    names = [key for key, side in cell.keys.items() if _same(side.measures(), delta, cell.slack_nano)]
    return f"calls with the key {names[0]} did not go through farthing" if names else None


def _unsettled(cell: Cell, _: Around) -> str | None:
    if not cell.unsettled or not _more_at_theirs(cell):
        return None
    return f"{_calls(cell.unsettled)} here unsettled: a statement call by call can close them (--apply)"


def _estimated(cell: Cell, _: Around) -> str | None:
    tokens = cell.delta.keys() - {"requests", COST}
    if not cell.estimated or not (tokens or COST in cell.delta):
        return None
    return f"{_calls(cell.estimated)} here estimated: the provider reported no usage, tokens were counted"


def _unpriced(cell: Cell, _: Around) -> str | None:
    if not cell.unpriced or cell.delta.get(COST, 0) <= 0:
        return None
    return f"{_calls(cell.unpriced)} here without a price: give one, then `farthing prices reprice`"


def _other_name(cell: Cell, around: Around) -> str | None:
    for other in beside(around.cells, cell):
        if _opposite(cell, other):
            return f"the same calls stand under {other.place.model or '(no model)'}: another name of the model"
    return None


def _other_day(cell: Cell, around: Around) -> str | None:
    for other in neighbours(around.cells, cell):
        if _opposite(cell, other):
            return (
                "the same amount is missing on the other side of midnight: another time zone, or calls around midnight"
            )
    return None


def _tier(cell: Cell, _: Around) -> str | None:
    if cell.delta.keys() != {COST}:
        return None
    theirs, ours = cell.their_tiers - ORDINARY, cell.tiers - ORDINARY
    if theirs != ours and cell.their_tiers:
        return f"service tiers: {_listed(theirs)} there, {_listed(ours)} here"
    if not _tokens_told(cell) or not cell.ours.cost_nano:
        return None
    return FACTORS.get(Fraction(cell.theirs.cost_nano or 0, cell.ours.cost_nano))


def _price(cell: Cell, _: Around) -> str | None:
    if cell.delta.keys() != {COST} or not _tokens_told(cell) or cell.unpriced or cell.unsettled:
        return None
    return f"another price for the same tokens; here {_listed(cell.versions)}: `farthing prices check`, then `reprice`"


def _fee(cell: Cell, around: Around) -> str | None:
    named = any(one.place.model is not None for one in around.cells.values())
    if cell.place.model is not None or not named:
        return None
    return "a fee that names no model (web searches and the like); farthing has it, if at all, with the call's model"


def _elsewhere(cell: Cell, _: Around) -> str | None:
    if not _more_at_theirs(cell):
        return None
    if "requests" in cell.delta and cell.delta["requests"] > 0:
        return f"{_calls(cell.delta['requests'])} did not go through farthing"
    if "requests" not in cell.theirs.measures() or not any(cell.ours.measures().values()):
        return "calls that did not go through farthing"
    return None


def _left_out(cell: Cell, around: Around) -> str | None:
    if _more_at_theirs(cell) or not cell.delta:
        return None
    nature = f" ({'; '.join(around.remarks)})" if around.remarks else ""
    return f"the statement leaves calls out: another key, project, workspace or account, or it is older{nature}"


CERTAIN: tuple[Rule, ...] = (
    _incomplete, _not_over, _other_key, _unsettled, _estimated, _unpriced, _other_name, _other_day, _fee,
)  # fmt: skip
LAST: tuple[Rule, ...] = (_tier, _price, _elsewhere, _left_out)


def _more_at_theirs(cell: Cell) -> bool:
    return any(number > 0 for number in cell.delta.values())


def _tokens_told(cell: Cell) -> bool:
    return bool(cell.theirs.tokens)


def _opposite(one: Cell, other: Cell) -> bool:
    """Whether one has too much exactly what the other has too little."""
    return bool(one.delta) and _same({name: -number for name, number in one.delta.items()}, other.delta, one.slack_nano)


def _same(one: Mapping[str, int], other: Mapping[str, int], slack_nano: int) -> bool:
    """Equal where either is not 0; dollars up to their rounding."""
    names = {name for name in one.keys() | other.keys() if one.get(name) or other.get(name)}
    return bool(names) and all(
        abs(one.get(name, 0) - other.get(name, 0)) <= (slack_nano if name == COST else 0) for name in names
    )


def _calls(number: int) -> str:
    return f"{number:,} call" if number == 1 else f"{number:,} calls"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
