from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.semantic.decide import by_threshold

SHARES = st.floats(0, 1)


@given(SHARES, SHARES, SHARES)
def test_higher_threshold_is_stricter(similarity, one, other):
    assert by_threshold(similarity, None, max(one, other)) <= by_threshold(similarity, None, min(one, other))


@given(SHARES)
def test_threshold_zero_and_one_are_honoured(similarity):
    assert by_threshold(similarity, None, 0.0)
    assert by_threshold(similarity, None, 1.0) == (similarity == 1.0)


@given(SHARES, SHARES)
def test_no_similarity_overrules_a_literal(similarity, threshold):
    assert not by_threshold(similarity, "number", threshold)
