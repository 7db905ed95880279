import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.insight.masking import WILD, sentences


def masked(text, limit=60):
    return [" ".join(sentence) for sentence in sentences(text, limit)]


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("Today is 10 March 2024.", "today is <*>"),
        ("Write to anna@example.com or see https://example.com/x", "write to <*> or see <*>"),
        ("Order 8f14e45f-ceea-467f-a0e6 is late", "order <*> is late"),
        ('Translate "good morning to you" into French', "translate <*> into <*>"),
        ("You are Sam, the companion of Evan O'Hara.", "you are <*> the companion of <*>"),
        ("Always answer in JSON and NEVER guess", "always answer in json and never guess"),
        ("When I'm away you answer", "when i'm away you answer"),
        ("Du bist ein Helfer und die Antwort ist kurz", "du bist ein helfer und die antwort ist kurz"),
        ("Decode " + "abcdefghij" * 10, "decode <*>"),
    ],
)
def test_what_varies_becomes_a_wildcard(text, template):
    assert masked(text) == [template]


def test_sentences_end_at_marks_and_at_lines():
    assert masked("Be brief. Classify this:\n\nmy card is lost") == ["be brief", "classify this:", "my card is lost"]


def test_code_is_left_out():
    assert masked("Explain this\n```python\nfor x in y:\n    pass\n```\nin plain words") == [
        "explain this",
        "in plain words",
    ]


def test_a_long_line_counts_only_with_its_beginning():
    one, other = "word " * 30 + "here", "word " * 30 + "there"
    assert masked(one) == masked(other)


@given(st.text(max_size=300), st.integers(0, 20))
def test_any_text_can_be_masked_and_the_limit_holds(text, limit):
    found = sentences(text, limit)
    assert sum(map(len, found)) <= limit
    assert all(sentence and "" not in sentence for sentence in found)


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_numbers_never_make_a_difference(one, other):
    assert sentences(f"ticket {one} of the day", 60) == sentences(f"ticket {other} of the day", 60)
    assert sentences(f"ticket {one} of", 9)[0][1] == WILD
