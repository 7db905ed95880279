"""Words and their pieces as BERT's uncased vocabulary has them (J. Devlin et al., arXiv 1810.04805)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

LONGEST = 100
"""Characters of a word; of a longer one nothing is known."""
_ASCII = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
_SPACES = frozenset(" \t\n\r")
_OWN_WORDS = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
"""Chinese characters: each is a word."""


def words(text: str) -> list[str]:
    """In lower case, without accents; punctuation marks are words of their own."""
    if text.isascii():
        return _ASCII.findall(_printable(text).lower())
    return _others(text)


def pieces(word: str, vocabulary: Mapping[str, int]) -> tuple[int, ...]:
    """The longest pieces that are known, from the left; none if a part of the word is unknown."""
    if len(word) > LONGEST:
        return ()
    found: list[int] = []
    begin = 0
    while begin < len(word):
        prefix = "##" if begin else ""
        for end in range(len(word), begin, -1):
            number = vocabulary.get(prefix + word[begin:end])
            if number is not None:
                found.append(number)
                begin = end
                break
        else:
            return ()
    return tuple(found)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(one for one in text if one in _SPACES or one.isprintable())


def _others(text: str) -> list[str]:
    found: list[str] = []
    word = ""
    for one in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(one)
        if kind == "Mn" or (kind[0] == "C" and one not in _SPACES) or one == "\ufffd":
            continue
        alone = _is_mark(one, kind) or _is_chinese(one)
        if word and (alone or one in _SPACES or kind[0] == "Z"):
            found.append(word)
            word = ""
        if alone:
            found.append(one)
        elif one not in _SPACES and kind[0] != "Z":
            word += one
    return [*found, word] if word else found


def _is_mark(one: str, kind: str) -> bool:
    return kind[0] == "P" or (one.isascii() and not one.isalnum() and one.isprintable() and one != " ")


def _is_chinese(one: str) -> bool:
    return any(begin <= ord(one) <= end for begin, end in _OWN_WORDS)
