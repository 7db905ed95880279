"""From a question's text to what another wording of it would say too: its literals, its words, how it asks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from farthing.levers.recall.semantic import vocabulary as known


class Literals(msgspec.Struct, frozen=True, array_like=True):
    """Made once a text and stored beside it."""

    marks: tuple[str, ...]
    """Numbers, units, dates, times, codes, addresses and signs, sorted; each begins with its kind and a colon."""
    quotes: tuple[str, ...]
    """What stands in quotation marks, sorted."""
    names: frozenset[str]
    """Those of ``words`` that are names by their capitals, or fill a slot."""
    words: tuple[str, ...]
    """Stems of the words that say what is asked about, and the marks, in order."""
    places: tuple[int, ...]
    """Where each of ``words`` stands in ``text``, in tokens."""
    poles: frozenset[str]
    """Words that have an opposite, also little ones: on, off, best, worst …"""
    objects: frozenset[str]
    """What a word of direction points at: ``to:paris``."""
    negations: int
    kind: str
    """``who``, ``when``, ``where``, ``why``, ``amount``, ``how``, ``yes`` (or no) … or nothing."""
    text: str
    """All tokens in lower case, in order."""


class _Token(msgspec.Struct, frozen=True, gc=False):
    kind: str
    text: str
    capital: bool
    """Its capitals say that it is a name, unless most words are written so."""
    letters: bool = False
    """All capitals: IT is not it, and US not us."""


def read(text: str) -> Literals:
    """Never fails; an empty text has no literals."""
    text = _expanded(text)
    tokens = list(_numbered(_scan(text)))
    raw = [token.text for token in tokens]
    written = [token for token in tokens if token.kind == "word"]
    shouted = sum(token.capital for token in written) > 0.6 * len(written)
    stems = [_canonical(token.text) if token.kind == "word" else token.text for token in tokens]
    telling = [
        (place, word, token)
        for place, (word, token) in enumerate(zip(stems, tokens, strict=True))
        if token.kind != "word" or token.text not in _LEFT_OUT or (token.letters and not shouted)
    ]
    return Literals(
        marks=tuple(sorted(f"{token.kind}:{token.text}" for token in tokens if token.kind != "word")),
        quotes=_quotes(text),
        names=frozenset(word for _, word, token in telling if (token.capital and not shouted) or word in _SLOTS),
        words=tuple(word for _, word, _ in telling),
        places=tuple(place for place, _, _ in telling),
        poles=_POLES & {*raw, *stems},
        objects=frozenset(_objects(raw, stems)),
        negations=_negations(raw),
        kind=_kind(raw),
        text=" ".join(raw),
    )


def stem(word: str) -> str:
    """A word without its endings of number and tense: rough, but never without what turns its meaning round."""
    if len(word) < 4 or not word.isascii():
        return word
    for ending, put in _ENDINGS.get(word[-1], ()):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + put
            doubled = ending in {"ing", "ed"} and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz"
            word = word[:-1] if doubled else word
            break
    return word[:-1] if len(word) > 3 and word[-1] == "e" else word


def _canonical(word: str) -> str:
    root = stem(word)
    return _SAME.get(root, root)


def _expanded(text: str) -> str:
    """Contractions taken apart, so that a negation is a word of its own."""
    text = text.replace("\u2019", "'").replace("(k)", "k").replace("401k", "401-k")
    return _TAIL.sub("", _NOT.sub(" not", text))


def _scan(text: str) -> Iterator[_Token]:
    end = 0
    for match in _TOKEN.finditer(text):
        kind, found = str(match.lastgroup), match.group()
        if kind == "plain" and found.islower():  # nearly every token
            yield _Token("word", found, capital=False)
        else:
            begins = end == 0 or not _BEGINNINGS.isdisjoint(text[end : match.start()])
            inner = found[1:] != found[1:].lower()
            capital = found != "I" and (inner or (not begins and found[0].isupper()))
            word = {"plain": "word", "name": "address"}.get(kind, kind)
            yield _Token(word, _normal(kind, found), capital, found.isupper() and len(found) > 1)
        end = match.end()


def _normal(kind: str, found: str) -> str:
    if kind == "address":
        return found.rstrip(".,;:!?)")
    if kind == "clock":
        return _clock(found)
    if kind == "number" and _THOUSANDS.fullmatch(found):
        return found.replace(",", "")
    return found.strip("#").casefold() if kind == "code" and found[-1] != "#" else found.casefold()


def _clock(found: str) -> str:
    hour, minute, half = _CLOCK_PARTS.fullmatch(found.casefold()).groups()  # pyright: ignore[reportOptionalMemberAccess]
    late = 12 if half == "p" and int(hour) < 12 else -12 if half == "a" and int(hour) == 12 else 0
    return f"{int(hour) + late}:{minute or '00'}"


def _numbered(tokens: Iterable[_Token]) -> Iterator[_Token]:
    """Number words as digits, a number's unit and the names of months and weekdays as marks of their own."""
    listed = list(tokens)
    at = 0
    while at < len(listed):
        token = listed[at]
        value, used = _number(listed, at) if token.kind == "number" or token.text in _SMALL else ("", 0)
        if not used:
            yield _dated(listed, at) if token.kind == "nth" or token.text in _SPECIAL else token
            at += 1
            continue
        at += used
        yield _Token("number", value, capital=False)
        if at < len(listed) and listed[at].text in _UNITS:
            yield _Token("unit", _canonical(listed[at].text), capital=False)
            at += 1


