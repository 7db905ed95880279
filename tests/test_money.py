from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.money import divide_half_even, usd


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
def test_one_rounding_half_to_even(numerator, denominator):
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(numerator) / Decimal(denominator)
        assert divide_half_even(numerator, denominator) == int(exact.to_integral_value(ROUND_HALF_EVEN))


def test_a_denominator_has_to_be_positive():
    with pytest.raises(ValueError, match="positive"):
        divide_half_even(1, 0)


@given(st.integers(-(10**24), 10**24))
def test_dollars_are_exact(amount):
    assert Decimal(usd(amount)).scaleb(9) == amount
    assert "E" not in usd(amount)
