"""Builds the bundled sample of real queries (src/farthing/demo/data) from a folder of public evaluation sets.

    python scripts/build_demo_sample.py PATH_TO_SETS

Needs pyarrow. Only sets under MIT, Apache or CC BY licences are read; NOTICE names them all. Selection is by a
stable hash of the text, so that the same sets give the same sample.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
TARGET = Path(__file__).parent.parent / "src" / "farthing" / "demo" / "data"
MEETING_CHARACTERS = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, help="the folder with cache/, routing/ and compress/")
    sets: Path = parser.parse_args().sets
    TARGET.mkdir(parents=True, exist_ok=True)
    write("questions", [*banking(sets), *assistant(sets), *maths(sets), *quiz(sets), *research(sets)])
    write("meetings", meetings(sets))
    write("records", records(sets))


def banking(sets: Path) -> Iterable[Row]:
    """Support questions, six of each intent."""
    rows = parquet(sets / "cache" / "banking77_stream.parquet")
    for row in some_of_each(rows, lambda row: row["class_id"], 6):
        yield {"set": "banking77", "text": row["query"], "class": row["class_id"]}


def assistant(sets: Path) -> Iterable[Row]:
    """What people ask an assistant, or tell it to do: five of each intent."""
    rows = [row for row in parquet(sets / "cache" / "clinc150_stream.parquet") if row["class_id"] != "oos"]
    for row in some_of_each(rows, lambda row: row["class_id"], 5):
        yield {"set": "clinc150", "text": row["query"], "class": row["class_id"]}


def maths(sets: Path) -> Iterable[Row]:
    rows = lines(sets / "compress" / "gsm8k_test.jsonl.gz")
    for row in picked(rows, lambda row: row["question"], 140):
        yield {"set": "gsm8k", "text": row["question"], "class": "maths"}


def quiz(sets: Path) -> Iterable[Row]:
    rows = parquet(sets / "routing" / "mmlu_pro_queries.parquet")
    short = [row for row in rows if len(row["query"]) < 900]
    for row in some_of_each(short, lambda row: row["category"], 8):
        yield {"set": "mmlu_pro", "text": row["query"], "class": row["category"]}


def research(sets: Path) -> Iterable[Row]:
    """Conversations, turn by turn: most turns cannot be understood without those before."""
    topics: dict[str, list[Row]] = defaultdict(list)
    for row in parquet(sets / "cache" / "cast_multiturn.parquet"):
        if not row["turn"].isdigit():  # the branching conversations of later years
            continue
        topics[f"{row['year']}-{row['topic']}"].append(row)
    for topic in picked(list(topics), str, 24):
        for row in sorted(topics[topic], key=lambda row: int(row["turn"])):
            yield {"set": "cast", "text": row["raw"], "class": topic}


def meetings(sets: Path) -> Iterable[Row]:
    """Beginnings of meetings of a design team (AMI), with the questions asked about them."""
    rows = lines(sets / "compress" / "qmsum.jsonl.gz")
    team = [row for row in rows if re.fullmatch(r"(ES|IS|TS)\d+[a-d]", row["meeting_id"])]
    for row in picked(team, lambda row: row["meeting_id"], 7):
        text = "\n".join(f"{turn['speaker']}: {plain(turn['content'])}" for turn in row["meeting_transcripts"])
        asked = [each["query"] for each in (*row["general_query_list"], *row["specific_query_list"])]
        cut = text[:MEETING_CHARACTERS].rsplit("\n", 1)[0]
        yield {"set": "qmsum", "id": row["meeting_id"], "text": cut, "questions": asked[:8]}


def records(sets: Path) -> Iterable[Row]:
    """What an order system's tools answer."""
    rows = lines(sets / "compress" / "tool_outputs_taubench_retail.jsonl.gz")
    for row in some_of_each(rows, lambda row: row["kind"], 40, key=lambda row: json.dumps(row["payload"])):
        yield {"set": "tau_bench", "class": row["kind"], "payload": row["payload"]}


def plain(text: str) -> str:
    """The words alone: annotation marks such as {disfmarker} are left out."""
    return re.sub(r"\s+([.,?!])", r"\1", re.sub(r"\s*\{[^}]*\}", "", text)).strip()


def picked(rows: list[Any], key: Callable[[Any], str], count: int) -> list[Any]:
    """So many, by the hash of their text."""
    return sorted(rows, key=lambda row: hashlib.sha256(key(row).encode()).digest())[:count]


def some_of_each(
    rows: list[Row], group: Callable[[Row], str], count: int, key: Callable[[Row], str] = lambda row: row["query"]
) -> Iterable[Row]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[group(row)].append(row)
    for name in sorted(groups):
        yield from picked(groups[name], key, count)


def parquet(path: Path) -> list[Row]:
    return importlib.import_module("pyarrow.parquet").read_table(path).to_pylist()


def lines(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(name: str, rows: Iterable[Row]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    path = TARGET / f"{name}.jsonl.gz"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{path.name}: {text.count(chr(10))} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