def _number(tokens: list[_Token], at: int) -> tuple[str, int]:
    """The number that begins at a token and how many tokens it takes, 0 if none begins there."""
    first = tokens[at]
    if first.kind == "number":
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        scale = known.SCALES.get(following) or known.SCALE_LETTERS.get(following)
        if scale and first.text.isdecimal():
            return str(int(first.text) * scale), 2
        return first.text, 1
    total, part, used, last = 0, 0, 0, 0
    for offset, token in enumerate(tokens[at:]):
        word = token.text
        if word in _SMALL and (not used or _fits(_SMALL[word], last)):
            part, last = part + _SMALL[word], _SMALL[word]
        elif used and word == "hundred" and 0 < part < 100:
            part, last = part * 100, 100
        elif used and word in known.SCALES and part:
            total, part, last = total + part * known.SCALES[word], 0, 1000
        elif (
            used
            and word == "and"
            and last >= 100
            and at + offset + 1 < len(tokens)
            and tokens[at + offset + 1].text in _SMALL
        ):
            used += 1
            continue
        else:
            break
        used += 1
    if used == 1 and first.text == "one" and not (at + 1 < len(tokens) and tokens[at + 1].text in _UNITS):
        return "", 0
    return str(total + part), used


def _fits(value: int, last: int) -> bool:
    """Twenty five is one number, five twenty and one two are two."""
    return last >= 100 or (last >= 20 and last % 10 == 0 and 0 < value < 10)


def _dated(tokens: list[_Token], at: int) -> _Token:
    token = tokens[at]
    beside = {other.kind for other in tokens[max(0, at - 2) : at + 3] if other is not token}
    word = token.text
    if token.kind == "nth":
        number = word.rstrip("stndrh")
        near = {other.text for other in tokens[max(0, at - 2) : at + 3]}
        return _Token("number" if near & _CALENDAR.keys() else "nth", number, capital=False)
    if word in _ORDINALS:
        return _Token("nth", _ORDINALS[word], capital=False)
    if word in _CALENDAR and (word not in _DOUBTFUL or beside & {"number", "nth"}):
        return _Token("date", _CALENDAR[word], capital=False)
    if word in known.CURRENCIES:
        return _Token("unit", known.CURRENCIES[word], capital=False)
    return token


def _quotes(text: str) -> tuple[str, ...]:
    found = (group for match in _QUOTED.finditer(text) for group in match.groups() if group)
    return tuple(sorted(" ".join(token.text for token in _scan(quote)) for quote in found))


def _objects(raw: list[str], stems: list[str]) -> Iterator[str]:
    waiting = ""
    for word, stemmed in zip(raw, stems, strict=True):
        if word in _DIRECTIONS:
            waiting = _DIRECTIONS[word]
        elif waiting and word not in _DROPPED:
            yield f"{waiting}:{stemmed}"
            waiting = ""


def _negations(raw: list[str]) -> int:
    asides = sum(pair == ("or", "not") for pair in pairwise(raw))
    return sum(word in _NEGATIONS for word in raw) - asides


def _kind(raw: list[str]) -> str:
    text = " ".join(raw)
    kind = next((kind for kind, pattern in _KINDS if pattern.search(text)), "")
    return f"{kind} other" if _OTHERS.search(text) else kind


def _groups(text: str) -> list[list[str]]:
    return [line.split() for line in re.split(r"[;\n]", text) if line.split()]


