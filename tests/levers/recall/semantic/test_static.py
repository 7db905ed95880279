import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.semantic.encoder import similarity
from farthing.levers.recall.semantic.static import BIAS, WINDOW, StaticEncoder, shipped, written

VOCABULARY = ["a", "b", "c", "##d"]
VALUES = [[3, -1, 0, 7], [-127, 127, 5, -5], [1, 1, 1, 1], [0, 0, 0, 9]]


def encoder_of(values=VALUES):
    return StaticEncoder(written(VOCABULARY, [bytes(one + BIAS for one in row) for row in values]))


ENCODER = encoder_of()
WORDS = ["a", "b", "c", "ad"]
WORD_VALUES = [*VALUES[:3], [one + more for one, more in zip(VALUES[0], VALUES[3], strict=True)]]


@pytest.fixture(scope="module")
def own():
    return shipped()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=WINDOW))
def test_the_vector_is_the_sum_of_the_rows(numbers):
    found = ENCODER.encode(" ".join(WORDS[number] for number in numbers))
    sums = [sum(WORD_VALUES[number][at] for number in numbers) for at in range(4)]
    largest = max(map(abs, sums))
    if not largest:
        assert found is None
    else:
        assert list(memoryview(found).cast("b")) == pytest.approx([one * 127 / largest for one in sums], abs=0.51)


def test_words_are_taken_apart():
    assert ENCODER.encode("ad") == encoder_of([[3, -1, 0, 16], *VALUES[1:]]).encode("a")


@pytest.mark.parametrize("text", ["", "?", "zzz", "漢", "a " * (WINDOW + 1)])
def test_what_says_nothing_or_too_much_has_no_vector(text):
    assert ENCODER.encode(text) is None


def test_nothing_spills_over_at_the_window_s_end():
    assert ENCODER.encode("b " * WINDOW) == ENCODER.encode("b")


def test_other_tables_have_other_names():
    assert ENCODER.id == encoder_of().id
    assert ENCODER.id != encoder_of([[0, 0, 0, 1], *VALUES[1:]]).id


@pytest.mark.parametrize("data", [b"", b"something else", written(VOCABULARY, [b"1234"] * 4)[:-1]])
def test_a_table_that_is_none_is_told(data):
    with pytest.raises(ValueError, match="static encoder"):
        StaticEncoder(data)


def test_paraphrases_are_nearer_than_other_questions(own):
    asked = own.encode("How can I reset my password?")
    alike = own.encode("how do i reset my password")
    other = own.encode("What is the capital of France?")
    assert similarity(asked, alike) > 0.85
    assert similarity(asked, other) < 0.4
    assert similarity(asked, asked) == pytest.approx(1.0)


def test_order_and_capitals_make_no_difference(own):
    assert own.encode("Reset my Password") == own.encode("my password reset")


def test_many_threads_find_the_same(own):
    texts = [f"question {number} of many" for number in range(50)] * 4
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(own.encode, texts)) == [shipped().encode(text) for text in texts]


def test_it_needs_no_numpy():
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from farthing.levers.recall.semantic.static import shipped\n"
        "print(len(shipped().encode('does it work')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "256"
