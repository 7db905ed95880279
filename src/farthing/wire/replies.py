"""What replies have in common: ids, usage, errors."""

from __future__ import annotations

from typing import Any

import msgspec

from farthing.types import Outcome
from farthing.wire.reading import Json, Value, has_value, lenient, loads, mapping, objects, string

NOTHING = msgspec.Raw(b"")


class Reply(msgspec.Struct, gc=False):
    """The fields that matter in OpenAI's replies, chunks and response objects. The rest is skipped, not built."""

    id: Any = None
    model: Any = None
    choices: Any = None
    status: Any = None
    output: Any = None
    incomplete_details: Any = None
    service_tier: Any = None
    error: Any = None
    usage: msgspec.Raw = NOTHING

    @property
    def raw_usage(self) -> bytes | None:
        """The usage object as it came; ``None`` if it is missing, ``null`` or no object."""
        raw = bytes(self.usage) if has_value(self.usage) else b""
        return raw if raw.startswith(b"{") else None


READER = msgspec.json.Decoder(Reply)


def failed(body: bytes, status: int) -> Outcome | None:
    """The outcome of an error reply; ``None`` if it is none."""
    return Outcome(error=error_code(loads(body)) or f"http_{status}") if status >= 400 else None


def error_code(reply: object) -> str | None:
    """The error's code or type; Gemini's OpenAI mode puts the object into a list and calls the code ``status``."""
    error: Value = mapping(next(iter(objects(reply)), reply)).get("error")
    if not error:
        return None
    fields = mapping(error)
    names = ("code", "type", "status")
    return next((found for name in names if (found := string(fields.get(name)))), "error")


def usage_of(raw: bytes | None) -> Json | None:
    """The usage object as values."""
    found = loads(raw)
    return mapping(found) or None


def read(data: bytes | None) -> Reply | None:
    """A reply or chunk, or ``None`` if it is no JSON object."""
    return lenient(READER, data)
