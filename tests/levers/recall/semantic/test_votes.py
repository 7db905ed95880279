import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.semantic.votes import Judge, odds, verdict

OPEN = st.floats(0.05, 0.95)
ACCURACIES = st.floats(0.55, 0.98)
FEW = st.integers(0, 9)


@given(OPEN, FEW, FEW, ACCURACIES)
def test_odds_are_those_of_bayes(prior, yes, no, accuracy):
    for_yes = prior * accuracy**yes * (1 - accuracy) ** no
    for_no = (1 - prior) * (1 - accuracy) ** yes * accuracy**no
    assert odds(prior, yes, no, accuracy) == pytest.approx(for_yes / (for_yes + for_no))


@given(OPEN, FEW, FEW, ACCURACIES)
def test_a_vote_more_speaks_for_what_it_says(prior, yes, no, accuracy):
    assert odds(prior, yes, no + 1, accuracy) < odds(prior, yes, no, accuracy) < odds(prior, yes + 1, no, accuracy)


def test_one_vote_of_a_judge_who_is_right_in_nine_of_ten_is_not_enough():
    assert verdict(0.5, 1, 0, 0.9, 0.002) is None
    assert verdict(0.5, 3, 0, 0.9, 0.002) is True
    assert verdict(0.5, 0, 3, 0.9, 0.002) is False
    assert verdict(0.5, 3, 2, 0.9, 0.002) is None


@given(st.integers(0, 500), st.integers(0, 500))
def test_accuracy_is_what_repeated_votes_say_of_it(agreed, differed):
    accuracy = Judge(agreed, differed).accuracy
    assert 0.5 < accuracy < 1
    assert Judge(agreed + 1, differed).accuracy >= accuracy >= Judge(agreed, differed + 1).accuracy


def test_accuracy_of_a_judge_that_has_often_been_asked_twice():
    assert Judge().accuracy == pytest.approx(0.9)
    judge = Judge()
    for _ in range(10_000):
        judge = judge.saw(True, True).saw(False, False).saw(True, False)
    assert judge.accuracy == pytest.approx((1 + (1 / 3) ** 0.5) / 2, abs=1e-3)
