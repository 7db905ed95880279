"""A request of OpenAI's responses API as a conversation. Pure.

farthing keeps no responses: what the provider would have to remember needs ``stored_state``. Cosmetic fields are
listed when they are there; fields that are not known here, too.
"""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

import msgspec

from farthing.wire.reading import Json, has_value, invalid_field, mapping, objects, request, string
from farthing.wire.replies import NOTHING
from farthing.wire.translate.conversation import Choice, Conversation, Effort, Format, Need, Text, Thinking, Tool
from farthing.wire.translate.responses_turns import InputItem, Turns

Mode = Literal["auto", "none", "any"]

_EXPECTED: Final = {
    "model": 'a string such as "gpt-4o-mini"',
    "input": "a string or a list of items",
    "stream": "true or false",
    "tools": "a list of tools",
}
_DEFAULTS: Final = {
    "service_tier": (b'"auto"', b'"default"'),
    "store": (b"false",),
    "truncation": (b'"disabled"',),
}
"""Values that say no more than leaving the field out."""
_MODES: Final[dict[str, Mode]] = {"auto": "auto", "none": "none", "required": "any"}
_EFFORTS: Final[dict[str, Effort]] = {effort: effort for effort in get_args(Effort)}
_LOGPROBS: Final = "message.output_text.logprobs"


class _Tool(msgspec.Struct, gc=False):
    type: str = ""
    name: str | None = None
    description: str | None = None
    parameters: msgspec.Raw = NOTHING
    strict: bool | None = None


class _Format(msgspec.Struct, gc=False):
    type: str = ""
    name: str | None = None
    schema: msgspec.Raw = NOTHING
    description: str | None = None
    strict: bool | None = None


class _Text(msgspec.Struct, gc=False):
    format: _Format | None = None
    verbosity: Any = None


class _Reasoning(msgspec.Struct, gc=False):
    effort: str | None = None
    context: Any = None
    mode: Any = None


class _CacheOptions(msgspec.Struct, gc=False):
    ttl: str | None = None


class _Request(msgspec.Struct):
    model: str | None = None
    input: str | list[InputItem] | None = None
    instructions: str | None = None
    tools: list[_Tool] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    text: _Text | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    reasoning: _Reasoning | None = None
    include: list[Any] | None = None
    stream: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    previous_response_id: Any = None
    conversation: Any = None
    prompt: Any = None
    background: bool | None = None
    prompt_cache_options: _CacheOptions | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_READ: Final = frozenset({*_Request.__struct_fields__, "metadata"}) - {"prompt_cache_options"}
"""``metadata`` comes back with the response."""
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read(body: bytes) -> Conversation:
    """Raises ``BadRequest`` that names the field."""
    found = request(_REQUEST, body, _EXPECTED)
    stored = _stored(found)
    if found.model is None and not found.prompt:
        raise invalid_field(f"The field 'model' is missing: it has to be {_EXPECTED['model']}.")
    if found.input is None and not stored:
        raise invalid_field(f"The field 'input' is missing: it has to be {_EXPECTED['input']}.")
    turns = _turns(found)
    needs = turns.needs | _needs(found, stored=stored)
    tools, choice = _tools(found, needs)
    instructions = (Text(found.instructions),) if found.instructions else ()
    return Conversation(
        model=found.model or "",
        messages=turns.messages(),
        system=(*instructions, *turns.system),
        tools=tools,
        choice=choice,
        parallel=found.parallel_tool_calls,
        format=_format(found, needs),
        max_output=found.max_output_tokens,
        temperature=found.temperature,
        top_p=found.top_p,
        thinking=_thinking(found, needs),
        stream=bool(found.stream),
        include_usage=True,
        user=found.safety_identifier or found.user or None,
        needs=frozenset(needs),
        dropped=(*_dropped(found, body), *turns.moved),
    )


def _turns(found: _Request) -> Turns:
    options = found.prompt_cache_options
    turns = Turns(None if options is None else options.ttl)
    if isinstance(found.input, str):
        turns.say(found.input)
    else:
        for at, item in enumerate(found.input or ()):
            turns.add(item, at)
    return turns


