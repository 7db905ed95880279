"""The nearest of the vectors of a partition: a scan over signs, then exact products of the few that come close.

Multiplying 10,000 vectors of 256 components takes 0.27 ms, comparing their signs a quarter of it. Whoever is near has
nearly the same signs, so the closest by signs contain the nearest, and only those are multiplied.
What that misses is a missed hit, never a wrong one: every similarity that is returned is exact.
"""

from __future__ import annotations

import math
from array import array
from operator import itemgetter
from typing import Any, Protocol

_SIGN_BITS = 256
"""Of the first components at most: a distance fits into a byte. Encoders put what matters most first, if anywhere."""
_CANDIDATES = 64
"""So many of the closest by signs are multiplied; as many vectors need no scan before."""
_ROW_BYTES = 120  # of a vector's number, length, and place in the dict
_SIGNS = bytes(b"10"[byte >= 128] for byte in range(256))  # int8 → the digit "1" unless it is negative

Matches = list[tuple[int, float]]
"""(number, similarity), the nearest first. Similarity is the cosine, from -1 to 1."""


class Index(Protocol):
    """Vectors by number. A vector is ``dimensions`` int8 in bytes. Used by one thread at a time."""

    def add(self, number: int, vector: bytes) -> None:
        """``number`` is not in there. Raises ``ValueError`` if the vector has another length."""
        ...

    def remove(self, number: int) -> None:
        """Nothing happens if it is not in there."""
        ...

    def nearest(self, vector: bytes, count: int) -> Matches:
        """The ``count`` nearest, or all there are if these are fewer. Raises ``ValueError`` as ``add`` does."""
        ...

    @property
    def memory(self) -> int:
        """About how many bytes it takes."""
        ...

    def __len__(self) -> int: ...


class Scan:
    """An index that looks at everything."""

    def __init__(self, dimensions: int) -> None:
        import simsimd

        self._cdist: Any = simsimd.cdist
        self._dimensions = dimensions
        self._width = (min(dimensions, _SIGN_BITS) + 7) // 8
        self._rows: dict[int, int] = {}
        self._numbers = array("Q")
        self._squares = array("i")
        self._vectors = bytearray()
        self._signs = bytearray()

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def memory(self) -> int:
        return len(self._vectors) + len(self._signs) + _ROW_BYTES * len(self._numbers)

    def add(self, number: int, vector: bytes) -> None:
        square = self._square(vector)
        self._rows[number] = len(self._numbers)
        self._numbers.append(number)
        self._squares.append(square)
        self._vectors += vector
        self._signs += _signs(vector, self._width)

    def remove(self, number: int) -> None:
        """The last one takes its place."""
        row = self._rows.pop(number, None)
        if row is None:
            return
        last = len(self._numbers) - 1
        if row != last:
            self._rows[self._numbers[last]] = row
            self._numbers[row] = self._numbers[last]
            self._squares[row] = self._squares[last]
            _move(self._vectors, self._dimensions, last, row)
            _move(self._signs, self._width, last, row)
        del self._numbers[last:], self._squares[last:]
        del self._vectors[last * self._dimensions :], self._signs[last * self._width :]

    def pop(self) -> tuple[int, bytes]:
        """Take one out, the last: it costs least. Raises ``IndexError`` if there is none."""
        number = self._numbers[-1]
        vector = bytes(self._vectors[-self._dimensions :])
        self.remove(number)
        return number, vector

    def nearest(self, vector: bytes, count: int) -> Matches:
        square = self._square(vector)
        rows = self._close(vector, max(count, _CANDIDATES))
        if not rows:
            return []
        products = self._products(vector, rows)
        found = [
            (self._numbers[row], product / math.sqrt(square * self._squares[row]))
            for row, product in zip(rows, products, strict=True)
        ]
        found.sort(key=itemgetter(1), reverse=True)
        return found[:count]

    def _square(self, vector: bytes) -> int:
        """The product of a vector with itself; at least 1, so that one of zeros is similar to nothing."""
        if len(vector) != self._dimensions:
            raise ValueError(f"a vector of {len(vector)} instead of {self._dimensions} components")
        row = memoryview(vector).cast("b", (1, self._dimensions))
        return max(self._multiply(row, row)[0], 1)

    def _close(self, vector: bytes, most: int) -> list[int]:
        """Rows whose signs differ least from the vector's."""
        total = len(self._numbers)
        if total <= most:
            return list(range(total))
        with memoryview(self._signs) as flat, flat.cast("B", (total, self._width)) as signs:
            sought = memoryview(_signs(vector, self._width)).cast("B", (1, self._width))
            distances = self._cdist(sought, signs, "hamming", dtype="bin8", out_dtype="uint8")
        return _smallest(bytes(memoryview(distances).cast("B")), most)

    def _products(self, vector: bytes, rows: list[int]) -> list[int]:
        size = self._dimensions
        with memoryview(self._vectors) as all_of_them:
            some = b"".join([all_of_them[row * size : (row + 1) * size] for row in rows])
        sought = memoryview(vector).cast("b", (1, size))
        return self._multiply(sought, memoryview(some).cast("b", (len(rows), size)))

    def _multiply(self, one: memoryview, rows: memoryview) -> list[int]:
        products = memoryview(self._cdist(one, rows, "dot", out_dtype="int32"))
        return products.cast("B").cast("i").tolist()


def _signs(vector: bytes, width: int) -> bytes:
    """A bit for each of the first components, in ``width`` bytes. Python's own number reader is the fastest packer."""
    return int(vector[:_SIGN_BITS].translate(_SIGNS), 2).to_bytes(width)


def _smallest(values: bytes, most: int) -> list[int]:
    """Positions of the ``most`` smallest bytes, the smallest first: ``find`` runs over 10,000 of them in 0.2 µs."""
    found: list[int] = []
    for value in range(256):
        at = values.find(value)
        while at >= 0:
            found.append(at)
            if len(found) == most:
                return found
            at = values.find(value, at + 1)
    return found


def _move(table: bytearray, size: int, source: int, target: int) -> None:
    table[target * size : (target + 1) * size] = table[source * size : (source + 1) * size]
