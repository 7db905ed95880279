"""Takes the varying parts out of a text: what is left is the template it was written from.

Numbers, dates, ids, addresses, quoted text, code and names become one wildcard, runs of them collapse. Works on words,
not on patterns over the whole text: it runs for every request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WILD = "<*>"
"""Stands for anything (the notation of Drain)."""

LONGEST_WORD = 40
"""Characters; what is longer is an id, a path or a data blob (or a line of a script without spaces: cut)."""
WORDS_A_LINE = 25
"""A longer line is likely a document: its beginning says enough."""
LONG_LINE = 400
"""Characters; a line beyond is taken for a document, unless it is the first."""
CHARS_A_WORD = 8
"""A long line uses up its share of the limit, also where only its beginning is looked at."""

QUOTES = {'"': '"', "“": "”", "«": "»", "„": "“", "`": "`"}
ENDS = (".", "!", "?", ":", ";")
BRACKETS = "()[]{},*#_|"
GERMAN = frozenset(("der", "die", "das", "und", "ist", "ein", "eine", "du", "sie", "den"))
"""In German every noun is capitalised: a capital says nothing about names."""

_VARIES = re.compile(r"\d|@|://")
_CONTRACTED = ("I'", "I\u2019")

Sentence = tuple[str, ...]


def sentences(text: str, limit: int) -> list[Sentence]:
    """The masked sentences of the first ``limit`` words; a line's end ends a sentence, too.

    Code and, but for the first line, lines that are as long as a document's are left out.
    """
    found: list[Sentence] = []
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        most = min(limit, WORDS_A_LINE)
        words = line.split(None, most)[:most]
        if fenced or not words or (found and len(line) > LONG_LINE):
            continue
        found += _masked(words)
        limit -= max(len(words), len(line) // CHARS_A_WORD)
        if limit <= 0:
            break
    return found


def _masked(words: list[str]) -> Iterable[Sentence]:
    """One line's words as sentences, lower case, wildcards for what varies."""
    has_names = len(GERMAN.intersection(words)) < 2
    sentence: list[str] = []
    closing = ""
    for raw in words:
        if raw.isalpha() and raw.islower() and not closing and len(raw) <= LONGEST_WORD:
            sentence.append(raw)
            continue
        opened = "" if closing else QUOTES.get(raw[0], "")
        quoted = bool(closing or opened)
        closing = _still_open(raw, closing, opened)
        word = WILD if quoted else _word(raw, names=has_names and bool(sentence))
        if word and not (word == WILD and sentence and sentence[-1] == WILD):
            sentence.append(word)
        if sentence and not closing and raw.endswith(ENDS):
            yield tuple(sentence)
            sentence = []
    if sentence:
        yield tuple(sentence)


def _still_open(raw: str, closing: str, opened: str) -> str:
    """The quotation mark that is waited for after this word, or an empty string."""
    if opened:
        return "" if raw.find(opened, 1) > 0 else opened
    return "" if closing and closing in raw else closing


def _word(raw: str, *, names: bool) -> str:
    """One word in lower case, a wildcard if it varies, empty if it is only punctuation."""
    bare = raw.strip(BRACKETS).rstrip(".!?:;,'\u2019")
    if not bare:
        return ""
    if bare.isascii() and len(bare) > LONGEST_WORD:
        return WILD
    if not bare.isalpha() and _VARIES.search(bare):
        return WILD
    if names and bare[0].isupper() and not bare.isupper() and bare[:2] not in _CONTRACTED:
        return WILD
    return bare[:LONGEST_WORD].lower() + (":" if raw[-1] == ":" else "")
