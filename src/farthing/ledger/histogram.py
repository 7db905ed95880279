"""Percentiles from counts in buckets that grow by 2%: a value read from one is off by at most 1%. Pure.

As in DDSketch (Masson, Rim and Lee, VLDB 2019); histograms add up exactly, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log

import msgspec

GROWTH = 1.02
_PER_LOG = 1 / log(GROWTH)

Histogram = dict[int, int]
"""Bucket → how many."""

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(list[Histogram])


def bucket(value: int) -> int:
    """The bucket of a value: 0 for what is not positive, else at least 1."""
    return 1 + ceil(log(value) * _PER_LOG) if value > 0 else 0


def middle(index: int) -> int:
    """The value that stands for a bucket."""
    return round(2 * GROWTH ** (index - 1) / (GROWTH + 1)) if index else 0


def merge(into: Histogram, counts: Mapping[int, int], sign: int = 1) -> None:
    """Add (or with ``sign`` -1 take away) counts; a bucket without any goes."""
    for index, count in counts.items():
        total = into.get(index, 0) + sign * count
        if total:
            into[index] = total
        else:
            into.pop(index, None)


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The value that ``share`` (0 to 1) of the values do not exceed; ``None`` if there are none."""
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = max(1, ceil(share * total))
    for index in sorted(counts):
        rank -= counts[index]
        if rank <= 0:
            return middle(index)
    return None


def pack(histograms: list[Histogram]) -> bytes:
    """Several histograms in one value of a column."""
    return _encode(histograms)


def unpack(data: bytes) -> list[Histogram]:
    """What ``pack`` made."""
    return _decoder.decode(data)