_ENDINGS = {
    "s": (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("ss", "ss"), ("us", "us"),
          ("is", "is"), ("s", "")),
    "g": (("ing", ""),),
    "d": (("eed", "eed"), ("ied", "y"), ("ed", "")),
}  # fmt: skip
_DROPPED = frozenset(known.DROPPED.split())
_NEGATIONS = frozenset(known.NEGATIONS.split())
_LEFT_OUT = _DROPPED | _NEGATIONS
_SAME = {stem(word): stem(group[0]) for group in reversed(_groups(known.SAME)) for word in group}
_SLOTS = frozenset(_canonical(word) for word in known.SLOTS.split())
_UNITS = frozenset(known.UNITS.split())
OPPOSITES = frozenset(
    frozenset(pair)
    for words in _groups(known.OPPOSITES)
    for pair in (words, [_canonical(word) for word in words])
    if len(set(pair)) == 2
)
"""Pairs of words, as written and as stems."""
_POLES = frozenset(word for pair in OPPOSITES for word in pair)
_SMALL = {word: number for number, word in enumerate(known.DIGITS.split())} | {
    word: 20 + 10 * number for number, word in enumerate(known.TENS.split())
}
_ORDINALS = {word: str(number) for number, word in enumerate(known.ORDINALS.split(), 1)}
_CALENDAR = {
    written: name
    for name in f"{known.MONTHS} {known.WEEKDAYS}".split()
    for written in {name, name[:3], "sept" if name == "september" else name, "tues" if name == "tuesday" else name}
}
_DOUBTFUL = {word for word in _CALENDAR if len(word) < 5} - {"june", "july"} | {"march"}
_SPECIAL = frozenset({*_ORDINALS, *_CALENDAR, *known.CURRENCIES})
_BEGINNINGS = frozenset('.?!:"(\u201c\n')
_DIRECTIONS = {"to": "to", "into": "to", "onto": "to", "towards": "to", "from": "from", "than": "than", "over": "over"}
_TAIL = re.compile(r"(?<=\w)'(?:s|d|ll|re|ve|m)\b", re.IGNORECASE)
_NOT = re.compile(r"n't\b|(?<=can)not\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"[-\u2212]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_CLOCK_PARTS = re.compile(r"(\d{1,2})(?::(\d\d))?\s?(?:([ap])\.?m\.?)?")
_QUOTED = re.compile(r"\"([^\"]+)\"|\u201c([^\u201d]+)\u201d|(?<!\w)'([^']+)'(?!\w)|`([^`]+)`")
_WORDY_UNITS = "|".join(sorted((word for word in known.UNITS.split()), key=len, reverse=True))
_TOKEN = re.compile(
    r"(?P<plain>[a-z]+(?=[ ,?]|$))"  # cannot be the beginning of anything longer
    r"|(?P<address>(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.\w[\w.-]*|(?<![\w/])(?:~|\.{1,2})?/[\w.-]+(?:/[\w.-]*)*|[A-Za-z]:\\\S+)"
    r"|(?P<name>\w[\w-]*(?:\.[\w-]+)*\.(?:com|org|net|io|dev|py|js|ts|rs|go|txt|md|json|csv|pdf|exe|html|css|xml|ya?ml"
    r"|toml|sh|docx?|xlsx?|pptx?|zip|jpe?g|png|mp[34])\b|[a-z]+(?:_[a-z]+)+)"
    r"|(?P<clock>(?<![\w:.])(?:\d{1,2}:\d\d(?:\s?[ap]\.?m\b)?|\d{1,2}\s?[ap]\.?m\b)(?![:\d]))"
    r"|(?P<nth>\d+(?:st|nd|rd|th)\b)"
    rf"|(?P<number>(?:(?<![\w.)])[-\u2212])?\d+(?:[.,]\d+)*(?=(?:{_WORDY_UNITS}|mn|bn)?(?![\w]|[-./:_]\w*\d)))"
    r"|(?P<code>(?=[\w./:_-]*\d)#?\w+(?:[-./:_]\w+)*|[A-Za-z](?:\+\+|#)(?!\w))"
    r"|(?P<sign>[+*=<>^|~\\@](?!\s*$)|(?<=\b\w )[-/](?= \w\b)"
    r"|[\u2190-\u2bff\U0001f000-\U0001ffff\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2079\u2150-\u215e])"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?|[$\u20ac\u00a3\u00a5\u20b9%])",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:get|make|let|want|help|ask|force|convince|allow) "
    r"(?:someone|somebody|people|others|everyone|him|her|them|me|you|us) (?:to )?[a-z]"
)
"""It is about what someone else does: get people to talk to you, want me to solve."""
_KINDS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("why", r"\bwhy\b|\bhow come\b|\breasons? (?:for|why|behind|that|of)\b|\bwhat causes?\b"),
        ("count", r"\bhow many\b|\bnumber of\b|^count\b"),
        ("need", r"\bwhat (?:\w+ ){0,4}(?:needs?|needed|required?)\b"),
        ("amount", r"\bhow much\b"),
        ("often", r"\bhow (?:often|frequently)\b"),
        (
            "when",
            (
                r"\bwhen (?:will|did|does|do|is|was|are|were|can|should)\b|\bhow long\b|^when\b"
                r"|\b(?:what|which) (?:time|year|date|day|month)\b"
            ),
        ),
        ("who", r"^(?:\w+ )?who(?:m|se)?\b|\bwho (?:is|was|are|were|did)\b"),
        ("where", r"^(?:\w+ )?where\b|\bwhere (?:can|do|is|are|did|should|to)\b"),
        ("how", r"\bhow\b|\b(?:ways?|methods?|steps?|tips?) (?:to|of|for)\b"),
        ("what", r"\b(?:what|which)\b"),
        ("should", r"^(?:should|must|ought)\b"),
        ("yes", r"^(?:is|are|was|were|am|do|does|did|(?:can|could|will|would)(?! you\b)|has|have|had|may)\b"),
    )
)
