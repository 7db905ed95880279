"""The encoder that comes with the package: a question's vector is the sum of those of its words' pieces.

Such a table is distilled from a sentence encoder as model2vec does it (S. Tulkens, T. van Dongen, "Model2Vec: Fast
State-of-the-Art Static Embeddings", 2024); ``scripts/distill.py`` makes it and says of what. It knows nothing of the
order of words. No numpy: a row is one large integer with a byte for each dimension, and rows are added with all their
dimensions at once.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import as_file, files
from typing import NamedTuple

from farthing.levers.recall.semantic.wordpiece import pieces, words

WINDOW = 256
"""Pieces; of a longer text the sum would say little, and sixteen bits would not hold it."""
LARGEST = 127
BIAS = 128
"""A row's bytes are values from -127 to 127 with this added, so that sums of them never borrow."""
MAGIC = b"farthing static 1\n"
HEAD = struct.Struct("<III6s")
"""Pieces, dimensions, bytes of the vocabulary, a digest of all that follows."""
CACHED_WORDS = 8192


class _Sum(NamedTuple):
    """Every other byte in lanes of sixteen bits, so that up to 257 rows add up without touching each other."""

    even: int
    odd: int
    size: int


_NOTHING = _Sum(0, 0, 0)


class StaticEncoder:
    """Implements ``Encoder``. May be used by many threads; holds about 4 MB and what the system maps of its file."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        """``data`` as ``written`` makes it. Raises ``ValueError`` if it is something else."""
        if data[: len(MAGIC)] != MAGIC:
            raise ValueError("this is no table of a static encoder")
        count, self.dimensions, length, digest = HEAD.unpack_from(data, len(MAGIC))
        begin = len(MAGIC) + HEAD.size
        named = bytes(data[begin : begin + length])
        self._data, self._rows = data, begin + length
        if len(data) != self._rows + count * self.dimensions:
            raise ValueError("the table of the static encoder is not whole")
        self.vocabulary: Mapping[str, int] = {piece: at for at, piece in enumerate(named.decode().split("\n"))}
        """The pieces' numbers."""
        self._mask, self._ones, self._halves, self._lowest, self._signs = (
            int.from_bytes(pattern * (self.dimensions // len(pattern)), "little")
            for pattern in (b"\xff\0", b"\1\0\0\0", b"\xff\xff\0\0", b"\xff\0\0\0", b"\x80")
        )
        self._of = lru_cache(CACHED_WORDS)(self._word)
        self.id = f"static-{digest.hex()}"

    def encode(self, text: str) -> bytes | None:
        """See ``Encoder``. Some 30 µs."""
        even = odd = count = 0
        for word in words(text):
            sums = self._of(word)
            even += sums.even
            odd += sums.odd
            count += sums.size
            if count > WINDOW:
                return None
        return self._scaled(even, odd, BIAS * count) if count else None

    def _word(self, word: str) -> _Sum:
        even = odd = 0
        numbers = pieces(word, self.vocabulary)
        for number in numbers:
            begin = self._rows + number * self.dimensions
            row = int.from_bytes(self._data[begin : begin + self.dimensions], "little")
            even += row & self._mask
            odd += row >> 8 & self._mask
        return _Sum(even, odd, len(numbers)) if numbers else _NOTHING

    def _scaled(self, even: int, odd: int, bias: int) -> bytes | None:
        """The sums as signed bytes, the largest of them 127: times ``by`` over two to the ``bits``, rounded.

        All at once, in lanes of 32 bits that hold a product; four such numbers are put together as they came apart.
        """
        sums = memoryview(even.to_bytes(self.dimensions, "little") + odd.to_bytes(self.dimensions, "little")).cast("H")
        largest = max(max(sums) - bias, bias - min(sums))
        if not largest:
            return None
        bits = largest.bit_length() + 7
        by = (LARGEST << bits) // largest
        add = self._ones * ((BIAS << bits) + (1 << bits - 1) - bias * by)

        def scaled(lanes: int) -> int:
            return (lanes & self._halves) * by + add >> bits & self._lowest

        found = scaled(even) | scaled(odd) << 8 | scaled(even >> 16) << 16 | scaled(odd >> 16) << 24
        return (found ^ self._signs).to_bytes(self.dimensions, "little")


def written(vocabulary: list[str], rows: list[bytes]) -> bytes:
    """A table: for each piece a row of values with ``BIAS`` added."""
    named, table = "\n".join(vocabulary).encode(), b"".join(rows)
    digest = blake2b(named + table, digest_size=6).digest()
    return MAGIC + HEAD.pack(len(rows), len(rows[0]), len(named), digest) + named + table


def shipped() -> StaticEncoder:
    """The one of the package."""
    with as_file(files("farthing.levers.recall.semantic") / "static.bin") as path, path.open("rb") as file:
        return StaticEncoder(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
