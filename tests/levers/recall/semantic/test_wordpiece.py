"""What Hugging Face's ``tokenizers`` says of these with the vocabulary of all-MiniLM-L6-v2, recorded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.semantic.static import shipped
from farthing.levers.recall.semantic.wordpiece import LONGEST, pieces, words


@pytest.fixture(scope="module")
def vocabulary():
    return shipped().vocabulary


@pytest.mark.parametrize(
    ("text", "recorded"),
    [
        ("How do I top-up my card?", "how do i top - up my card ?"),
        (
            "What's the difference between IPv4 & IPv6?",
            "what ' s the difference between ip ##v ##4 & ip ##v ##6 ?",
        ),
        ("Ünïcode café №5 – naïve", "unicode cafe № ##5 – naive"),  # noqa: RUF001
        ("漢字 and kana かな", "漢 and kan ##a か ##な"),
        ("don't_do_that", "don ' t _ do _ that"),
        ("costs €5.20 or $5", "costs € ##5 . 20 or $ 5"),
        ("tab\tnew\nline\u00a0space", "tab new line space"),
        ("ze\u200bro width", "zero width"),
        ("antidisestablishmentarianism", "anti ##dis ##est ##ab ##lish ##ment ##arian ##ism"),
        ("x" * (LONGEST + 1), ""),
        ("", ""),
        ("C++ vs. C#", "c + + vs . c #"),
        ("10:30pm 2024-01-02", "10 : 30 ##pm 202 ##4 - 01 - 02"),
        ("E=mc²", "e = mc ##²"),
        ("😀 smile", "smile"),
    ],
)
def test_the_same_pieces_as_the_library(vocabulary, text, recorded):
    named = {number: piece for piece, number in vocabulary.items()}
    found = [named[number] for word in words(text) for number in pieces(word, vocabulary)]
    assert found == recorded.split()


@given(st.text("abcdefg", min_size=1, max_size=30), st.sets(st.text("abcdefg", min_size=1, max_size=4)))
def test_pieces_make_up_the_word_or_there_are_none(word, known):
    names = [*known, *(f"##{one}" for one in known)]
    found = pieces(word, {piece: at for at, piece in enumerate(names)})
    assert not found or "".join(names[number].removeprefix("##") for number in found) == word


@given(st.text())
def test_words_have_neither_spaces_nor_capitals(text):
    for word in words(text):
        assert word
        assert not any(one.isspace() for one in word)
        assert word == word.lower()
