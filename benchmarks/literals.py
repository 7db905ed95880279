"""What the literal rules keep apart: pairs of questions that share an answer and pairs that do not.

    python benchmarks/literals.py --pairs adversarial_pairs.parquet qqp_hard_negatives.parquet [--json]

Takes parquet files with the columns ``q1``, ``q2`` and ``label`` (1: the same answer may serve both); needs pyarrow. No
encoder takes part: of the pairs with each label it counts those that are kept apart, by the rules that nothing
overrules and by all of them, and why; and how long reading and comparing take.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from stand.rows import of_parquet

from farthing.levers.recall.semantic.literals import SOFT, clash, read


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, nargs="+", required=True, help="parquet files of labelled pairs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    results = {path.stem: measured(of_parquet(path)) for path in args.pairs}
    print(json.dumps(results, indent=None if args.json else 2))
    return 0


def measured(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    read_us: list[float] = []
    compare_us: list[float] = []
    reasons: dict[int, Counter[str]] = {0: Counter(), 1: Counter()}
    for pair in pairs:
        start = perf_counter()
        one = read(pair["q1"])
        between = perf_counter()
        other = read(pair["q2"])
        compared = perf_counter()
        reason = clash(one, other)
        compare_us.append((perf_counter() - compared) * 1e6)
        read_us.append((between - start) * 1e6)
        reasons[int(pair["label"])][reason or "together"] += 1
    return {
        "different": counted(reasons[0]),
        "same": counted(reasons[1]),
        "read_us_p50": round(median(read_us), 1),
        "compare_us_p50": round(median(compare_us), 1),
    }


def counted(reasons: Counter[str]) -> dict[str, Any]:
    total, together = sum(reasons.values()), reasons["together"]
    soft = sum(reasons[reason] for reason in SOFT)
    return {
        "pairs": total,
        "kept_apart": share(total - together, total),
        "kept_apart_for_good": share(total - together - soft, total),
        "reasons": dict(reasons.most_common()),
    }


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


if __name__ == "__main__":
    sys.exit(main())
