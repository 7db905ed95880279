"""Writing a request for Anthropic's messages API."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from farthing.wire.translate.conversation import Choice, Conversation, Format, Text, Tool, Traits, Written
from farthing.wire.translate.messages_schema import closed, for_tool
from farthing.wire.translate.messages_shapes import (
    ChoiceShape,
    FormatShape,
    OutputConfig,
    Request,
    TextBlock,
    ThinkingShape,
    ToolShape,
    Turn,
)
from farthing.wire.translate.messages_thinking import sampling, think
from farthing.wire.translate.messages_turns import SILENCE, cache, text_block, turns

DEFAULT_LIMIT = 4096
"""``max_tokens`` has to be given; this is it where neither the client nor the model's traits say one."""
ANSWER_TOOL = "answer"
_AS_JSON = "Answer with one valid JSON object and nothing else: no words around it, no code fence."
_AS_SCHEMA = "Answer with JSON alone, no words around it, no code fence. It has to be valid by this JSON Schema: "
_TOOL_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_PERSON = re.compile(r"\S+@\S+|\+?[\d\s()-]{7,}")
"""E-mail addresses and telephone numbers, which Anthropic refuses to know a user by."""


class _Shape(msgspec.Struct):
    """How the answer is brought into its shape."""

    words: str | None = None
    """Said at the end of the system prompt."""
    native: msgspec.Raw | None = None
    tool: ToolShape | None = None


def write(conversation: Conversation, traits: Traits) -> Written:
    """The request for a model with these traits."""
    lost = dict.fromkeys(conversation.dropped)
    shape = _shape(conversation, traits, lost)
    said = turns(conversation, lost)
    system = _system(conversation, shape.words, said)
    tools = [_tool(tool, traits, lost) for tool in conversation.tools]
    choice = _choice(conversation, shape.tool)
    limit = _limit(conversation, traits)
    thinking, effort = _thinking(conversation, traits, limit, said, choice, lost)
    config = OutputConfig(effort, None if shape.native is None else FormatShape("json_schema", shape.native))
    fields: dict[str, Any] = {
        "max_tokens": limit,
        "system": system,
        "tools": [*tools, shape.tool] if shape.tool is not None else tools or None,
        "tool_choice": choice,
        "thinking": thinking,
        "output_config": config if effort or shape.native is not None else None,
        "stop_sequences": _stops(conversation, lost),
        "metadata": None if conversation.user is None else {"user_id": _user(conversation.user)},
        "stream": conversation.stream or None,
    } | sampling(conversation, traits, lost, thinks=thinking is not None and thinking.type != "disabled")
    for name in traits.without:
        if fields.pop(name, None) is not None:
            lost[name] = None
    body = msgspec.json.encode(Request(conversation.model, said, **fields))
    return Written(body, tuple(lost), shape.tool and shape.tool.name)


def _limit(conversation: Conversation, traits: Traits) -> int:
    wanted = conversation.max_output
    if wanted is None:
        return traits.max_output or DEFAULT_LIMIT
    return wanted if traits.max_output is None else min(wanted, traits.max_output)


def _system(conversation: Conversation, words: str | None, said: list[Turn]) -> str | list[TextBlock] | None:
    """The system prompt. Where nobody says anything else, it is what the user says."""
    parts = [*conversation.system, Text(words)] if words else conversation.system
    blocks = [block for part in parts if (block := text_block(part.text, part.cache))]
    if not conversation.messages and conversation.system and blocks and said[0].content == SILENCE:
        said[0].content = [*blocks]
        return None
    if len(blocks) == 1 and blocks[0].cache_control is None:
        return blocks[0].text
    return blocks or None


def _shape(conversation: Conversation, traits: Traits, lost: dict[str, None]) -> _Shape:
    wanted = conversation.format
    if wanted is None:
        return _Shape()
    if wanted.kind == "json_object" or wanted.schema is None:
        return _Shape(words=_AS_JSON)
    native = traits.json_schema == "native" and "output_config" not in traits.without
    if native and (schema := closed(wanted.schema)) is not None:
        return _Shape(native=schema)
    if traits.json_schema == "none":
        lost["response_format"] = None
        return _Shape(words=_AS_SCHEMA + bytes(wanted.schema).decode())
    if conversation.choice is not None and conversation.choice.mode in ("any", "tool"):
        return _Shape()  # a tool has to be called now, so this is not the turn that answers
    return _Shape(tool=_answer_tool(wanted, conversation.tools))


def _answer_tool(wanted: Format, tools: tuple[Tool, ...]) -> ToolShape:
    taken = {tool.name for tool in tools}
    name = _TOOL_NAME.sub("_", wanted.name or ANSWER_TOOL)[:64]
    while name in taken:
        name = f"{name[:60]}_"
    about = f"Gives the final answer. {wanted.description or ''}".rstrip()
    return ToolShape(name, about, for_tool(wanted.schema))


def _tool(tool: Tool, traits: Traits, lost: dict[str, None]) -> ToolShape:
    schema = for_tool(tool.parameters)
    strict = tool.strict
    if strict:
        exact = closed(schema) if traits.json_schema == "native" else None
        if exact is None:
            lost["strict"] = None
            strict = None
        else:
            schema = exact
    return ToolShape(tool.name, tool.description, schema, strict, cache(tool.cache))


def _choice(conversation: Conversation, answer: ToolShape | None) -> ChoiceShape | None:
    """Which tool has to be called. Several at once are usual, so only one at a time has to be asked for."""
    one = True if conversation.parallel is False else None
    asked = conversation.choice
    if answer is not None:
        free = conversation.tools and (asked is None or asked.mode == "auto")
        return ChoiceShape("any", None, one) if free else ChoiceShape("tool", answer.name, True)
    if not conversation.tools or (asked is None and one is None):
        return None
    asked = asked or Choice("auto")
    return ChoiceShape(asked.mode, asked.name, None if asked.mode == "none" else one)


def _thinking(
    conversation: Conversation,
    traits: Traits,
    limit: int,
    said: list[Turn],
    choice: ChoiceShape | None,
    lost: dict[str, None],
) -> tuple[ThinkingShape | None, str | None]:
    forced = choice is not None and choice.type in ("any", "tool")
    found = think(conversation.thinking, traits, limit, said, forced=forced)
    if found is None:
        lost["thinking"] = None
    return found or (None, None)


def _stops(conversation: Conversation, lost: dict[str, None]) -> list[str] | None:
    """White space alone is refused."""
    kept = [stop for stop in conversation.stop if stop.strip()]
    if len(kept) < len(conversation.stop):
        lost["stop"] = None
    return kept or None


def _user(user: str) -> str:
    """An opaque id as it is; a person's address or number as a digest."""
    return hashlib.sha256(user.encode()).hexdigest()[:32] if _PERSON.fullmatch(user) else user
