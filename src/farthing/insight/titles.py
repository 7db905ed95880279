"""Plain words for a query type, taken from what its prompts say about themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable

from farthing.insight.masking import WILD

LONGEST = 60
"""Characters of a title."""
ELLIPSIS = "…"

_ROLE = re.compile(
    r"(?:you are|you're|you will be|act as|your role is|your job is|your task is|i want you to act as)\s+"
    r"(?:\w+,\s+)?(?:to\s+|now\s+)?(?:an?\s+|the\s+)?(.+)",
    re.IGNORECASE | re.DOTALL,
)
_VERB = re.compile(r"you (?!are\b|will\b|must\b|should\b|have\b|can\b|may\b|do\b)(.+)", re.IGNORECASE | re.DOTALL)
_PLEASE = re.compile(r"(?:please|kindly|now)\b[,\s]*", re.IGNORECASE)
_END = re.compile(
    r"[.!?;:\n]+(?:\s|$)|,\s|\s(?:that|who|which|whose|where|designed|trained|and answers?|and helps?)\s", re.IGNORECASE
)


def of_system(text: str) -> str:
    """The role (``support assistant of Acme Bank``), the task, or the heading that a system prompt begins with."""
    start = text[:400].lstrip("#*=-<> \t\n")
    said = _ROLE.match(start) or _VERB.match(start)
    phrase = said[1] if said else _PLEASE.sub("", start, count=1)
    return shorten(_END.split(phrase, maxsplit=1)[0].strip(" \"'`*#<>"))


def of_head(head: tuple[str, ...]) -> str:
    """The masked words of a message's beginning, for people."""
    words = " ".join(ELLIPSIS if word == WILD else word for word in head).rstrip(":")
    return shorten(f"{words} {ELLIPSIS}") if words else ""


def shorten(text: str) -> str:
    """At most ``LONGEST`` characters, cut between words."""
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    cut = text[: LONGEST - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(",;:") + ELLIPSIS


def common(one: str, other: str) -> str:
    """What two titles of one template share: ``assistant of Acme`` and ``assistant of Bo`` → ``assistant of …``."""
    return shared((one, other)) or one


def shared(names: Iterable[str]) -> str:
    """The same of any number of titles; empty if there is not a word in all of them."""
    found, *others = dict.fromkeys(names)
    for other in others:
        found = _shared_by_two(found, other)
    return found


def _shared_by_two(one: str, other: str) -> str:
    left, right = one.split(), other.split()
    if len(left) == len(right):
        words = [a if a == b else ELLIPSIS for a, b in zip(left, right, strict=True)]
    else:
        start = _shared(left, right)
        end = min(_shared(left[::-1], right[::-1]), min(len(left), len(right)) - start)
        words = [*left[:start], ELLIPSIS, *left[len(left) - end :]]
    kept = [word for i, word in enumerate(words) if word != ELLIPSIS or i == 0 or words[i - 1] != ELLIPSIS]
    return " ".join(kept[1:] if kept and kept[0] == ELLIPSIS else kept)


def _shared(left: list[str], right: list[str]) -> int:
    """How many first words are the same."""
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        count += 1
    return count
