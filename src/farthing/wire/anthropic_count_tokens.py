"""Anthropic's token counter: takes a messages request, costs nothing."""

from __future__ import annotations

import msgspec

from farthing.types import Facts, Prompt
from farthing.wire.anthropic_messages import AnthropicMessages
from farthing.wire.passthrough import Passthrough
from farthing.wire.reading import request

_EXPECTED = {"model": 'a string such as "claude-haiku-4-5"'}


class _Request(msgspec.Struct, gc=False):
    model: str


_REQUEST = msgspec.json.Decoder(_Request)


class AnthropicCountTokens(Passthrough):
    """``POST /v1/messages/count_tokens``. The count is an answer, not usage."""

    def __init__(self) -> None:
        super().__init__("anthropic.count_tokens", "anthropic", "count_tokens", bills=False)

    def facts(self, body: bytes) -> Facts:
        """Raises ``BadRequest`` that names the field."""
        return Facts(model=request(_REQUEST, body, _EXPECTED).model)

    def prompt(self, body: bytes) -> Prompt:
        """What the request says."""
        return AnthropicMessages().prompt(body)
