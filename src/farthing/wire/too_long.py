"""Errors that say that a prompt does not fit the model's window. Pure.

OpenAI has a code for it, Anthropic and others have words; the words name both numbers, in several orders.
"""

from __future__ import annotations

import re

import msgspec

CODE = "context_length_exceeded"
_WORDS = re.compile(
    r"prompt is too long|maximum context length|context (?:window|limit)"
    r"|exceeds? the (?:maximum|model's)[^.]{0,40}tokens"
    r"|too many (?:input )?tokens|input (?:is|token count)[^.]{0,30}(?:too long|exceeds)",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"(?:maximum context length is|maximum number of tokens allowed \(|context (?:window|limit) (?:of|is)|limit is)"
    r"\s*\(?(\d[\d,]*)|>\s*(\d[\d,]*)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.-])\d[\d,]{2,}(?![\w.-]*[a-z])", re.IGNORECASE)


class TooLong(msgspec.Struct, frozen=True):
    """``tokens``: what was asked for, ``window``: what there is; ``None`` where the error does not say."""

    tokens: int | None
    window: int | None


def too_long(status: int | None, code: str | None, body: bytes) -> TooLong | None:
    """What a refusal says of lengths; ``None`` if it is about something else.

    >>> too_long(400, None, b'{"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}')
    TooLong(tokens=210000, window=200000)
    """
    if status not in {400, 413, 422} or len(body) > 65_536:
        return None
    text = body.decode("utf-8", "replace")
    if code != CODE and not _WORDS.search(text):
        return None
    found = _WINDOW.search(text)
    window = _amount(found[1] or found[2]) if found else None
    others = [amount for amount in map(_amount, _NUMBER.findall(text)) if window is None or amount > window]
    return TooLong(max(others, default=None), window)


def _amount(digits: str) -> int:
    return int(digits.replace(",", ""))
