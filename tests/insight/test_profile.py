from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.insight.profile import Example, Spend, expensive_patterns, gini, pareto
from farthing.types import Usage


def spends(*costs):
    return [Spend(f"type {i}", cost, 1) for i, cost in enumerate(costs)]


def test_few_types_make_most_of_the_bill():
    found = pareto(spends(5, 60, 5, 25, 5))
    assert found.sentence == "40% of the query types (2 of 5) make 85% of the bill."
    assert [step.key for step in found.steps][:2] == ["type 1", "type 3"]
    assert (found.few, found.share) == (2, 0.85)


def test_an_empty_bill_has_no_share():
    assert pareto([]).sentence == "Nothing has been spent yet."
    assert pareto(spends(0, 0)).steps == ()


def test_one_type_is_all_of_the_bill():
    assert pareto(spends(7)).sentence == "All of the bill is one of the query types."


def test_gini_of_equal_and_of_one_for_all():
    assert gini([3, 3, 3]) == pytest.approx(0)
    assert gini([0, 0, 0, 9]) == pytest.approx(0.75)
    assert gini([]) == 0


@given(st.lists(st.integers(0, 10**15), max_size=30))
def test_shares_add_up_and_never_fall(costs):
    steps = pareto(spends(*costs)).steps
    assert sum(step.cost_nano for step in steps) == sum(costs)
    assert all(a.cumulative <= b.cumulative for a, b in pairwise(steps))
    assert not steps or steps[-1].cumulative == 1


ROWS = [
    Spend("papers", 800, 10, Usage(input=200_000, output=400)),
    Spend("chat", 100, 100, Usage(input=20_000, output=4_000)),
    Spend("essays", 100, 10, Usage(input=1_000, cache_read=19_000, output=20_000)),
]


def test_the_dearest_patterns_come_with_what_drives_them():
    examples = {"papers": [Example("r1", "who wrote it?", 90)]}
    papers, *others = expensive_patterns(ROWS, examples, top=3)
    assert (papers.key, papers.share, papers.cost_per_request_nano) == ("papers", 0.8, 80)
    assert papers.mean == Usage(input=20_000, output=40)
    assert papers.drivers[0].startswith("long input: 20,000 tokens a request (10.0 times")
    assert papers.drivers[-1] == "uncached prefix: 100% of the input was paid in full"
    assert papers.examples[0].text == "who wrote it?"
    drivers = {other.key: " ".join(other.drivers) for other in others}
    assert "volume: 83% of all requests" in drivers["chat"]
    assert "long output" in drivers["essays"]
    assert "uncached" not in drivers["essays"]


def test_a_dear_model_is_seen_where_texts_are_alike():
    rows = [Spend("dear", 900, 10, Usage(input=100)), Spend("cheap", 10, 10, Usage(input=100))]
    assert expensive_patterns(rows, {}, top=1)[0].drivers == ("dear model (2.0 times the average)",)


def test_only_what_cost_something_is_a_pattern():
    assert expensive_patterns(spends(0, 0), {}) == []
    assert [found.key for found in expensive_patterns(spends(0, 3), {})] == ["type 1"]
