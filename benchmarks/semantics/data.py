"""The requests and pairs that are replayed, from parquet files as ``docs/benchmarks.md`` describes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

PAIRS = ("qqp_pairs", "qqp_hard_negatives", "medical_question_pairs", "adversarial_pairs")


class Request(msgspec.Struct, frozen=True):
    """One of the mix. Its answer does for the same tenant, turns before and class, if ``why_not`` says nothing."""

    ts: float
    stream: str
    tenant: str
    before: tuple[str, ...]
    """What the user said in earlier turns."""
    text: str
    class_id: str
    why_not: str


class Pair(msgspec.Struct, frozen=True):
    one: str
    other: str
    same: bool
    """One answer does for both."""
    kind: str


def mix(folder: Path) -> list[Request]:
    """In the order of time."""
    return sorted((_request(row) for row in _rows(folder / "replay_mix.parquet")), key=lambda request: request.ts)


def _request(row: dict[str, Any]) -> Request:
    why_not = "" if row["cacheable"] else row["why_not"] or "uncacheable"
    before = tuple(json.loads(row["previous_turns"] or "[]"))
    return Request(row["ts"], row["stream"], row["tenant"], before, row["query"], row["class_id"], why_not)


def pairs(folder: Path, name: str, most: int) -> list[Pair]:
    """At most so many, spread evenly over the file."""
    rows = _rows(folder / f"{name}.parquet")
    step = max(1, -(-len(rows) // most))
    return [Pair(row["q1"], row["q2"], bool(row["label"]), row.get("category") or name) for row in rows[::step]]


def _rows(path: Path) -> list[dict[str, Any]]:
    from pyarrow import parquet

    return parquet.read_table(path).to_pylist()
