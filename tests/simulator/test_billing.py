from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.simulator import Price, standard_models
from farthing.simulator.billing import cost
from farthing.types import TOKEN_CLASSES, Usage

counts = st.integers(0, 10**7)
usages = st.builds(Usage, input=counts, cache_read=counts, cache_write_5m=counts, cache_write_1h=counts, output=counts)
MODELS = {model.name: model for model in standard_models()}


@given(usages, st.sampled_from(sorted(MODELS)), st.sampled_from(["default", "flex"]))
def test_cost_is_the_exact_sum_rounded_once_half_to_even(usage, name, tier):
    price = MODELS[name].price
    exact = Fraction(0)
    for each in TOKEN_CLASSES:
        own = getattr(price, each)
        exact += getattr(usage, each) * Fraction(price.input if own is None else own) * 1000
    exact *= Fraction(1, 2) if tier == "flex" else 1
    assert cost(price, usage, tier) == round(exact)  # round() of a Fraction is half to even


def test_half_a_nano_dollar_goes_to_the_even_neighbour():
    price = Price(input=Decimal("0.0005"))
    assert [cost(price, Usage(input=n)) for n in (1, 3, 5)] == [0, 2, 2]


@pytest.mark.parametrize(
    ("name", "usage", "nano"),
    [
        ("gpt-4o-2024-08-06", Usage(input=1000, cache_read=1024, output=100), 2_500_000 + 1_280_000 + 1_000_000),
        ("claude-3-haiku-20240307", Usage(cache_write_5m=3000, cache_write_1h=1, output=1), 900_000 + 500 + 1250),
        ("gpt-5-mini-2025-08-07", Usage(cache_read=1, output=2), 25 + 4000),
    ],
)
def test_known_bills(name, usage, nano):
    assert cost(MODELS[name].price, usage) == nano


def test_aliases_are_unique():
    names = [name for model in MODELS.values() for name in (model.name, *model.aliases)]
    assert len(names) == len(set(names))
