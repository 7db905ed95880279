"""Names of days and hours (UTC) in reports. Pure."""

from __future__ import annotations

from datetime import UTC, datetime


def day_name(start: int) -> str:
    """``2026-11-25``."""
    return f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d}"


def hour_name(start: int) -> str:
    """``2026-11-25T14:00Z``."""
    return f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%MZ}"
