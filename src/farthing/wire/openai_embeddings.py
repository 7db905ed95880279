"""OpenAI embeddings. The vectors are skipped, not built."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from farthing.types import Facts, Prompt, Turn, Usage
from farthing.wire.openai_usage import embeddings_usage
from farthing.wire.passthrough import Passthrough
from farthing.wire.reading import Json, lenient, request, string

_EXPECTED = {"model": 'a string such as "text-embedding-3-small"'}


class _Request(msgspec.Struct, gc=False):
    model: str
    user: Any = None
    safety_identifier: Any = None


class _Input(msgspec.Struct, gc=False):
    input: Any = None


_REQUEST = msgspec.json.Decoder(_Request)
_INPUT = msgspec.json.Decoder(_Input)


class OpenAIEmbeddings(Passthrough):
    """``POST /v1/embeddings``."""

    def __init__(self) -> None:
        super().__init__("openai.embeddings", "openai", "embeddings")

    def facts(self, body: bytes) -> Facts:
        """Raises ``BadRequest`` that names the field."""
        fields = request(_REQUEST, body, _EXPECTED)
        return Facts(model=fields.model, user=string(fields.safety_identifier) or string(fields.user))

    def usage(self, values: Json) -> Usage | None:
        """All tokens are input."""
        return embeddings_usage(values)

    def prompt(self, body: bytes) -> Prompt:
        """One user turn a text. Inputs that are token numbers already have no text."""
        found = lenient(_INPUT, body)
        given = found.input if found else None
        texts = cast("list[object]", given) if isinstance(given, list) else [given]
        return Prompt(system="", turns=tuple(Turn("user", text) for text in texts if isinstance(text, str)))
