"""Reasoning as a responses client keeps it from turn to turn: in ``encrypted_content``, which it gives back unread.

farthing stores no responses. What Claude signed has to come back with the next turn, or a tool loop with thinking
breaks off; so text and signature travel in the field that OpenAI's clients carry along for the same purpose.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

import msgspec

from farthing.wire.translate.conversation import Reasoning

PREFIX = "farthing.1."
_READ = msgspec.json.Decoder(tuple[str, str | None, str | None])


def sealed(reasoning: Reasoning) -> str | None:
    """The content of ``encrypted_content``; ``None`` for thoughts that nobody signed: no model wants them again."""
    if reasoning.signature is None and reasoning.redacted is None:
        return None
    value = msgspec.json.encode((reasoning.text, reasoning.signature, reasoning.redacted))
    return PREFIX + b64encode(value).decode()


def unsealed(content: str) -> Reasoning | None:
    """The reasoning again; ``None`` if it is another one's seal. Raises ``ValueError`` if it is ours and damaged."""
    if not content.startswith(PREFIX):
        return None
    try:
        text, signature, redacted = _READ.decode(b64decode(content.removeprefix(PREFIX), validate=True))
    except (binascii.Error, msgspec.DecodeError, UnicodeError) as error:
        raise ValueError("the seal is broken") from error
    return Reasoning(text, signature, redacted)
