"""How well query types meet what the traffic really was: purity and completeness on a workload with known features.

    python benchmarks/query_types.py --workload month.jsonl.gz --docs docs.json.gz [--json FILE]

A line of the workload has ``tenant``, ``feature``, ``wire`` (``openai`` or ``anthropic``) and ``body``; a string in the
body may hold ``{{doc:ID}}``, which stands for a text of the docs file.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from farthing.insight.query_types import Miner
from farthing.insight.shape import shape_of
from farthing.wire.anthropic_messages import AnthropicMessages
from farthing.wire.openai_chat import OpenAIChat

WIRES = {"openai": OpenAIChat(), "anthropic": AnthropicMessages()}
MARKER = re.compile(r"\{\{doc:([^}]+)\}\}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", type=Path, required=True)
    parser.add_argument("--docs", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    docs: dict[str, str] = json.loads(gzip.decompress(options.docs.read_bytes()))
    miner, rows, spent = Miner(), [], []
    for item in _items(options.workload):
        wire = WIRES[item["wire"]]
        prompt = wire.prompt(json.dumps(expanded(item["body"], docs)).encode())
        start = time.perf_counter()
        shape = shape_of(wire.name, prompt, keep_example=True)
        middle = time.perf_counter()
        id_ = miner.assign(wire.name, shape)
        spent.append((middle - start, time.perf_counter() - middle))
        rows.append((id_, item["feature"], f"{item['tenant']}/{item['feature']}"))
    found = figures(rows, spent)
    _show(miner, rows, found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def figures(rows: Sequence[tuple[str, str, str]], spent: Sequence[tuple[float, float]]) -> dict[str, Any]:
    ids, features, both = zip(*rows, strict=True)
    micros = np.asarray(spent) * 1e6
    return {
        "requests": len(rows),
        "types": len(set(ids)),
        "feature": v_measure(features, ids),
        "tenant_and_feature": v_measure(both, ids),
        "shape_us": {"p50": float(np.median(micros[:, 0])), "p99": float(np.quantile(micros[:, 0], 0.99))},
        "assign_us": {"p50": float(np.median(micros[:, 1])), "p99": float(np.quantile(micros[:, 1], 0.99))},
    }


def v_measure(truth: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """Homogeneity (a type holds one feature), completeness (a feature is one type), their harmonic mean; purity."""
    _, rows = np.unique(truth, return_inverse=True)
    _, columns = np.unique(found, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    joint = table / table.sum()
    of_truth, of_found = joint.sum(1), joint.sum(0)
    both = _entropy(joint.ravel())
    homogeneity = 1 - (both - _entropy(of_found)) / (_entropy(of_truth) or 1)
    completeness = 1 - (both - _entropy(of_truth)) / (_entropy(of_found) or 1)
    return {
        "homogeneity": homogeneity,
        "completeness": completeness,
        "v": 2 * homogeneity * completeness / (homogeneity + completeness or 1),
        "purity": float(table.max(0).sum() / table.sum()),
    }


def _entropy(shares: np.ndarray) -> float:
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())


def _items(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def expanded(value: object, docs: dict[str, str]) -> object:
    """The body with the texts of its documents."""
    if isinstance(value, str):
        return MARKER.sub(lambda found: docs[found[1]], value)
    if isinstance(value, list):
        return [expanded(one, docs) for one in value]
    return {name: expanded(one, docs) for name, one in value.items()} if isinstance(value, dict) else value


def _show(miner: Miner, rows: Sequence[tuple[str, str, str]], found: dict[str, Any]) -> None:
    names = miner.names()
    inside = Counter((id_, both) for id_, _, both in rows)
    for id_, count in Counter(id_ for id_, _, _ in rows).most_common():
        parts = ", ".join(f"{both} {n}" for (i, both), n in inside.most_common() if i == id_)
        print(f"{count:6} {names[id_]:62} {parts[:110]}")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
