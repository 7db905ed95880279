"""The texts in chat requests, replies and chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from farthing.types import Prompt, Turn
from farthing.wire.reading import Json, mapping, objects, string

_SYSTEM = ("system", "developer")
_TEXT_FIELDS = ("reasoning_content", "reasoning", "content", "refusal")


def read_prompt(messages: object, tools: object, tool_choice: object, response_format: object) -> Prompt:
    """What a chat request says."""
    system: list[str] = []
    turns: list[Turn] = []
    attachments = 0
    for message in objects(messages):
        role = string(message.get("role")) or "user"
        content = message.get("content")
        text, attached = (content, 0) if isinstance(content, str) else content_text(content)
        attachments += attached
        if role in _SYSTEM:
            system.append(text)
        else:
            if has_calls(message):
                text = "\n".join(filter(None, (text, *calls_text(message))))
            turns.append(Turn("tool" if role == "function" else role, text))
    return Prompt(
        system="\n".join(system),
        turns=tuple(turns),
        tools=tuple(tool_names(tools)) if tools else (),
        tool_choice=choice_name(tool_choice) if tool_choice else None,
        response_format=format_name(response_format) if response_format else None,
        attachments=attachments,
    )


def content_text(content: object) -> tuple[str, int]:
    """The text of a message's content, and how many attachments (images, audio, files) it has."""
    if not isinstance(content, list):
        return (content if isinstance(content, str) else ""), 0
    texts: list[str] = []
    attachments = 0
    for part in cast("list[object]", content):
        if isinstance(part, str):
            texts.append(part)
            continue
        fields = mapping(part)
        text = fields.get("text", fields.get("refusal"))
        if isinstance(text, str):
            texts.append(text)
        elif fields:
            attachments += 1
    return "\n".join(texts), attachments


def calls_text(message: Json) -> Iterator[str]:
    """Name and arguments of every tool call in a message or delta."""
    for call in [*objects(message.get("tool_calls")), {"function": message.get("function_call")}]:
        function = mapping(call.get("function") or call.get("custom"))
        said = (string(function.get(name)) for name in ("name", "arguments", "input"))
        if text := " ".join(filter(None, said)):
            yield text


def has_calls(message: Json) -> bool:
    """Whether a message or delta calls a tool."""
    return bool(message.get("tool_calls") or message.get("function_call"))


def says_something(delta: Json) -> bool:
    """Whether a delta has content: text, reasoning, a refusal, a tool call, sound."""
    return has_calls(delta) or any(value for name, value in delta.items() if name != "role")


def spoken(message: Json) -> Iterator[str]:
    """The texts of a reply's message or delta: reasoning, content, refusal, tool calls."""
    for name in _TEXT_FIELDS:
        if isinstance(text := message.get(name), str):
            yield text
    yield from calls_text(message)
    if transcript := string(mapping(message.get("audio")).get("transcript")):
        yield transcript


def tool_names(tools: object) -> Iterator[str]:
    """The names on offer; a hosted tool goes by its type."""
    for tool in objects(tools):
        inner = mapping(tool.get("function") or tool.get("custom"))
        if name := string(inner.get("name")) or string(tool.get("name")) or string(tool.get("type")):
            yield name


def choice_name(choice: object) -> str | None:
    """``auto``, ``none``, ``required`` …, or the name of the tool that is forced."""
    if isinstance(choice, dict):
        return next(tool_names([mapping(cast("object", choice))]), None)
    return string(choice)


def format_name(response_format: object) -> str | None:
    """``json_schema``, ``json_object`` or ``None``."""
    kind = string(mapping(response_format).get("type"))
    return kind if kind in ("json_schema", "json_object") else None