def _stored(found: _Request) -> bool:
    """Whether a part of the question lies with the provider."""
    return bool(found.previous_response_id or found.conversation or found.prompt)


def _needs(found: _Request, *, stored: bool) -> set[Need]:
    needs: set[Need] = set()
    if stored or found.background:
        needs.add("stored_state")
    if found.top_logprobs or _LOGPROBS in (found.include or ()):
        needs.add("logprobs")
    return needs


def _tools(found: _Request, needs: set[Need]) -> tuple[tuple[Tool, ...], Choice | None]:
    """The functions on offer, and whether one has to be called. ``allowed_tools`` leaves only those on offer."""
    tools = tuple([tool for at, each in enumerate(found.tools or ()) if (tool := _tool(each, at, needs))])
    if tools:
        needs.add("tools")
    wanted: Any = found.tool_choice
    if wanted is None:
        return tools, None
    if isinstance(wanted, str):
        return tools, Choice(_mode(wanted))
    choice = mapping(wanted)
    match choice.get("type"):
        case "function":
            name = string(choice.get("name"))
            if name is None:
                raise invalid_field("The field 'tool_choice.name' has to be the name of a function.")
            return tools, Choice("tool", name)
        case "allowed_tools":
            return _allowed(tools, choice, needs), Choice(_mode(choice.get("mode")))
        case kind:
            needs.add("custom_tools" if kind == "custom" else "server_tools")
            return tools, None


def _tool(tool: _Tool, at: int, needs: set[Need]) -> Tool | None:
    if tool.type != "function":
        needs.add("custom_tools" if tool.type == "custom" else "server_tools")
        return None
    if not tool.name:
        raise invalid_field(f"The field 'tools[{at}].name' is missing: it has to be the name of the function.")
    parameters = tool.parameters if has_value(tool.parameters) else None
    return Tool(tool.name, tool.description, parameters, tool.strict)


def _allowed(tools: tuple[Tool, ...], choice: Json, needs: set[Need]) -> tuple[Tool, ...]:
    allowed = objects(choice.get("tools"))
    if any(tool.get("type") != "function" for tool in allowed):
        needs.add("server_tools")
    names = {tool.get("name") for tool in allowed}
    return tuple([tool for tool in tools if tool.name in names])


def _mode(word: object) -> Mode:
    mode = _MODES.get(string(word) or "")
    if mode is None:
        raise invalid_field("The field 'tool_choice' has to be 'auto', 'none', 'required' or an object.")
    return mode


def _format(found: _Request, needs: set[Need]) -> Format | None:
    wanted = found.text and found.text.format
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return Format("json_object")
    if wanted.type != "json_schema":
        raise invalid_field("The field 'text.format.type' has to be 'text', 'json_object' or 'json_schema'.")
    if not wanted.name:
        raise invalid_field("The field 'text.format.name' is missing: it has to be a name.")
    if not has_value(wanted.schema):
        raise invalid_field("The field 'text.format.schema' is missing: it has to be a JSON Schema.")
    needs.add("json_schema")
    return Format("json_schema", wanted.name, wanted.schema, wanted.description, wanted.strict)


def _thinking(found: _Request, needs: set[Need]) -> Thinking | None:
    word = found.reasoning and found.reasoning.effort
    if not word:
        return None
    effort = _EFFORTS.get(word)
    if effort is None:
        raise invalid_field(f"The field 'reasoning.effort' has to be one of {', '.join(_EFFORTS)}.")
    if effort != "none":
        needs.add("thinking")
    return Thinking(effort)


def _dropped(found: _Request, body: bytes) -> tuple[str, ...]:
    """The fields that cannot cross and change nothing that matters, in the request's order."""
    fields = request(_FIELDS, body, _EXPECTED)
    names = [
        name
        for name, raw in fields.items()
        if name not in _READ and has_value(raw) and bytes(raw) not in _DEFAULTS.get(name, ())
    ]
    if found.text and found.text.verbosity is not None:
        names.append("text.verbosity")
    if found.reasoning:
        names += [f"reasoning.{name}" for name in ("context", "mode") if getattr(found.reasoning, name) is not None]
    return tuple(names)
