from math import comb, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.semantic.bounds import (
    at_least,
    at_most,
    clopper_pearson,
    incomplete_beta,
    log_evidence,
    upper_always,
)

RATES = st.floats(0.001, 0.999)
COUNTS = st.integers(0, 40).flatmap(lambda seen: st.tuples(st.integers(0, seen), st.just(seen)))


def exactly(wrong, seen, rate):
    return comb(seen, wrong) * rate**wrong * (1 - rate) ** (seen - wrong)


@given(COUNTS, RATES)
def test_tails_are_those_of_the_binomial_distribution(counts, rate):
    wrong, seen = counts
    assert at_most(wrong, seen, rate) == pytest.approx(sum(exactly(n, seen, rate) for n in range(wrong + 1)), abs=1e-9)
    assert at_least(wrong, seen, rate) == pytest.approx(
        sum(exactly(n, seen, rate) for n in range(wrong, seen + 1)), abs=1e-9
    )


@given(COUNTS)
def test_limits_hold_the_rate_seen_and_leave_the_doubt_outside(counts):
    wrong, seen = counts
    low, high = clopper_pearson(wrong, seen)
    assert 0 <= low <= (wrong / seen if seen else 0) <= high <= 1
    if 0 < wrong < seen:
        assert at_least(wrong, seen, low) == pytest.approx(0.025, abs=1e-6)
        assert at_most(wrong, seen, high) == pytest.approx(0.025, abs=1e-6)


def test_limits_that_are_known():
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert clopper_pearson(0, 100) == pytest.approx((0.0, 1 - 0.025 ** (1 / 100)))
    assert clopper_pearson(10, 100) == pytest.approx((0.0490047, 0.1762226), abs=1e-6)


@given(st.integers(1, 5000), st.integers(1, 5000), RATES)
def test_the_incomplete_beta_function_is_symmetric(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(1 - incomplete_beta(b, a, 1 - x), abs=1e-9)


@given(st.integers(0, 300), st.integers(0, 3000))
def test_a_limit_for_all_times_is_wider_than_one_for_a_single_look(wrong, right):
    always = upper_always(wrong, right, 0.025)
    assert clopper_pearson(wrong, wrong + right)[1] <= always + 1e-9 <= 1 + 1e-9


@given(st.integers(0, 100), st.integers(0, 1000))
def test_more_wrong_raises_the_limit_and_more_right_lowers_it(wrong, right):
    limit = upper_always(wrong, right, 0.05)
    assert upper_always(wrong + 1, right, 0.05) >= limit - 1e-9
    assert upper_always(wrong, right + 1, 0.05) <= limit + 1e-9
    assert upper_always(wrong, right, 0.01) >= limit - 1e-9


@given(st.integers(1, 12), RATES)
def test_the_evidence_against_the_true_rate_is_worth_one_on_average(seen, rate):
    """What makes the limit valid however often one looks: at no time can one expect to win against the truth."""
    worth = sum(
        exactly(wrong, seen, rate) * 2.718281828459045 ** log_evidence(wrong, seen - wrong, rate)
        for wrong in range(seen + 1)
    )
    assert worth == pytest.approx(1, rel=1e-6)


def test_looking_at_every_step_the_limit_fails_no_more_often_than_said():
    """The exact probability that the limit of a rate of 0.1 is ever below it within 150 steps, summed over all paths."""
    rate, doubt, alive, failed = 0.1, 0.05, {0: 1.0}, 0.0
    for seen in range(1, 151):
        reached = {}
        for wrong, weight in alive.items():
            for more, chance in ((1, rate), (0, 1 - rate)):
                reached[wrong + more] = reached.get(wrong + more, 0.0) + weight * chance
        lost = {
            wrong for wrong in reached if wrong / seen < rate and log_evidence(wrong, seen - wrong, rate) >= -log(doubt)
        }
        failed += sum(reached.pop(wrong) for wrong in lost)
        alive = reached
    assert 0 < failed <= doubt
