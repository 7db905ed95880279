"""What two questions must agree in before one answer may serve both.

Encoders see hardly any difference between "turn it on" and "turn it off", order 7781 and 7782, or "A to B" and
"B to A": they lie closer together than most paraphrases. So what a wording cannot change is compared as such. Nothing
here knows what a question means; in doubt the two are kept apart, which costs one call.
"""

from __future__ import annotations

from itertools import product

from farthing.levers.recall.semantic import vocabulary as known
from farthing.levers.recall.semantic.reading import OPPOSITES, Literals, read, stem

__all__ = ["SOFT", "Literals", "clash", "conflict", "read"]

SOFT = frozenset({"kind", "slot", "narrower"})
"""Conflicts that are often none: another way of asking, a synonym that no list knows, a word that says nothing. A judge
who has seen both questions may overrule them; the others are never to be overruled.
"""


def conflict(one: str, other: str) -> str | None:
    """Why two questions must not share an answer, or ``None``; symmetric. See ``clash`` for many comparisons."""
    return clash(read(one), read(other))


def clash(one: Literals, other: Literals) -> str | None:
    """``conflict`` of texts that were read before."""
    if one.text == other.text and one.quotes == other.quotes:
        return None
    if one.marks != other.marks:
        return (set(one.marks) ^ set(other.marks) or set(one.marks)).pop().partition(":")[0]
    if not _quoted_alike(one, other):
        return "quote"
    if one.negations != other.negations:
        return "negation"
    if one.kind != other.kind and not _kinds_agree(one, other):
        return "kind"
    mine, yours = set(one.words), set(other.words)
    if one.names - yours or other.names - mine:
        return "name"
    if _opposed(one.poles - other.poles, other.poles - one.poles) or _denied(mine - yours, yours - mine):
        return "opposite"
    if _turned(one, other):
        return "direction"
    return _frames(one.words, other.words)


def _quoted_alike(one: Literals, other: Literals) -> bool:
    """The same quotations, or those of the one stand in the other without the marks and say something."""
    if one.quotes and other.quotes:
        return one.quotes == other.quotes
    return all(_stands_in(quote, other) for quote in one.quotes) and all(
        _stands_in(quote, one) for quote in other.quotes
    )


def _stands_in(quote: str, text: Literals) -> bool:
    return f" {quote} " in f" {text.text} " and bool(read(quote).words)


def _kinds_agree(one: Literals, other: Literals) -> bool:
    return frozenset((one.kind, other.kind)) in _ALIKE


def _opposed(mine: frozenset[str], yours: frozenset[str]) -> bool:
    return any(frozenset((word, word_too)) in OPPOSITES for word in mine for word_too in yours)


def _denied(mine: set[str], yours: set[str]) -> bool:
    """A word here is the other's word with a prefix that turns it round: legal, illegal."""
    return any(
        longer.endswith(word) and longer[: -len(word)] in _TURNING
        for word, longer in (*product(mine, yours), *product(yours, mine))
    )


def _turned(one: Literals, other: Literals) -> bool:
    """The same words with their parts exchanged: from A to B, from B to A; A bites B, B bites A."""
    mine, yours = one.objects - other.objects, other.objects - one.objects
    for ours in mine:
        direction, _, word = ours.partition(":")
        for theirs in yours:
            way, _, target = theirs.partition(":")
            if (word == target) != (way == direction) and (
                word == target or (word in other.words and target in one.words)
            ):
                return True
    return one.words != other.words and sorted(one.words) == sorted(other.words) and _exchanged(one, other)


def _exchanged(one: Literals, other: Literals) -> bool:
    """Whether words of the same bag changed places in the same frame, other than "hotels of Rome", "Rome hotels"."""
    ours, theirs = one.text.split(), other.text.split()
    if _PASSIVE.isdisjoint(ours) != _PASSIVE.isdisjoint(theirs):
        return False  # the same in the active and the passive voice
    mine, yours = one.words, other.words
    differ = [at for at, (word, other_word) in enumerate(zip(mine, yours, strict=True)) if word != other_word]
    if _listed(one, differ[0], differ[-1]) and _listed(other, differ[0], differ[-1]):
        return False  # pros and cons of A and B
    if len(differ) <= differ[-1] - differ[0]:
        return True  # some words stayed between those that moved
    head, end = differ[0], differ[-1] + 1
    part, turned = mine[head:end], yours[head:end]
    for cut in range(1, len(part)):
        left = part[:cut]
        if turned[-cut:] != left:
            continue
        for size in range(1, len(part) - cut + 1):
            middle = part[cut : len(part) - size]
            if turned == part[len(part) - size :] + middle + left:
                apart = _between(one, head + cut)
                return bool(middle) or (bool(apart) and apart == _between(other, head + size))
    return False


def _listed(text: Literals, first: int, last: int) -> bool:
    """Whether nothing but ``and`` and the like parts some words."""
    apart = {word for place in range(first + 1, last + 1) for word in _between(text, place)}
    return bool(apart) and apart <= _SYMMETRIC


def _between(text: Literals, place: int) -> list[str]:
    """What stands between a word and the one before it, articles left out."""
    return [
        word for word in text.text.split()[text.places[place - 1] + 1 : text.places[place]] if word not in _ARTICLES
    ]


def _frames(mine: tuple[str, ...], yours: tuple[str, ...]) -> str | None:
    """The same sentence with something else in one place (``slot``), or with something more (``narrower``)."""
    head = _same_beginning(mine, yours)
    tail = _same_beginning(mine[head:][::-1], yours[head:][::-1])
    left, right = set(mine[head : len(mine) - tail]), set(yours[head : len(yours) - tail])
    if left <= _VAGUE and right <= _VAGUE:
        return None
    if not left or not right:
        return "narrower" if len(left | right) <= _MORE else None
    if left & right or left <= _VAGUE or right <= _VAGUE:
        return None
    return "slot" if max(len(left), len(right)) <= _SLOT else None


def _same_beginning(mine: tuple[str, ...], yours: tuple[str, ...]) -> int:
    pairs = zip(mine, yours, strict=False)
    return next((at for at, (word, other) in enumerate(pairs) if word != other), min(len(mine), len(yours)))


_TURNING = frozenset({"un", "in", "im", "il", "ir", "non", "dis", "mis", "de", "anti"})
_SLOT = 2
"""Words that a slot holds at most."""
_MORE = 3
"""Words that one question says more than the other, in one place: with more of them it is another way of asking."""
_VAGUE = frozenset(stem(word) for word in known.VAGUE.split())
_ARTICLES = frozenset({"a", "an", "the"})
_PASSIVE = frozenset({"is", "are", "was", "were", "be", "been", "being", "get", "gets", "got"})
_SYMMETRIC = frozenset({"and", "or", "vs", "versus"})
_ALIKE = frozenset(
    frozenset(pair.split(" "))
    for pair in (
        "how what",
        "what yes",
        "when count",
        "how should",
        "what should",
        "when often",
        " how",
        " what",
        " yes",
        " should",
        " why",
    )
)
"""Kinds of questions that may ask the same."""
