"""What has to hold, and what was found: a table, an exit code, files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Check(NamedTuple):
    """One thing that has to hold."""

    what: str
    holds: bool
    found: str


def verdicts(found: Sequence[Check]) -> str:
    """Markdown."""
    rows = [f"| {'ok' if one.holds else '**NOT**'} | {one.what} | {one.found} |" for one in found]
    return "\n".join(["| | what has to hold | found |", "|---|---|---|", *rows])


def percentile(values: Sequence[float], share: float) -> float:
    """Of at least one value."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def save(path: Path, text: str) -> None:
    """Write a file, and its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
