from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger import histogram
from farthing.ledger.histogram import (
    SPAN,
    add,
    bucket,
    combined,
    counted,
    middle,
    pack,
    parts,
    percentile,
    take_away,
    unpack,
)


@given(st.integers(1, 10**15))
def test_a_value_read_from_its_bucket_is_off_by_one_percent_at_most(value: int) -> None:
    assert abs(middle(bucket(value)) - value) <= 0.01 * value + 0.5


def test_nothing_is_not_a_little() -> None:
    assert bucket(0) == 0
    assert bucket(1) == 1
    assert middle(0) == 0
    assert bucket(None) is None


@given(st.lists(st.integers(0, 10**9), min_size=1), st.floats(0, 1))
def test_a_percentile_is_that_of_the_sorted_values(values: list[int], share: float) -> None:
    ranked = sorted(values)
    rank = next(i for i in range(1, len(ranked) + 1) if i >= share * len(ranked))
    found = percentile(counted(map(bucket, values)), share)
    assert found is not None
    assert abs(found - ranked[rank - 1]) <= 0.01 * ranked[rank - 1] + 0.5


def test_without_values_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 9)), st.dictionaries(st.integers(0, 50), st.integers(1, 9)))
def test_what_is_added_can_be_taken_away(one: dict[int, int], other: dict[int, int]) -> None:
    both = dict(one)
    add(both, other)
    assert sum(both.values()) == sum(one.values()) + sum(other.values())
    assert combined([one, other]) == both == combined([one, other, *[{}] * 3])
    take_away(both, other)
    assert both == one


def test_packed_and_unpacked() -> None:
    assert unpack(pack({3: 1, 9_000: 70_000})) == {3: 1, 9_000: 70_000}
    assert unpack(pack(counted([3, None, 3]))) == {3: 2}


@given(st.integers(-5, 2**63 - 1))
def test_metrics_have_buckets_of_their_own(value: int) -> None:
    counts = counted([bucket(value), bucket(value, SPAN), bucket(None, 2 * SPAN), bucket(value, 3 * SPAN)])
    assert parts(counts) == [{bucket(value): 1}, {bucket(value): 1}, {}, {bucket(value): 1}]


def test_many_counts_are_added_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [{place: number + 1, 3 * SPAN + number: 1} for number in range(50) for place in (0, 7, SPAN)]
    few = combined(many)
    monkeypatch.setattr(histogram, "MANY", 0)
    assert combined(many) == few
    assert combined([]) == {}
