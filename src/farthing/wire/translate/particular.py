"""Whether a chat request has what an endpoint that is nearly OpenAI's is known to refuse. Pure.

Such a request is read and written again, as if the client's API were another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from farthing.wire.translate.conversation import OF_A_MESSAGE, Traits

_MISTRALS = re.compile(r"[a-zA-Z0-9]{9}")


class _Id(msgspec.Struct, gc=False):
    id: str | None = None


class _Turn(msgspec.Struct, gc=False):
    tool_calls: list[_Id] | None = None
    tool_call_id: str | None = None


class _Format(msgspec.Struct, gc=False):
    type: str | None = None


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_messages = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_turns = msgspec.json.Decoder(list[_Turn])
_format = msgspec.json.Decoder(_Format | None)


def is_particular(traits: Traits) -> bool:
    """Whether the endpoint is known to refuse anything."""
    return bool(traits.without) or traits.json_schema != "native" or traits.call_ids != "any"


def refuses(traits: Traits, body: bytes) -> bool:
    """Whether the endpoint is known to refuse this. A body that cannot be read is left to the endpoint."""
    try:
        fields = _fields.decode(body)
        messages = fields.get("messages", b"[]")
        return (
            not traits.without.isdisjoint(fields)
            or (traits.json_schema != "native" and _has_schema(fields))
            or (traits.call_ids == "mistral" and not all(map(_MISTRALS.fullmatch, _ids(messages))))
            or _has_any(messages, _of_messages(traits.without))
        )
    except msgspec.MsgspecError:
        return False


def _has_schema(fields: Mapping[str, msgspec.Raw]) -> bool:
    shape = _format.decode(fields.get("response_format", b"null"))
    return shape is not None and shape.type == "json_schema"


def _ids(messages: bytes | msgspec.Raw) -> list[str]:
    """Of tool calls and of their results."""
    turns = _turns.decode(messages)
    called = [call.id for turn in turns for call in turn.tool_calls or ()]
    return [key for key in (*called, *(turn.tool_call_id for turn in turns)) if key is not None]


def _of_messages(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.removeprefix(OF_A_MESSAGE) for name in names if name.startswith(OF_A_MESSAGE))


def _has_any(messages: bytes | msgspec.Raw, names: frozenset[str]) -> bool:
    return bool(names) and any(not names.isdisjoint(message) for message in _messages.decode(messages))
