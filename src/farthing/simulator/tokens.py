"""The simulator's unit of account: a small deterministic tokenizer, the same for every model.

A token is up to seven letters, up to two punctuation marks (each with the one space before it), up to three
digits, or a run of white space. The pieces of a text joined are the text. The counts are near those of the real
vocabularies on English prose and JSON, but are not theirs: a simulated bill is exact by its own count only.
"""

from __future__ import annotations

import re

_PIECE = re.compile(r" ?[^\W\d_]{1,7}|\d{1,3}| ?[^\w\s]{1,2}| ?_|\s+|.", re.DOTALL)

PER_MESSAGE = ("<|message|>", "<|role|>", "<|end|>")
"""What every message costs besides its text."""
PER_PROMPT = ("<|reply|>",) * 3
"""What every prompt costs once."""


def pieces_of(text: str) -> list[str]:
    """The text, cut into tokens."""
    return _PIECE.findall(text)


def count_tokens(text: str) -> int:
    """How many tokens the text has."""
    return len(_PIECE.findall(text))
