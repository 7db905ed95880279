"""Questions to learn from: short ones of the sets that may train what is shipped."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pyarrow import parquet

LONGEST = 130
"""Characters."""
CLASSED = ("banking77_stream", "clinc150_stream", "hwu64_slots_stream")


def questions(folder: Path) -> list[str]:
    """Each once, in order."""
    return sorted({text for text in _all(folder) if text and len(text) < LONGEST})


def classes(folder: Path, known: list[str], *, half: bool) -> list[list[int]]:
    """The places of the questions of each class that has at least two."""
    places = {text: at for at, text in enumerate(known)}
    found: dict[str, list[int]] = {}
    for name in CLASSED:
        for row in _rows(folder / "cache" / f"{name}.parquet"):
            label = str(row["class_id"])
            if "oos" not in label and row["query"] in places and not (half and left_out(label)):
                found.setdefault(f"{name} {label}", []).append(places[row["query"]])
    return [some for some in found.values() if len(some) > 1]


def left_out(label: str) -> bool:
    """Of the half that is measured on."""
    return blake2b(label.encode(), digest_size=2).digest()[0] & 1 == 1


def _all(folder: Path) -> Iterator[str]:
    cache, routing, compress = folder / "cache", folder / "routing", folder / "compress"
    for name in CLASSED:
        yield from (row["query"] for row in _rows(cache / f"{name}.parquet"))
    for row in _rows(cache / "cast_multiturn.parquet"):
        yield from (row["raw"], row["resolved"])
    for row in _rows(cache / "gptcache_mock_pairs.parquet"):
        yield from (row["q1"], row["q2"])
    yield from (row["query"] for row in _rows(routing / "arena_bench.parquet"))
    for row in _rows(routing / "zeroeval_official_queries.parquet"):
        if not row["task"].startswith("math"):  # whose texts are not SHIP-OK
            yield row["query"] or ""
    for row in _rows(routing / "mmlu_pro_queries.parquet"):
        yield (row["query"] or "").split("\nOptions")[0].split("\nA.")[0]
    for row in _rows(routing / "routellm_evals.parquet"):
        yield (row["query"] or "").split("\nA.")[0].split("\nA)")[0]
    yield from (row["question"] for row in _lines(compress / "covidqa_questions.jsonl.gz"))
    for row in _lines(compress / "qmsum.jsonl.gz"):
        yield from (one["query"] for one in row["general_query_list"] + row["specific_query_list"])
    for row in _lines(compress / "mtrag_un_reference.jsonl.gz"):
        yield from (turn.get("text", "") for turn in row["input"] if isinstance(turn, dict))


def _rows(path: Path) -> list[dict[str, Any]]:
    return parquet.read_table(path).to_pylist()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        yield from (json.loads(line) for line in file)
