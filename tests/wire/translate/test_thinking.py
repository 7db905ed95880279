import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire.translate.thinking import BUDGETS, budget_of, effort_of

from . import strategies as some


@pytest.mark.parametrize("effort", ["low", "medium", "high"])
def test_what_every_model_knows_comes_back(effort):
    assert effort_of(budget_of(effort)) == effort


@some.often
@given(st.integers(0, 200_000))
def test_an_effort_covers_its_budget_or_is_the_highest(budget):
    effort = effort_of(budget)
    assert budget <= BUDGETS[effort] or effort == "high"


def test_more_effort_is_more_tokens():
    assert list(BUDGETS.values()) == sorted(set(BUDGETS.values()))
    assert BUDGETS["minimal"] >= 1024, "the least that Anthropic takes"
