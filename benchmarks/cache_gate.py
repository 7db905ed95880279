"""How well the cacheability gate does: replay exact repeats and count what is served.

    python benchmarks/cache_gate.py --data replay_mix.parquet      # needs pyarrow
    python benchmarks/cache_gate.py --data month.jsonl.gz [--json]
    python benchmarks/cache_gate.py --data situatedqa_dependency.parquet
    python benchmarks/cache_gate.py --data cast_multiturn.parquet

Takes labelled traffic: a parquet file with the columns ``tenant``, ``query``, ``previous_turns``, ``cacheable``,
``why_not`` and ``class_id``, or JSON lines with ``tenant``, ``body`` (an OpenAI or Anthropic chat request),
``cacheable`` and ``why_not``. Two requests are the same if the recall key says so. Wrong: served though an answer may
not be given again, or of another class. Rules were written while looking at half 0 of the texts (a hash decides), and
the model beside them was trained on half 0 of other sets that share texts with these; half 1 is the check. Of single
questions that are labelled as depending on time, place or what was said before (the last two commands) it counts how
many are refused; of CAsT only the topics that the model was not trained on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from stand.rows import of_parquet

from farthing.levers.recall.gate import Flags, read_flags, refusal, refused_by_words
from farthing.levers.recall.key import Partition, recall_key
from farthing.types import Facts, Prompt, Turn
from farthing.wire.routes import wire_for


class Item(msgspec.Struct):
    key: bytes
    reason: str | None
    why_not: str | None
    class_id: str
    half: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a .parquet or .jsonl.gz file of labelled requests")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    if (single := labelled(args.data)) is not None:
        print(json.dumps(single, indent=None if args.json else 2))
        return 0
    items = list(mix(args.data) if args.data.suffix == ".parquet" else month(args.data))
    results = {
        name: replay(chosen)
        for name, chosen in (
            ("half 0", [item for item in items if item.half == 0]),
            ("half 1", [item for item in items if item.half == 1]),
            ("all", items),
        )
    }
    if args.json:
        print(json.dumps(results))
    else:
        for name, result in results.items():
            print(f"{name}: {json.dumps(result, indent=2)}")
    return 0


def replay(items: list[Item]) -> dict[str, Any]:
    """Answer every repeat that the gate lets through; what is let through the first time is stored."""
    stored: dict[bytes, str] = {}
    served: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    perfect: dict[bytes, str] = {}
    right_possible = 0
    for item in items:
        label = item.why_not or "right"
        if perfect.get(item.key) == item.class_id and not item.why_not:
            right_possible += 1
        if not item.why_not:
            perfect.setdefault(item.key, item.class_id)
        if item.reason is not None:
            refused[f"{item.reason} / {label}"] += 1
            continue
        missed[label] += 1
        if item.key in stored:
            served["another class" if stored[item.key] != item.class_id else label] += 1
        else:
            stored[item.key] = item.class_id
    total = sum(served.values())
    wrong = total - served["right"]
    return {
        "requests": len(items),
        "served": total,
        "served_share": share(total, len(items)),
        "wrong": wrong,
        "wrong_of_served": share(wrong, total),
        "right_with_a_perfect_gate": right_possible,
        "kept_of_right": share(served["right"], right_possible),
        "served_by_label": dict(served),
        "refused_by_reason_and_label": dict(sorted(refused.items())),
        "let_through_by_label": dict(missed),
    }


def labelled(path: Path) -> dict[str, Any] | None:
    """Refused of the questions with each label, in each half; ``None`` if the file holds traffic instead."""
    if path.suffix != ".parquet":
        return None
    rows = of_parquet(path)
    if "context_dependent" in rows[0]:
        found = [
            (f"needs context: {bool(row['context_dependent'])}", row["raw"])
            for row in rows
            if blake2b(f"{row['year']} {row['topic']}".encode(), digest_size=1).digest()[0] % 3 == 0
        ]
    elif "is_dependent" in rows[0]:
        found = [(f"depends on {row['context_type']}: {row['is_dependent']}", row["query"]) for row in rows]
    else:
        return None
    seen: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for label, text in found:
        name = f"half {half(text)}, {label}"
        seen[name] += 1
        refused[name] += refused_by_words(text) is not None
    return {name: {"questions": seen[name], "refused": share(refused[name], seen[name])} for name in sorted(seen)}


def share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def half(text: str) -> int:
    return blake2b(text.lower().strip().encode(), digest_size=4).digest()[0] & 1


def partition(tenant: str) -> Partition:
    return Partition(tenant=tenant, credential=b"", provider="p")


def mix(path: Path) -> Iterator[Item]:
    for row in of_parquet(path):
        before = json.loads(row["previous_turns"] or "[]")
        said = [{"role": "assistant", "content": "…"}] if before else []
        body = {"messages": [*before, *said, {"role": "user", "content": row["query"]}]}
        turns = (*(Turn("assistant", "…") for _ in said), Turn("user", row["query"]))
        reason = refusal("chat", Facts(), Prompt(system="", turns=turns), Flags())
        key = recall_key(partition(row["tenant"]), "chat", msgspec.json.encode(body))
        yield Item(key, reason, None if row["cacheable"] else row["why_not"], row["class_id"], half(row["query"]))


def month(path: Path) -> Iterator[Item]:
    paths = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
    with gzip.open(path) as lines:
        for line in lines:
            row = msgspec.json.decode(line)
            body = msgspec.json.encode(row["body"])
            wire = wire_for("POST", paths[row["wire"]], anthropic=row["wire"] == "anthropic")
            prompt = wire.prompt(body)
            reason = refusal(wire.operation, wire.facts(body), prompt, read_flags(body, prompt))
            key = recall_key(partition(row["tenant"]), wire.name, body)
            class_id = row["gold"].get("class", "") if isinstance(row.get("gold"), dict) else ""
            yield Item(key, reason, None if row["cacheable"] else row["why_not"], class_id, half(row["question"]))


if __name__ == "__main__":
    sys.exit(main())
