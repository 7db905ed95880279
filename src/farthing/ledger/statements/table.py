"""A plain CSV, one line a call or a bucket; see ``docs/reconcile.md`` for the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from farthing.errors import StatementError
from farthing.ledger.rollup import DAY
from farthing.ledger.statements.model import Item, Statement, nano_of
from farthing.ledger.statements.reading import time_of
from farthing.types import Usage

TEXTS = ("provider", "model", "key", "tier", "request_id")
TIMES = ("date", "time", "until")
COSTS = ("cost_usd", "cost_nano_usd")
CLASSES = tuple(name for name in Usage.__struct_fields__ if name != "reasoning")
MEASURES = ("requests", *CLASSES, *COSTS)
COLUMNS = (*TIMES, *TEXTS, *MEASURES)

Row = Mapping[str, str]


def read(name: str, text: str) -> Statement:
    """A table with a header. Raises ``StatementError``."""
    reader = csv.DictReader(io.StringIO(text), restval="")
    columns = [column.strip().lower() for column in reader.fieldnames or ()]
    reader.fieldnames = columns
    told = [column for column in columns if column in MEASURES]
    if not told:
        raise StatementError(f"{name}: no column that can be compared; at least one of {', '.join(MEASURES)}")
    left_out = [column for column in columns if column not in COLUMNS]
    return Statement(
        name=name,
        form="CSV",
        items=tuple(_item(f"{name}: line {reader.line_num}", row) for row in reader),
        classes={column: (column,) for column in told if column in CLASSES},
        remarks=(f"columns that are not read: {', '.join(left_out)}",) if left_out else (),
    )


def _item(where: str, row: Row) -> Item:
    texts = {column: row.get(column, "").strip() or None for column in TEXTS}
    since, until = _times(where, row)
    cost, slack = _cost(where, row)
    counts = {column: _count(where, row, column) for column in ("requests", *CLASSES) if row.get(column, "").strip()}
    is_call = until is None and since is not None and "date" not in row
    return Item(
        **texts,
        since=since,
        until=until,
        requests=counts.pop("requests", 1 if is_call or texts["request_id"] else None),
        tokens=counts,
        cost_nano=cost,
        slack_nano=slack,
    )


def _times(where: str, row: Row) -> tuple[float | None, float | None]:
    day, time, until = (row.get(column, "").strip() for column in TIMES)
    if day:
        since = time_of(day, f"{where}, date")
        return since, time_of(until, f"{where}, until") if until else since + DAY
    return (
        time_of(_number(time), f"{where}, time") if time else None,
        time_of(_number(until), f"{where}, until") if until else None,
    )


def _number(text: str) -> object:
    """Seconds since the epoch, or what is no number."""
    try:
        return float(text)
    except ValueError:
        return text


def _cost(where: str, row: Row) -> tuple[int | None, int]:
    if nano := row.get("cost_nano_usd", "").strip():
        return _count(where, {"cost_nano_usd": nano}, "cost_nano_usd"), 0
    if usd := row.get("cost_usd", "").strip():
        amount, slack = nano_of(usd.removeprefix("$").replace(",", ""), f"{where}, cost_usd")
        return amount, 0 if slack == 1 else slack
    return None, 0


def _count(where: str, row: Row, column: str) -> int:
    text = row[column].strip().replace(",", "")
    if not text.isdecimal():
        raise StatementError(f"{where}, {column}: expected a whole number, got {text[:40]!r}")
    return int(text)
