"""The invoice of the built-in simulated provider (``GET /_invoice``, with ``?lines=1`` call by call)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from farthing.errors import StatementError
from farthing.ledger.statements.model import Item, Statement
from farthing.ledger.statements.reading import Json, mapping, number
from farthing.types import TOKEN_CLASSES, Usage


class _Line(msgspec.Struct):
    request_id: str
    model: str
    api: str
    ts: Decimal
    nano_usd: int
    tokens: Usage
    tier: str = "default"


def is_invoice(page: Json) -> bool:
    """Whether it is one."""
    return "total_nano_usd" in page and "by_model" in page


def read(name: str, page: Json) -> Statement:
    """An invoice. Raises ``StatementError``."""
    try:
        lines = msgspec.convert(page.get("lines"), list[_Line] | None)
    except msgspec.ValidationError as problem:
        raise StatementError(f"{name}: lines: {problem}") from None
    if lines is None:
        items = tuple(
            _sum(f"{name}: by_model.{model}", model, mapping(one)) for model, one in mapping(page["by_model"]).items()
        )
    else:
        items = tuple(map(_call, lines))
    return Statement(name=name, form="simulator's invoice", items=items)


def _call(line: _Line) -> Item:
    return Item(
        since=float(line.ts),
        provider=line.api,
        model=line.model,
        tier=line.tier,
        requests=1,
        tokens={name: getattr(line.tokens, name) for name in TOKEN_CLASSES},
        cost_nano=line.nano_usd,
        request_id=line.request_id,
    )


def _sum(where: str, model: str, one: Json) -> Item:
    return Item(
        model=model,
        requests=number(one, "requests", where),
        tokens={name: number(one, name, where) or 0 for name in TOKEN_CLASSES},
        cost_nano=number(one, "nano_usd", where),
    )
