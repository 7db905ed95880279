from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger.histogram import bucket, merge, middle, pack, percentile, unpack


@given(st.integers(1, 10**15))
def test_a_value_read_from_its_bucket_is_off_by_one_percent_at_most(value: int) -> None:
    assert abs(middle(bucket(value)) - value) <= 0.01 * value + 0.5


def test_nothing_is_not_a_little() -> None:
    assert bucket(0) == 0
    assert bucket(1) == 1
    assert middle(0) == 0


@given(st.lists(st.integers(0, 10**9), min_size=1), st.floats(0, 1))
def test_a_percentile_is_that_of_the_sorted_values(values: list[int], share: float) -> None:
    ranked = sorted(values)
    rank = next(i for i in range(1, len(ranked) + 1) if i >= share * len(ranked))
    found = percentile(Counter(map(bucket, values)), share)
    assert found is not None
    assert abs(found - ranked[rank - 1]) <= 0.01 * ranked[rank - 1] + 0.5


def test_without_values_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 9)), st.dictionaries(st.integers(0, 50), st.integers(1, 9)))
def test_what_is_added_can_be_taken_away(one: dict[int, int], other: dict[int, int]) -> None:
    both = dict(one)
    merge(both, other)
    assert sum(both.values()) == sum(one.values()) + sum(other.values())
    merge(both, other, -1)
    assert both == one


def test_packed_and_unpacked() -> None:
    assert unpack(pack([{}, {3: 1, 900: 70_000}])) == [{}, {3: 1, 900: 70_000}]
