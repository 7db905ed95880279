"""What a provider's own statement says, whatever its form. Times are seconds since the epoch, money nano-dollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from farthing.errors import StatementError
from farthing.money import NANO, divide_half_even
from farthing.types import TOKEN_CLASSES

OWN_CLASSES: Mapping[str, tuple[str, ...]] = {name: (name,) for name in TOKEN_CLASSES}
CENT = NANO // 100
MOST_DIGITS = 15
"""Before and behind the point of an amount."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line: a call, or a bucket of many. ``None`` is what it does not tell."""

    since: float | None = None
    until: float | None = None
    """The end of its bucket; ``None`` for a single call."""
    provider: str | None = None
    model: str | None = None
    key: str | None = None
    """The API key, or the provider's id of it."""
    tier: str | None = None
    requests: int | None = None
    tokens: dict[str, int] = {}
    """By the classes of its statement."""
    cost_nano: int | None = None
    slack_nano: int = 0
    """How much the provider may have rounded away."""
    request_id: str | None = None
    """Of a single call, as in the header of its reply."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One file or answer, or several of the same form."""

    name: str
    form: str
    """For people: ``OpenAI usage``."""
    items: tuple[Item, ...]
    provider: str | None = None
    """Whose it is, where the form says so."""
    classes: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: OWN_CLASSES)
    """Its token classes, and which of the ledger's each holds."""
    wires: tuple[str, ...] | None = None
    """The kinds of calls that it is about; ``None``: all."""
    span: tuple[float, float] | None = None
    """What time it is about, where it says so."""
    more: bool = False
    """There are pages that are not here."""
    remarks: tuple[str, ...] = ()
    """What it leaves out by its nature."""


def merged(many: Sequence[Statement]) -> list[Statement]:
    """One statement of each form. Pages are complete if one of them is the last one."""
    found: dict[str, list[Statement]] = {}
    for one in many:
        found.setdefault(one.form, []).append(one)
    return [_joined(its) for its in found.values()]


def _joined(its: Sequence[Statement]) -> Statement:
    spans = [one.span for one in its if one.span is not None]
    classes = dict(its[0].classes)
    for one in its[1:]:  # a class that one of the pages does not tell cannot be compared in any
        classes = {name: held for name, held in classes.items() if one.classes.get(name) == held}
    return msgspec.structs.replace(
        its[0],
        name=", ".join(dict.fromkeys(one.name for one in its)),
        items=tuple(item for one in its for item in one.items),
        classes=classes,
        span=(min(since for since, _ in spans), max(until for _, until in spans)) if spans else None,
        more=all(one.more for one in its),
        remarks=tuple(dict.fromkeys(remark for one in its for remark in one.remarks)),
    )


def nano_of(amount: object, where: str, *, unit: int = NANO) -> tuple[int, int]:
    """An amount in dollars (or other units of so many nano-dollars), and how much of it may be rounded away.

    That is half of its last decimal, at most half a cent: a short number may also be a round one.
    Raises ``StatementError``.
    """
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value.adjusted() > MOST_DIGITS:
        raise StatementError(f"{where}: {str(amount)[:40]!r} is no amount of money")
    exponent = int(value.as_tuple().exponent)
    numerator, denominator = (round(value, MOST_DIGITS) * unit).as_integer_ratio()
    slack = int(unit * Decimal(5).scaleb(max(min(exponent, 0), -MOST_DIGITS) - 1))
    return divide_half_even(numerator, denominator), max(1, min(CENT // 2, slack))
