from hypothesis import given
from hypothesis import strategies as st

from farthing.simulator.tokens import count_tokens, pieces_of


@given(st.text())
def test_pieces_joined_are_the_text(text):
    assert "".join(pieces_of(text)) == text
    assert count_tokens(text) == len(pieces_of(text))


@given(st.text(), st.integers(0, 50), st.integers(1, 9))
def test_a_piece_is_a_piece_wherever_a_chunk_begins(text, start, size):
    parts = pieces_of(text)
    chunk = parts[start : start + size]
    assert pieces_of("".join(chunk)) == chunk


def test_the_documented_rule():
    assert pieces_of("Top up 12345 units, please!") == [
        "Top", " up", " ", "123", "45", " units", ",", " please", "!",
    ]  # fmt: skip
