"""Times as people give them on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from farthing.errors import ConfigError
from farthing.policy.units import seconds

HOW = "an ISO date or time (2026-11-25, 2026-11-25T08:00), a span back from now (7d, 24h), today, yesterday or now"


def moment(option: str, text: str | None, now: float) -> float | None:
    """Seconds since the epoch; without a zone, times and days are UTC, as in the ledger.

    Raises ``ConfigError`` that names the option.
    """
    if text is None:
        return None
    words = text.strip().lower()
    midnight = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight.timestamp(), "yesterday": (midnight - timedelta(days=1)).timestamp()}
    if words in named:
        return named[words]
    try:
        return now - seconds(words)
    except ValueError:
        pass
    try:
        given = datetime.fromisoformat(text.strip())
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ConfigError(f"{option}: {text!r} is not a time; give {HOW}") from None


def shown(ts: float) -> str:
    """A time for people, UTC, to the second."""
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M:%S")
