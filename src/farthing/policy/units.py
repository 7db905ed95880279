"""Durations (``7d``, ``90s``) and sizes (``64MB``) as people write them."""

from __future__ import annotations

import re

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
BYTES = {"B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


def seconds(text: str) -> float:
    """A duration in seconds; raises ``ValueError`` that says how to write one."""
    return _quantity(text, SECONDS, "a duration such as 90s, 15m, 24h or 7d")


def size(text: str) -> int:
    """A size in bytes; raises ``ValueError`` that says how to write one."""
    return int(_quantity(text, BYTES, "a size such as 500kB, 64MB or 1GB"))


def _quantity(text: str, units: dict[str, float] | dict[str, int], wanted: str) -> float:
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in units:
        raise ValueError(f"{text!r} is not {wanted}")
    return float(match[1]) * units[match[2]]
