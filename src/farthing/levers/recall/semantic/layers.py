"""A large graph and a small scan as one index: what is new is in the scan at once and moves to the graph later."""

from __future__ import annotations

from operator import itemgetter

from farthing.levers.recall.semantic.index import Matches, Scan
from farthing.levers.recall.semantic.usearch_index import Graph


class Layers:
    """An index of two. Used by one thread at a time. Raises ``ImportError`` without the extra ``farthing[ann]``."""

    def __init__(self, dimensions: int) -> None:
        self._graph, self._scan = Graph(dimensions), Scan(dimensions)

    def __len__(self) -> int:
        return len(self._graph) + len(self._scan)

    @property
    def memory(self) -> int:
        return self._graph.memory + self._scan.memory

    @property
    def unsettled(self) -> int:
        """How many are not in the graph yet."""
        return len(self._scan)

    def add(self, number: int, vector: bytes) -> None:
        self._scan.add(number, vector)

    def remove(self, number: int) -> None:
        self._scan.remove(number)
        self._graph.remove(number)

    def nearest(self, vector: bytes, count: int) -> Matches:
        found = self._graph.nearest(vector, count) + self._scan.nearest(vector, count)
        found.sort(key=itemgetter(1), reverse=True)
        return found[:count]

    def settle(self) -> None:
        """Move one to the graph."""
        if len(self._scan):
            self._graph.add(*self._scan.pop())
