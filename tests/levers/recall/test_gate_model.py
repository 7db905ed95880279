from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.gate import refused_by_words
from farthing.levers.recall.gate_model import BUCKETS, LIMIT, WORDS, Model, features, load

MODEL = load()


@pytest.mark.parametrize(
    "text",
    [
        "what did auntie write to me",
        "get the washing machine going",
        "has my salary come in",
    ],
)
def test_what_no_rule_says_the_model_may_know(text):
    assert MODEL.doubts(text)
    assert refused_by_words(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "how do i change the address on my policy",
        "what is your return policy",
        "do you ship to canada",
        "what does error 503 mean",
        "why do leaves turn red",
        "explain recursion to a child",
    ],
)
def test_plain_questions_are_not_doubted(text):
    assert not MODEL.doubts(text)


def test_an_instruction_about_a_text_is_not_doubted_for_what_the_text_says():
    wish = "get the washing machine going"
    assert refused_by_words(wish) == "doubtful"
    assert refused_by_words(f"Translate into Dutch:\n{wish}") is None


@given(st.text(max_size=80))
def test_any_text_has_a_score(text):
    score = MODEL.score(text)
    assert abs(score - MODEL.bias) <= 128 * MODEL.scale * len(set(features(text)))
    assert MODEL.doubts(text) == (score > LIMIT)


def test_a_score_is_the_sum_of_the_weights_of_its_features():
    flat = Model(weights=bytes([1]) * BUCKETS, scale=0.5, bias=-3.0)
    few = set(features("a keel"))
    assert len(few) == 9
    assert flat.score("a keel") == -3.0 + 0.5 * len(few)


def test_only_the_beginning_of_a_long_text_is_read():
    long = "word " * WORDS
    inner = {one for one in features(long) if not one.startswith(b"$")}
    assert inner == {one for one in features(f"{long} and then some") if not one.startswith(b"$")}


def test_digits_are_alike():
    assert list(features("pay 20 now")) == list(features("pay 7350 now"))
