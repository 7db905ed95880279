"""The nearest of very many vectors: a graph of neighbours (HNSW) by usearch, from the extra ``farthing[ann]``.

Worth it beyond ``WORTH_IT`` vectors, where a scan takes longer than the graph. A vector takes its bytes and about 650
more, and about 0.4 ms to add (``benchmarks/recall_index.py``), so a large one is built in the background.
"""

from __future__ import annotations

import importlib.util
from importlib import import_module
from typing import Any

from farthing.levers.recall.semantic.index import Matches

WORTH_IT = 100_000
_LINKS, _BUILD_WIDTH, _SEARCH_WIDTH = 16, 64, 64
_CANDIDATES = 16


def is_installed() -> bool:
    """Whether the extra is there. Imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in ("usearch", "numpy"))


class Graph:
    """An index that follows links. Raises ``ImportError`` without the extra."""

    def __init__(self, dimensions: int) -> None:
        self._np: Any = import_module("numpy")
        self._dimensions = dimensions
        usearch: Any = import_module("usearch.index")
        self._index: Any = usearch.Index(
            ndim=dimensions,
            metric="cos",
            dtype="i8",
            connectivity=_LINKS,
            expansion_add=_BUILD_WIDTH,
            expansion_search=_SEARCH_WIDTH,
        )

    def __len__(self) -> int:
        return len(self._index)

    @property
    def memory(self) -> int:
        return self._index.memory_usage

    def add(self, number: int, vector: bytes) -> None:
        self._index.add(number, self._read(vector), threads=1)

    def remove(self, number: int) -> None:
        if number in self._index:
            self._index.remove(number)

    def nearest(self, vector: bytes, count: int) -> Matches:
        """Similarities are computed anew: the graph's own are rounded."""
        sought = self._read(vector)
        if not len(self):
            return []
        numbers = self._index.search(sought, max(count, _CANDIDATES), threads=1).keys
        rows = self._index.get(numbers, "i8").reshape(len(numbers), self._dimensions).astype("int32")
        one = sought.astype("int32")
        lengths = self._np.sqrt(self._np.maximum((rows * rows).sum(1) * max(int(one @ one), 1), 1).astype("float64"))
        found = list(zip(numbers.tolist(), ((rows @ one) / lengths).tolist(), strict=True))
        found.sort(key=lambda match: match[1], reverse=True)
        return found[:count]

    def _read(self, vector: bytes) -> Any:  # noqa: ANN401 - an array of numpy's, which is not imported here
        if len(vector) != self._dimensions:
            raise ValueError(f"a vector of {len(vector)} instead of {self._dimensions} components")
        return self._np.frombuffer(vector, dtype="int8")
