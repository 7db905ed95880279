"""Change one top-level field of a JSON object and leave every other byte as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

_SPACE = b" \t\n\r"
_AFTER = (b",", b"}", b" ", b"\t", b"\n", b"\r")
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CLOSING = {0x7B: (b"{", b"}"), 0x5B: (b"[", b"]")}
_LETTER_ESCAPES = (b"\\u005", b"\\u006", b"\\u007")


def replace_top_level(body: bytes, key: str, value: bytes) -> bytes:
    """The object with ``key`` set to ``value`` (JSON). A missing key is put at the end.

    ``body`` has to be valid JSON (it has been decoded before); raises ``ValueError`` if it is not an object.
    Of a key that occurs twice the last one is changed, as parsers take the last.

    >>> replace_top_level(b'{"model": "a", "n": {"model": 1}}', "model", b'"b"')
    b'{"model": "b", "n": {"model": 1}}'
    """
    span = top_level(body, key)
    if span is None:
        return append_top_level(body, key, value)
    return b"".join((body[: span[0]], value, body[span[1] :]))


def append_top_level(body: bytes, key: str, value: bytes) -> bytes:
    """The object with a further field at its end; the key must not be there yet.

    >>> append_top_level(b'{"a":1} ', "b", b"2")
    b'{"a":1,"b":2} '
    """
    end = body.rfind(b"}")
    if end < 0:
        raise ValueError("not a JSON object")
    comma = b"" if body[:end].rstrip(_SPACE).endswith(b"{") else b","
    return b"".join((body[:end], comma, msgspec.json.encode(key), b":", value, body[end:]))


def may_contain(body: bytes, key: str) -> bool:
    """Whether a key of small letters may be in the body, also spelled with escapes. A quick look, no scan."""
    return key.encode() in body or (b"\\u00" in body and any(escape in body for escape in _LETTER_ESCAPES))


def top_level(body: bytes, key: str) -> tuple[int, int] | None:
    """Where the value of a top-level key starts and ends; of a repeated key the last one."""
    found = None
    for name, start, end in members(body):
        if name == key:
            found = (start, end)
    return found


def members(body: bytes) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of the value, for every member of a valid JSON object, repeats included."""
    at = _skip_space(body, 0)
    if body[at : at + 1] != b"{":
        raise ValueError("not a JSON object")
    values = _values(body)
    at = _skip_space(body, at + 1)
    while body[at : at + 1] == b'"':
        key_end = _string_end(body, at)
        start = _skip_space(body, _skip_space(body, key_end) + 1)
        key = _key(body[at:key_end])
        end = _end_of(values.get(key, b""), body, start) or _value_end(body, start)
        yield key, start, end
        at = _skip_space(body, end)
        if body[at : at + 1] == b",":
            at = _skip_space(body, at + 1)


def _values(body: bytes) -> dict[str, bytes]:
    """Every value as it is written, found by the decoder; of a repeated key the last one. Empty if it cannot tell."""
    try:
        return {key: bytes(raw) for key, raw in _RAW.decode(body).items()}
    except msgspec.DecodeError:
        return {}


def _end_of(value: bytes, body: bytes, start: int) -> int:
    """The index behind the value if that is what stands here, else 0 (another value of a repeated key)."""
    end = start + len(value)
    here = value and body.startswith(value, start) and body[end : end + 1] in _AFTER
    return end if here else 0


def _key(literal: bytes) -> str:
    return literal[1:-1].decode() if b"\\" not in literal else json.loads(literal)


def _skip_space(body: bytes, at: int) -> int:
    while at < len(body) and body[at] in _SPACE:
        at += 1
    return at


def _string_end(body: bytes, at: int) -> int:
    """The index behind the string that starts at ``at``."""
    end = body.index(b'"', at + 1)
    while body[end - 1] == 0x5C and _escaped(body, end):
        end = body.index(b'"', end + 1)
    return end + 1


def _escaped(body: bytes, quote: int) -> bool:
    first = quote
    while body[first - 1] == 0x5C:
        first -= 1
    return (quote - first) % 2 == 1


def _value_end(body: bytes, at: int) -> int:
    if body[at] == 0x22:
        return _string_end(body, at)
    if (brackets := _CLOSING.get(body[at])) is not None:
        return _nested_end(body, at, *brackets)
    ends = (body.find(mark, at) for mark in _AFTER)
    return min(end for end in ends if end >= 0)


def _nested_end(body: bytes, at: int, opening: bytes, closing: bytes) -> int:
    """The index behind the array or object that starts at ``at``: between strings only its own brackets count."""
    depth = 0
    while True:
        quote = body.find(b'"', at)
        stop = len(body) if quote < 0 else quote
        while (end := body.find(closing, at, stop)) >= 0:
            depth += body.count(opening, at, end) - 1
            at = end + 1
            if depth == 0:
                return at
        depth += body.count(opening, at, stop)
        if quote < 0:
            raise ValueError("not valid JSON")
        at = _string_end(body, quote)
