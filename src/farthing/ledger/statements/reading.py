"""Reads values out of JSON that others have written. Every complaint names where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from farthing.errors import StatementError

Json = Mapping[str, object]


def objects(value: object, where: str) -> Iterable[tuple[str, Json]]:
    """The objects of a list, each with its place."""
    if not isinstance(value, list):
        raise StatementError(f"{where}: expected a list, got {type(value).__name__}")
    for number, one in enumerate(cast("list[object]", value)):
        if not isinstance(one, dict):
            raise StatementError(f"{where}[{number}]: expected an object, got {type(one).__name__}")
        yield f"{where}[{number}]", cast("Json", one)


def mapping(value: object) -> Json:
    """An object, or an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def number(one: Json, key: str, where: str) -> int | None:
    """A count; ``None`` if it is not told."""
    value = one.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise StatementError(f"{where}.{key}: expected a whole number from 0, got {str(value)[:40]}")
    return value


def text(one: Json, key: str) -> str | None:
    """A name; ``None`` if it is not told."""
    value = one.get(key)
    return value if isinstance(value, str) and value else None


def time_of(value: object, where: str) -> float:
    """Seconds since the epoch, from such or from an ISO time (UTC where it names no zone)."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    try:
        given = datetime.fromisoformat(str(value).strip())
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise StatementError(f"{where}: {str(value)[:40]!r} is not a time") from None


def bounds(found: Iterable[tuple[float, float]]) -> tuple[float, float] | None:
    """From the first to the last of several buckets."""
    known = list(found)
    return (min(since for since, _ in known), max(until for _, until in known)) if known else None
