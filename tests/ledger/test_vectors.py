from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger.vectors import Fields

NAMES = ("a", "b", "c", "d")
FIELDS = Fields(NAMES, "c", "a")
amounts = st.tuples(*[st.integers(-(2**40), 2**40)] * len(NAMES))
extremes = st.tuples(*[st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1])] * len(NAMES))


def packed(row: tuple[int, ...]) -> int:
    return sum(amount << FIELDS.at[name] for name, amount in zip(NAMES, row, strict=True))


@given(st.lists(amounts, max_size=20))
def test_the_sum_of_packed_rows_is_the_packed_sum(rows: list[tuple[int, ...]]) -> None:
    assert FIELDS.amounts(sum(map(packed, rows))) == tuple(map(sum, zip(*rows, strict=True))) or not rows


@given(extremes)
def test_every_amount_of_64_bits_comes_back(row: tuple[int, ...]) -> None:
    assert FIELDS.amounts(packed(row)) == row


@pytest.mark.parametrize("amount", [2**63, -(2**63) - 1, 2**90, -(2**90)])
@pytest.mark.parametrize("place", range(len(NAMES)))
def test_what_is_beyond_is_refused(amount: int, place: int) -> None:
    with pytest.raises(OverflowError):
        FIELDS.amounts(packed(tuple(amount if at == place else -1 for at in range(len(NAMES)))))
