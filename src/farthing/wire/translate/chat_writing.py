"""A conversation as a chat request, for OpenAI and for the endpoints that speak like it."""

from __future__ import annotations

import msgspec

from farthing.wire.reading import Json
from farthing.wire.translate.chat_turns_out import Turned
from farthing.wire.translate.conversation import (
    OF_A_MESSAGE,
    Choice,
    Conversation,
    Format,
    Thinking,
    Tool,
    Traits,
    Written,
)
from farthing.wire.translate.structured import as_tool, in_words
from farthing.wire.translate.thinking import effort_of

_MODES = {"auto": "auto", "none": "none", "any": "required"}


def write(conversation: Conversation, traits: Traits) -> Written:
    """The request's body, and what could not cross. Thoughts, cache marks and ``top_k`` never do."""
    conversation, answer_tool = _with_schema(conversation, traits)
    turned = Turned(traits)
    turned.system(conversation.system)
    for message in conversation.messages:
        turned.turn(message)
    body: Json = {"model": conversation.model, "messages": turned.messages}
    dropped = turned.dropped
    for name in traits.without:
        if name.startswith(OF_A_MESSAGE):
            _leave_out(turned.messages, name.removeprefix(OF_A_MESSAGE), dropped)
    _add_tools(body, conversation, dropped)
    _add_limit(body, conversation, traits, dropped)
    _add_sampling(body, conversation, traits, dropped)
    _add_thinking(body, conversation.thinking, traits, dropped)
    if conversation.format is not None:
        body["response_format"] = _format(conversation.format)
    if conversation.stop:
        body["stop"] = conversation.stop
    if conversation.user is not None:
        body["user"] = conversation.user
    if conversation.stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    for name in sorted(traits.without & body.keys()):
        del body[name]
        dropped.append(name)
    lost = dict.fromkeys((*conversation.dropped, *dropped))
    return Written(msgspec.json.encode(body), tuple(lost), answer_tool)


def _leave_out(messages: list[Json], name: str, dropped: list[str]) -> None:
    """A field that no message may have. A refusal is said all the same."""
    for message in messages:
        said = message.pop(name, None)
        if said and name == "refusal":
            message["content"] = message.get("content") or said
        elif said:
            dropped.append(OF_A_MESSAGE + name)


def _with_schema(conversation: Conversation, traits: Traits) -> tuple[Conversation, str | None]:
    """The conversation with its JSON schema as the model can keep to it, and the tool that stands for it."""
    shape = conversation.format
    if shape is None or shape.schema is None or traits.json_schema == "native":
        return conversation, None
    return as_tool(conversation) if traits.json_schema == "tool" else (in_words(conversation), None)


def _add_tools(body: Json, conversation: Conversation, dropped: list[str]) -> None:
    if not conversation.tools:
        return
    body["tools"] = [{"type": "function", "function": _function(tool)} for tool in conversation.tools]
    if any(tool.cache is not None for tool in conversation.tools):
        dropped.append("cache_control")
    if conversation.choice is not None:
        body["tool_choice"] = _choice(conversation.choice)
    if conversation.parallel is not None:
        body["parallel_tool_calls"] = conversation.parallel


def _function(tool: Tool) -> Json:
    known = {"description": tool.description, "parameters": tool.parameters, "strict": tool.strict}
    return {"name": tool.name} | {name: value for name, value in known.items() if value is not None}


def _choice(choice: Choice) -> str | Json:
    if choice.mode == "tool":
        return {"type": "function", "function": {"name": choice.name}}
    return _MODES[choice.mode]


def _add_limit(body: Json, conversation: Conversation, traits: Traits, dropped: list[str]) -> None:
    """A limit above what the model can write is refused by OpenAI, so it is lowered: that changes no answer."""
    limit, most = conversation.max_output, traits.max_output
    if limit is None:
        return
    if most is not None and limit > most:
        dropped.append(f"max_tokens>{most}")
        limit = most
    body[traits.limit_field] = limit


def _add_sampling(body: Json, conversation: Conversation, traits: Traits, dropped: list[str]) -> None:
    for name, value in (("temperature", conversation.temperature), ("top_p", conversation.top_p)):
        if value is not None:
            if traits.sampling:
                body[name] = value
            else:
                dropped.append(name)
    if conversation.top_k is not None:
        dropped.append("top_k")


def _add_thinking(body: Json, thinking: Thinking | None, traits: Traits, dropped: list[str]) -> None:
    """Compatible endpoints take an effort for whatever way their models have."""
    if thinking is None:
        return
    effort = thinking.effort or (None if thinking.budget is None else effort_of(thinking.budget))
    if effort is None:
        return  # as it sees fit, which is the default
    if traits.thinking != "none":
        body["reasoning_effort"] = effort
    elif effort != "none":
        dropped.append("reasoning_effort")


def _format(shape: Format) -> Json:
    if shape.schema is None:
        return {"type": "json_object"}
    known = {"description": shape.description, "schema": shape.schema, "strict": shape.strict}
    named = {"name": shape.name or "answer"} | {name: value for name, value in known.items() if value is not None}
    return {"type": "json_schema", "json_schema": named}
