"""A chat request, read and written. Pure; a conversation of 10 kB takes less than a tenth of a millisecond.

Reading is strict where a field has a wrong type (the error names it) and open otherwise: what cannot cross is a need if
it matters, and else listed. ``null`` is the same as absent.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from farthing.wire.reading import decode, has_value, invalid_field, request
from farthing.wire.translate import chat_shapes as shapes
from farthing.wire.translate.chat_turns_in import Turns, ttl
from farthing.wire.translate.chat_writing import write
from farthing.wire.translate.conversation import (
    Choice,
    Conversation,
    Format,
    Need,
    Thinking,
    Tool,
)

__all__ = ["read", "write"]

_REQUEST: Final = msgspec.json.Decoder(shapes.Request)
_NAMES: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SAYS_NOTHING: Final = frozenset({b"false", b"{}", b"[]", b'""'})
_ZERO: Final = re.compile(rb"-?0(?:\.0+)?")
_ZERO_IS_NOTHING: Final = frozenset({"presence_penalty", "frequency_penalty"})
_MOST_STOPS: Final = 4
_MODES: Final = {"auto": Choice("auto"), "none": Choice("none"), "required": Choice("any")}


def read(body: bytes) -> Conversation:
    """What a chat request asks for. Raises ``BadRequest`` that names the field."""
    asked = request(_REQUEST, body, shapes.EXPECTED)
    turns = Turns()
    turns.read(asked.messages)
    needs = turns.needs
    _note_needs(asked, needs)
    choice, tools = _choice(asked, _tools(asked, needs), needs)
    old = turns.functions or asked.functions is not None
    limit = asked.max_completion_tokens
    return Conversation(
        model=asked.model,
        messages=tuple(turns.messages),
        system=tuple(turns.system),
        tools=tools,
        choice=choice,
        parallel=False if old and tools else asked.parallel_tool_calls,
        format=_format(asked.response_format, needs),
        max_output=asked.max_tokens if limit is None else limit,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        stop=_stop(asked.stop, needs),
        thinking=_thinking(asked, needs),
        stream=bool(asked.stream),
        include_usage=asked.stream_options is not None and bool(asked.stream_options.include_usage),
        user=asked.safety_identifier or asked.user or None,
        functions=old,
        needs=frozenset(needs),
        dropped=(*turns.dropped, *_unread(body)),
    )


def _tools(asked: shapes.Request, needs: set[Need]) -> tuple[Tool, ...]:
    tools = [_tool(function) for function in asked.functions or ()]
    for tool in asked.tools or ():
        if tool.function is not None:
            tools.append(_tool(tool.function, tool.cache_control))
        else:
            needs.add("custom_tools" if tool.type == "custom" else "server_tools")
    if tools:
        needs.add("tools")
    return tuple(tools)


def _tool(function: shapes.Function, cache: shapes.Cache | None = None) -> Tool:
    return Tool(function.name, function.description, _raw(function.parameters), function.strict, ttl(cache))


def _choice(asked: shapes.Request, tools: tuple[Tool, ...], needs: set[Need]) -> tuple[Choice | None, tuple[Tool, ...]]:
    """The choice, and the tools that are left of those on offer."""
    found = asked.tool_choice if asked.tool_choice is not None else asked.function_call
    if found is None:
        return None, tools
    if isinstance(found, str):
        if found not in _MODES:
            raise invalid_field(
                "The field 'tool_choice' has to be none, auto, required or an object that names a tool."
            )
        return _MODES[found], tools
    if isinstance(found, shapes.Named):
        return Choice("tool", found.name), tools
    if (allowed := found.allowed_tools) is not None:
        names = {one.function.name for one in allowed.tools if one.function is not None}
        return _MODES[allowed.mode], tuple(tool for tool in tools if tool.name in names)
    if found.function is not None:
        return Choice("tool", found.function.name), tools
    needs.add("custom_tools" if found.type == "custom" else "server_tools")
    return None, tools


def _format(found: shapes.ResponseFormat | None, needs: set[Need]) -> Format | None:
    if found is None or found.type == "text":
        return None
    if found.type == "json_object":
        return Format("json_object")
    if found.type != "json_schema":
        raise invalid_field("The field 'response_format.type' has to be text, json_object or json_schema.")
    schema = found.json_schema
    if schema is None or (raw := _raw(schema.schema)) is None:
        raise invalid_field("The field 'response_format.json_schema.schema' is missing: it has to be a JSON Schema.")
    if not schema.name:
        raise invalid_field("The field 'response_format.json_schema.name' is missing: it has to be a name.")
    needs.add("json_schema")
    return Format("json_schema", schema.name, raw, schema.description, schema.strict)


def _stop(found: list[str] | str | None, needs: set[Need]) -> tuple[str, ...]:
    stop = (found,) if isinstance(found, str) else tuple(found or ())
    if len(stop) > _MOST_STOPS:
        needs.add("many_stops")
    return stop


def _thinking(asked: shapes.Request, needs: set[Need]) -> Thinking | None:
    if asked.reasoning_effort is not None:
        thinking = Thinking(effort=asked.reasoning_effort)
    elif asked.thinking is None:
        return None
    elif asked.thinking.type == "disabled":
        thinking = Thinking(effort="none")
    else:
        thinking = Thinking(budget=asked.thinking.budget_tokens)
    if thinking.effort != "none":
        needs.add("thinking")
    return thinking


def _note_needs(asked: shapes.Request, needs: set[Need]) -> None:
    """The fields that only OpenAI has and that change the answer."""
    if asked.logprobs or asked.top_logprobs:
        needs.add("logprobs")
    if asked.logit_bias:
        needs.add("logit_bias")
    if asked.n is not None and asked.n > 1:
        needs.add("several_choices")
    if asked.audio is not None or any(kind != "text" for kind in asked.modalities or ()):
        needs.add("modalities")
    if asked.web_search_options is not None:
        needs.add("server_tools")


def _unread(body: bytes) -> list[str]:
    """The names of fields that say something and have no place in a conversation."""
    return [
        name
        for name, value in decode(_NAMES, body).items()
        if name not in shapes.FIELDS and has_value(value) and not _says_nothing(name, bytes(value))
    ]


def _says_nothing(name: str, value: bytes) -> bool:
    return value in _SAYS_NOTHING or (name in _ZERO_IS_NOTHING and _ZERO.fullmatch(value) is not None)


def _raw(value: msgspec.Raw) -> msgspec.Raw | None:
    return value if has_value(value) else None
