"""Percentiles from counts in buckets that grow by 2%: a value read from one is off by at most 1%. Pure.

As in DDSketch (Masson, Rim and Lee, VLDB 2019); histograms add up exactly, in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, log2
from typing import cast

import msgspec

from farthing.ledger.rollup import METRICS

GROWTH = 1.02
SPAN = 4_096
"""Buckets of one metric: more than a number of 64 bits needs."""
MANY = 20_000
"""Counts from which on a list is worth its while."""
_PER_LOG = 1 / log2(GROWTH)

Histogram = dict[int, int]
"""Bucket → how many. One dictionary holds all METRICS: the buckets of the second begin at SPAN, and so on."""

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Histogram)


def bucket(value: int | None, start: int = 0) -> int | None:
    """The bucket of a value: ``start`` for what is not positive, else beyond it; ``None`` for what is not known."""
    if value is None:
        return None
    return start + 1 + ceil(log2(value) * _PER_LOG) if value > 0 else start


def middle(index: int) -> int:
    """The value that stands for a bucket."""
    return round(2 * GROWTH ** (index - 1) / (GROWTH + 1)) if index else 0


def counted(buckets: Iterable[int | None]) -> Histogram:
    """How often each bucket occurs."""
    counts = Counter(buckets)
    counts.pop(None, None)
    return cast("Histogram", counts)


def add(into: Histogram, counts: Mapping[int, int]) -> None:
    """Add counts."""
    known = into.get
    for index, count in counts.items():
        into[index] = known(index, 0) + count


def take_away(into: Histogram, counts: Mapping[int, int]) -> None:
    """Take counts out again; a bucket without any goes."""
    for index, count in counts.items():
        left = into.get(index, 0) - count
        if left:
            into[index] = left
        else:
            into.pop(index, None)


def combined(many: Sequence[Histogram]) -> Histogram:
    """The sum of several histograms."""
    if sum(map(len, many)) < MANY:
        found: Histogram = {}
        for counts in many:
            add(found, counts)
        return found
    sums = [0] * (len(METRICS) * SPAN)  # twice as fast as a dictionary
    for counts in many:
        for index, count in counts.items():
            sums[index] += count
    return {index: count for index, count in enumerate(sums) if count}


def parts(counts: Mapping[int, int]) -> list[Histogram]:
    """A histogram for each of ``METRICS``."""
    found: list[Histogram] = [{} for _ in METRICS]
    for index, count in counts.items():
        found[index // SPAN][index % SPAN] = count
    return found


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The value that ``share`` (0 to 1) of the values do not exceed; ``None`` if there are none. Of one metric."""
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = max(1, ceil(share * total))
    for index in sorted(counts):
        rank -= counts[index]
        if rank <= 0:
            return middle(index)
    return None


def pack(counts: Histogram) -> bytes:
    """A histogram as a value of a column."""
    return _encode(counts)


def unpack(data: bytes) -> Histogram:
    """What ``pack`` made."""
    return _decoder.decode(data)
