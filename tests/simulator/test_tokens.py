from hypothesis import given
from hypothesis import strategies as st

from farthing.simulator import tokens


@given(st.text())
def test_pieces_joined_are_the_text(text):
    assert "".join(tokens.pieces(text)) == text
    assert tokens.count(text) == len(tokens.pieces(text))


@given(st.text(), st.integers(0, 50), st.integers(1, 9))
def test_a_piece_is_a_piece_wherever_a_chunk_begins(text, start, size):
    parts = tokens.pieces(text)
    chunk = parts[start : start + size]
    assert tokens.pieces("".join(chunk)) == chunk


def test_the_documented_rule():
    assert tokens.pieces("Top up 12345 units, please!") == [
        "Top", " up", " ", "123", "45", " units", ",", " please", "!",
    ]  # fmt: skip
