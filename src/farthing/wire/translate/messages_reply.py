"""Replies of Anthropic's messages API: ``read`` from a provider and ``write`` for a client, whole or as a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from farthing.wire.anthropic_usage import anthropic_usage
from farthing.wire.reading import Json, lenient, mapping, string
from farthing.wire.translate.answer import Answer, Said
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall
from farthing.wire.translate.messages_answer import Block, finish_of, message_fields, part_of, reason_of, usage_fields
from farthing.wire.translate.messages_stream import Reader, Writer
from farthing.wire.translate.messages_turns import tool_input

__all__ = ["Reader", "Writer", "read", "write"]


class _Message(msgspec.Struct, gc=False):
    content: list[Block]
    id: Any = None
    model: Any = None
    stop_reason: Any = None
    stop_sequence: Any = None
    usage: Any = None


_MESSAGE = msgspec.json.Decoder(_Message)


def read(body: bytes) -> Answer:
    """A message in one piece. Raises ``ValueError`` if it is none."""
    found = lenient(_MESSAGE, body)
    if found is None:
        raise ValueError("the reply is no message: it is no JSON object that has content")
    usage = mapping(found.usage)
    return Answer(
        id=string(found.id) or "",
        model=string(found.model) or "",
        parts=tuple(part for block in found.content if (part := part_of(block)) is not None),
        finish=finish_of(found.stop_reason),
        stop_sequence=string(found.stop_sequence),
        usage=anthropic_usage(usage),
        service_tier=string(usage.get("service_tier")),
    )


def write(answer: Answer) -> bytes:
    """The message that a client gets. Unsigned reasoning and empty texts are left out: they could not be sent back."""
    content = [block for part in answer.parts if (block := _block(part)) is not None]
    calls = any(isinstance(part, ToolCall) for part in answer.parts)
    usage = usage_fields(answer.usage, answer.service_tier)
    ending = {"stop_reason": reason_of(answer.finish, calls=calls), "stop_sequence": answer.stop_sequence}
    return msgspec.json.encode(message_fields(answer.id, answer.model, content, usage) | ending)


def _block(part: Said) -> Json | None:
    match part:
        case ToolCall():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": tool_input(part.arguments)}
        case Reasoning():
            if part.redacted is not None:
                return {"type": "redacted_thinking", "data": part.redacted}
            signed = {"type": "thinking", "thinking": part.text, "signature": part.signature}
            return None if part.signature is None else signed
        case Text() | Refusal():
            return {"type": "text", "text": part.text} if part.text else None
