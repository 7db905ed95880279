"""Change one top-level field of a JSON object and leave every other byte as it is."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

_SPACE = b" \t\n\r"
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
    return key.encode() in body or any(escape in body for escape in _LETTER_ESCAPES)


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
    at = _skip_space(body, at + 1)
    while body[at : at + 1] == b'"':
        key_end = _string_end(body, at)
        start = _skip_space(body, _skip_space(body, key_end) + 1)
        end = _value_end(body, start)
        yield _key(body[at:key_end]), start, end
        at = _skip_space(body, end)
        if body[at : at + 1] == b",":
            at = _skip_space(body, at + 1)


def _key(literal: bytes) -> str:
    return literal[1:-1].decode() if b"\\" not in literal else msgspec.json.decode(literal, type=str)


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
    ends = (body.find(mark, at) for mark in (b",", b"}", b" ", b"\n", b"\r", b"\t"))
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
