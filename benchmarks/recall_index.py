"""How long it takes to find the nearest question of a partition, and what memory that takes.

    python benchmarks/recall_index.py                                   # up to 100,000 questions
    python benchmarks/recall_index.py --sizes 1000 10000 100000 1000000 --json FILE --plot FILE.svg

Made-up questions of the encoder's own words, the frequent ones more often; asked is one of them with one or two words
changed. Times are of one lookup with encoding. The graph needs ``farthing[ann]``; faiss (flat) and hnswlib are measured
beside it where they are installed. Recall: how often the nearest of all is found, by an exact search over everything.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from stand.chart import bars

from farthing.levers.recall.semantic.index import Index, Matches, Scan
from farthing.levers.recall.semantic.static import StaticEncoder, shipped
from farthing.levers.recall.semantic.usearch_index import Graph, is_installed

ASKED = 300
Nearest = Callable[[bytes], Sequence[int]]
Made = tuple[Nearest, float]
"""How to look, and the bytes it takes."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--only", nargs="+", choices=sorted(KINDS), default=list(KINDS))
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--plot", type=Path, help="write bar charts here (SVG)")
    options = parser.parse_args()
    encoder = shipped()
    results = [row for size in options.sizes for row in measured(encoder, size, options.only)]
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    if options.plot:
        options.plot.write_text(plot(results))
    return 0


def measured(encoder: StaticEncoder, size: int, only: Sequence[str]) -> Iterator[dict[str, Any]]:
    rng = random.Random(size)
    texts = list(questions(list(encoder.vocabulary), rng, size))
    vectors = [encoder.encode(text) or bytes(encoder.dimensions) for text in texts]
    asked = [changed(rng.choice(texts), texts, rng) for _ in range(ASKED)]
    truth = exact(vectors, [encoder.encode(text) or b"" for text in asked])
    for kind in only:
        make = KINDS[kind]
        began = perf_counter()
        made = make(vectors)
        if made is None:
            print(f"{size:>9,} {kind:14} is not installed")
            continue
        built_s = perf_counter() - began
        times, right = [], 0
        for text, nearest in zip(asked, truth, strict=True):
            start = perf_counter()
            vector = encoder.encode(text) or b""
            found = made[0](vector)
            times.append((perf_counter() - start) * 1000)
            right += nearest is not None and vectors[found[0]] == vectors[nearest]
        times.sort()
        row: dict[str, Any] = {"entries": size, "index": kind, "p50_ms": round(median(times), 4)}
        row |= {"p99_ms": round(times[int(ASKED * 0.99)], 4), "built_s": round(built_s, 2)}
        row |= {
            "memory_mb": round(made[1] / 1e6, 2),
            "recall": round(right / ASKED, 4) if truth[0] is not None else None,
        }
        print(f"{size:>9,} {kind:14}", json.dumps(row), flush=True)
        yield row


def questions(words: Sequence[str], rng: random.Random, count: int) -> Iterator[str]:
    whole = [word for word in words if word.isalpha() and word.isascii() and len(word) > 1]
    weights = [1 / (10 + place) for place in range(len(whole))]
    for _ in range(count):
        yield " ".join(rng.choices(whole, weights, k=rng.randint(5, 12)))


def changed(text: str, texts: Sequence[str], rng: random.Random) -> str:
    words = text.split()
    for _ in range(rng.randint(1, 2)):
        words[rng.randrange(len(words))] = rng.choice(rng.choice(texts).split())
    return " ".join(words)


def exact(vectors: Sequence[bytes], asked: Sequence[bytes]) -> list[int | None]:
    """The nearest of all for each; unknown without numpy."""
    if importlib.util.find_spec("numpy") is None:
        return [None] * len(asked)
    np: Any = importlib.import_module("numpy")
    rows = np.frombuffer(b"".join(vectors), dtype="int8").reshape(len(vectors), -1)
    lengths = np.maximum(np.linalg.norm(rows.astype("float32"), axis=1), 1)
    wanted = np.frombuffer(b"".join(asked), dtype="int8").reshape(len(asked), -1).astype("float32").T
    best, where = np.full(len(asked), -np.inf), np.zeros(len(asked), dtype=int)
    for start in range(0, len(vectors), 50_000):
        near = rows[start : start + 50_000].astype("float32") @ wanted / lengths[start : start + 50_000, None]
        better = near.max(0) > best
        where[better], best[better] = near.argmax(0)[better] + start, near.max(0)[better]
    return where.tolist()


def ours(index: Index, vectors: Sequence[bytes]) -> Made:
    for number, vector in enumerate(vectors):
        index.add(number, vector)

    def nearest(vector: bytes) -> list[int]:
        found: Matches = index.nearest(vector, 4)
        return [number for number, _ in found]

    return nearest, index.memory


def scan(vectors: Sequence[bytes]) -> Made:
    return ours(Scan(len(vectors[0])), vectors)


def graph(vectors: Sequence[bytes]) -> Made | None:
    return ours(Graph(len(vectors[0])), vectors) if is_installed() else None


def floats(vectors: Sequence[bytes]) -> Any:  # noqa: ANN401 - an array of numpy's
    np: Any = importlib.import_module("numpy")
    rows = np.frombuffer(b"".join(vectors), dtype="int8").reshape(len(vectors), -1).astype("float32")
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)


def faiss(vectors: Sequence[bytes]) -> Made | None:
    if importlib.util.find_spec("faiss") is None:
        return None
    library: Any = importlib.import_module("faiss")
    library.omp_set_num_threads(1)
    rows = floats(vectors)
    index = library.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return lambda vector: index.search(floats([vector]), 4)[1][0].tolist(), rows.nbytes


def hnswlib(vectors: Sequence[bytes]) -> Made | None:
    if importlib.util.find_spec("hnswlib") is None:
        return None
    library: Any = importlib.import_module("hnswlib")
    rows = floats(vectors)
    index = library.Index(space="ip", dim=rows.shape[1])
    index.init_index(max_elements=len(rows), ef_construction=64, M=16)
    index.add_items(rows, num_threads=1)
    index.set_ef(64)
    size = len(rows) * (rows.shape[1] * 4 + 16 * 2 * 4 + 8)
    return lambda vector: index.knn_query(floats([vector]), 4, num_threads=1)[0][0].tolist(), size


KINDS: dict[str, Callable[[Sequence[bytes]], Made | None]] = {
    "farthing-scan": scan,
    "farthing-graph": graph,
    "faiss": faiss,
    "hnswlib": hnswlib,
}


def plot(results: Sequence[dict[str, Any]]) -> str:
    """Bars: one panel for each size and figure."""
    sizes = sorted({row["entries"] for row in results})
    panels = [
        (f"{size:,} entries: {title}", {row["index"]: row[name] for row in results if row["entries"] == size}, form)
        for name, title, form in (
            ("p50_ms", "median lookup with encoding, ms", ".3f"),
            ("memory_mb", "memory, MB", ",.1f"),
        )
        for size in sizes
    ]
    return bars(panels, "one partition, vectors of 256 components, one thread")


if __name__ == "__main__":
    sys.exit(main())
