"""What whole replies and streams of Anthropic's messages API have in common."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from farthing.types import Usage
from farthing.wire.anthropic_usage import usage_object
from farthing.wire.reading import Json, string
from farthing.wire.replies import NOTHING
from farthing.wire.translate.answer import Finish, Said
from farthing.wire.translate.conversation import Reasoning, Text, ToolCall

_FINISHES: Final[dict[str, Finish]] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "pause_turn": "stop",
}
_REASONS: Final[dict[Finish, str]] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_TIERS: Final = {"default": "standard", "standard": "standard", "priority": "priority", "batch": "batch"}


def finish_of(reason: object) -> Finish | None:
    """Why the model stopped; ``None`` if it is not said. A reason that is not known is a plain stop."""
    word = string(reason)
    return None if word is None else _FINISHES.get(word, "stop")


def reason_of(finish: Finish | None, *, calls: bool) -> str | None:
    """The word for it. Programs go on by it: with calls a plain stop is ``tool_use``, though some servers forget it."""
    if finish is None:
        return None
    return "tool_use" if calls and finish == "stop" else _REASONS[finish]


class Block(msgspec.Struct, frozen=True, gc=False):
    """A block of an answer."""

    type: Any = None
    id: Any = None
    name: Any = None
    input: msgspec.Raw = NOTHING
    text: Any = None
    thinking: Any = None
    signature: Any = None
    data: Any = None

    @property
    def arguments(self) -> str:
        """The input of a call, as it was written."""
        return bytes(self.input).decode(errors="replace") or "{}"


def part_of(block: Block) -> Said | None:
    """What the block says; ``None`` if its kind is not known."""
    match block.type:
        case "text":
            return Text(string(block.text) or "")
        case "tool_use":
            return ToolCall(string(block.id) or "", string(block.name) or "", block.arguments)
        case "thinking":
            return Reasoning(string(block.thinking) or "", string(block.signature))
        case "redacted_thinking":
            return Reasoning("", redacted=string(block.data) or "")
        case _:
            return None


def usage_fields(usage: Usage | None, service_tier: str | None) -> Json:
    """A message's usage. The field has to be there: what is not known yet is 0 in it."""
    found = {"input_tokens": 0, "output_tokens": 0} if usage is None else usage_object(usage)
    tier = _TIERS.get(service_tier or "")
    return found if tier is None else found | {"service_tier": tier}


def message_fields(reply_id: str, model: str, content: list[Json], usage: Json) -> Json:
    """A message, not ended yet."""
    return {
        "id": reply_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
