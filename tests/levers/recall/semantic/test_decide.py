from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.semantic.decide import by_evidence, by_threshold, strength

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


@given(SHARES, SHARES, st.integers(0, 5))
def test_strength_grows_with_likeness_and_support_and_falls_with_a_rival(similarity, rival, agreeing):
    found = strength(similarity, rival, agreeing, 5)
    assert 0 <= found <= 1
    assert strength(min(1.0, similarity + 0.1), rival, agreeing, 5) >= found
    assert strength(similarity, rival, min(5, agreeing + 1), 5) >= found
    assert strength(similarity, min(1.0, rival + 0.1), agreeing, 5) <= found


def test_evidence_serves_what_is_strict_enough_and_shadows_the_rest():
    assert by_evidence(1, None, 2) == by_evidence(2, None, 2) == "serve"
    assert by_evidence(3, None, 2) == by_evidence(0, None, None) == "shadow"
    assert by_evidence(0, "number", 2) == by_evidence(None, None, 2) == "miss"
