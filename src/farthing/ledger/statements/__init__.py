"""Readers of the statements that providers give: what they bill, as they say it. Pure: bytes in, values out."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import cast

from farthing.errors import StatementError
from farthing.ledger.statements import anthropic, openai, simulator, table
from farthing.ledger.statements.model import Item, Statement, merged
from farthing.ledger.statements.reading import Json

__all__ = ["KNOWN", "Item", "Statement", "merged", "read"]

KNOWN = "OpenAI usage and costs, Anthropic usage and cost report, CSV, the simulator's invoice"


def read(name: str, data: bytes) -> Statement:
    """Whatever it is of the ``KNOWN`` forms. Raises ``StatementError`` that names file and place."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StatementError(f"{name}: it is no text; known are {KNOWN}") from None
    if not text.lstrip().startswith(("{", "[")):
        return table.read(name, text)
    try:
        page: object = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as problem:
        raise StatementError(f"{name}: not valid JSON: {problem}") from None
    if isinstance(page, dict):
        its = cast("Json", page)
        for is_one, reader in (
            (simulator.is_invoice, simulator.read),
            (openai.is_openai, openai.read),
            (anthropic.is_anthropic, anthropic.read),
        ):
            if is_one(its):
                return reader(name, its)
    raise StatementError(f"{name}: none of the forms that are known: {KNOWN}")
