"""Requests that go where their own API is spoken, with something in them that another model's answer has left. Pure.

A client keeps what it was answered. When the model of the other API has answered one turn and its own one answers the
next, that one would refuse what it has not said itself. Nothing else is touched.
"""

from __future__ import annotations

from typing import Any

import msgspec

from farthing.wire.edit import replace_top_level
from farthing.wire.reading import lenient, objects
from farthing.wire.translate.bridge import MESSAGES, RESPONSES
from farthing.wire.translate.responses_sealed import PREFIX

MENDABLE = frozenset({MESSAGES, RESPONSES})
_SEAL = f'"{PREFIX}'.encode()
_OFF = b'{"type":"disabled"}'


class _Input(msgspec.Struct, gc=False):
    input: list[msgspec.Raw]


class _Item(msgspec.Struct, gc=False):
    encrypted_content: Any = None


class _Turn(msgspec.Struct, gc=False):
    role: str
    content: msgspec.Raw


class _Thinking(msgspec.Struct, frozen=True, gc=False):
    type: Any = None


class _Loop(msgspec.Struct, gc=False):
    messages: list[_Turn]
    thinking: _Thinking = _Thinking()


_INPUT = msgspec.json.Decoder(_Input)
_ITEM = msgspec.json.Decoder(_Item)
_LOOP = msgspec.json.Decoder(_Loop)


def mended(wire: str, body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The body, the very same object if it is sound, and what was left out."""
    if wire == RESPONSES and _SEAL in body:
        return _without_seals(body), ("reasoning",)
    if wire == MESSAGES and b'"budget_tokens"' in body and b'"tool_use"' in body and _has_lost_its_thoughts(body):
        return replace_top_level(body, "thinking", _OFF), ("thinking",)
    return body, ()


def _without_seals(body: bytes) -> bytes:
    """Less the thoughts that farthing sealed: they are Claude's, and OpenAI cannot open them."""
    found = lenient(_INPUT, body)
    if found is None:
        return body
    kept = [item for item in found.input if not _is_sealed(bytes(item))]
    return replace_top_level(body, "input", msgspec.json.encode(kept))


def _is_sealed(item: bytes) -> bool:
    read = lenient(_ITEM, item) if _SEAL in item else None
    return read is not None and isinstance(read.encrypted_content, str) and read.encrypted_content.startswith(PREFIX)


def _has_lost_its_thoughts(body: bytes) -> bool:
    """Whether Claude shall go on thinking after calls that it has not made: with a budget it wants that turn to begin
    with thoughts that it signed.
    """
    found = lenient(_LOOP, body)
    if found is None or found.thinking.type != "enabled":
        return False
    turns = [turn for turn in found.messages if turn.role == "assistant"]
    blocks = objects(msgspec.json.decode(turns[-1].content)) if turns else []
    calls = any(block.get("type") == "tool_use" for block in blocks)
    return calls and blocks[0].get("type") not in ("thinking", "redacted_thinking")
