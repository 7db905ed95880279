"""The encoder that comes with the package: how long a question takes, what it holds, and how well it tells pairs apart.

    python benchmarks/encoder.py --pairs qqp_pairs.parquet medical_question_pairs.parquet [--model FOLDER] [--json]

Takes parquet files with the columns ``q1``, ``q2`` and ``label`` (1: the same answer may serve both); needs pyarrow. Of
each file, at most ``--most`` pairs drawn with a fixed seed: the average precision, and recall and precision at
thresholds of the similarity. No literal rule takes part. ``--model``: all-MiniLM-L6-v2 beside it, a folder with its
``model.safetensors`` and ``tokenizer.json``; needs torch, tokenizers and safetensors.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from stand.rows import of_parquet

from farthing.levers.recall.semantic.encoder import similarity
from farthing.levers.recall.semantic.static import StaticEncoder, shipped

THRESHOLDS = (0.80, 0.85, 0.90, 0.92, 0.95)
SEED = 1
TIMED = 2000
Pair = tuple[str, str, bool]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, nargs="+", required=True, help="parquet files of labelled pairs")
    parser.add_argument("--most", type=int, default=10_000, help="pairs of a file")
    parser.add_argument("--model", type=Path, help="all-MiniLM-L6-v2's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    sets = {path.stem: drawn(of_parquet(path), args.most) for path in args.pairs}
    before = resident()
    encoder = shipped()
    results: dict[str, Any] = {"cost": cost(encoder, [one for pairs in sets.values() for one, _, _ in pairs], before)}
    for name, pairs in sets.items():
        results[name] = {"pairs": len(pairs), "static": agreement(pairs, alike(encoder, pairs))}
        if args.model:
            results[name]["all-MiniLM-L6-v2"] = agreement(pairs, alike_to_teacher(args.model, pairs))
    print(json.dumps(results, indent=None if args.json else 2))
    return 0


def cost(encoder: StaticEncoder, texts: Sequence[str], before: int | None) -> dict[str, Any]:
    """Of questions that are asked for the first time, in microseconds; ``before``: resident bytes before loading."""
    taken: list[float] = []
    for text in random.Random(SEED).sample(texts, min(TIMED, len(texts))):
        start = perf_counter()
        encoder.encode(text)
        taken.append((perf_counter() - start) * 1e6)
    cuts = quantiles(taken, n=20)
    after = resident()
    return {
        "encode_us_p50": round(cuts[9], 1),
        "encode_us_p95": round(cuts[18], 1),
        "resident_mb": None if before is None or after is None else round((after - before) / 1e6, 1),
    }


def alike(encoder: StaticEncoder, pairs: Sequence[Pair]) -> list[float]:
    """A pair with a text that has no vector is as far apart as can be: it would be a miss."""
    vectors = [(encoder.encode(one), encoder.encode(other)) for one, other, _ in pairs]
    return [similarity(one, other) if one and other else -1.0 for one, other in vectors]


def alike_to_teacher(folder: Path, pairs: Sequence[Pair]) -> list[float]:
    sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
    from distilling.teacher import Teacher

    teacher = Teacher(folder)
    ones, others = (teacher.encode([pair[at] for pair in pairs]) for at in (0, 1))
    return (ones * others).sum(axis=1).tolist()


def agreement(pairs: Sequence[Pair], similarities: Sequence[float]) -> dict[str, Any]:
    labels = [same for _, _, same in pairs]
    at: dict[str, Any] = {}
    for threshold in THRESHOLDS:
        served = [same for same, near in zip(labels, similarities, strict=True) if near >= threshold]
        at[f"{threshold:.2f}"] = {
            "recall": share(sum(served), sum(labels)),
            "precision": share(sum(served), len(served)),
        }
    return {"average_precision": round(average_precision(labels, similarities), 4), "at": at}


def average_precision(labels: Sequence[bool], scores: Sequence[float]) -> float:
    """The mean, over those that are the same, of the precision down to each of them; equals count together."""
    ranked = sorted(zip(scores, labels, strict=True), reverse=True)
    total = found = 0.0
    begin = 0
    while begin < len(ranked):
        end = begin
        while end < len(ranked) and ranked[end][0] == ranked[begin][0]:
            end += 1
        same = sum(label for _, label in ranked[begin:end])
        found += same
        total += same * found / end
        begin = end
    return total / found if found else 0.0


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def resident() -> int | None:
    """Bytes of this process in memory, with what it maps; ``None`` where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def drawn(rows: list[dict[str, Any]], most: int) -> list[Pair]:
    some = random.Random(SEED).sample(rows, most) if len(rows) > most else rows
    return [(row["q1"], row["q2"], bool(row["label"])) for row in some]


if __name__ == "__main__":
    sys.exit(main())
