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
    tools = _tools(asked, turns.needs)
    choice, tools = _choice(asked, tools, turns.needs)
    shape = _format(asked.response_format)
    thinking = _thinking(asked)
    stop = (asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ())
    old = turns.functions or asked.functions is not None
    limit = asked.max_completion_tokens
    conversation = Conversation(
        model=asked.model,
        messages=tuple(turns.messages),
        system=tuple(turns.system),
        tools=tools,
        choice=choice,
        parallel=False if old and tools else asked.parallel_tool_calls,
        format=shape,
        max_output=asked.max_tokens if limit is None else limit,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        stop=stop,
        thinking=thinking,
        stream=bool(asked.stream),
        include_usage=asked.stream_options is not None and bool(asked.stream_options.include_usage),
        user=asked.safety_identifier or asked.user or None,
        functions=old,
    )
    needs = frozenset(turns.needs | _needs(asked, conversation))
    return msgspec.structs.replace(conversation, needs=needs, dropped=(*turns.dropped, *_unread(body)))


def _tools(asked: shapes.Request, needs: set[Need]) -> tuple[Tool, ...]:
    tools = [_tool(function) for function in asked.functions or ()]
    for tool in asked.tools or ():
        if tool.function is not None:
            tools.append(_tool(tool.function, tool.cache_control))
        else:
            needs.add("custom_tools" if tool.type == "custom" else "server_tools")
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


def _format(found: shapes.ResponseFormat | None) -> Format | None:
    if found is None or found.type == "text":
        return None
    if found.type == "json_object":
        return Format("json_object")
    if found.type != "json_schema":
        raise invalid_field("The field 'response_format.type' has to be text, json_object or json_schema.")
    schema = found.json_schema
    if schema is None or (raw := _raw(schema.schema)) is None:
        raise invalid_field("The field 'response_format.json_schema.schema' is missing: it has to be a JSON Schema.")
    return Format("json_schema", schema.name, raw, schema.description, schema.strict)


def _thinking(asked: shapes.Request) -> Thinking | None:
    if asked.reasoning_effort is not None:
        return Thinking(effort=asked.reasoning_effort)
    if asked.thinking is None:
        return None
    if asked.thinking.type == "disabled":
        return Thinking(effort="none")
    return Thinking(budget=asked.thinking.budget_tokens)


def _needs(asked: shapes.Request, said: Conversation) -> set[Need]:
    wanted: list[tuple[Need, object]] = [
        ("tools", said.tools),
        ("json_schema", said.format is not None and said.format.kind == "json_schema"),
        ("thinking", said.thinking is not None and said.thinking.effort != "none"),
        ("many_stops", len(said.stop) > _MOST_STOPS),
        ("logprobs", asked.logprobs or asked.top_logprobs),
        ("logit_bias", asked.logit_bias),
        ("several_choices", asked.n is not None and asked.n > 1),
        ("modalities", asked.audio is not None or any(kind != "text" for kind in asked.modalities or ())),
        ("server_tools", asked.web_search_options is not None),
    ]
    return {need for need, is_wanted in wanted if is_wanted}


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
