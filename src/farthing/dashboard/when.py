"""Times and limits as they stand in a query string. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from farthing.errors import BadRequest
from farthing.policy.units import seconds


def instant(name: str, value: str | None, now: float) -> float | None:
    """Seconds since the epoch from ``7d`` (ago), ``2026-11-12``, ``2026-11-12T14:00Z`` or a number; ``None`` if absent.

    Times without a zone are UTC. Raises ``BadRequest`` that names the parameter.
    """
    if not value:
        return None
    try:
        return float(_instant(value, now))
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{name}: {value!r} is not a time; write 7d or 24h (ago), 2026-11-12, 2026-11-12T14:00:00Z "
            "or seconds since 1970"
        ) from None


def _instant(value: str, now: float) -> float:
    if value.isascii() and value.isdigit() and len(value) <= 11:
        return int(value)
    if value[-1].isalpha() and value[-1] != "Z":
        return now - seconds(value)
    at = datetime.fromisoformat(value.replace(" ", "+"))  # a plus sign reads as a space in a query string
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def whole(name: str, value: str | None, default: int, most: int) -> int:
    """A whole number from 1 to ``most``; raises ``BadRequest`` that names the parameter."""
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and 1 <= int(value) <= most):
        raise BadRequest(f"{name}: {value!r} is not a whole number from 1 to {most}")
    return int(value)
