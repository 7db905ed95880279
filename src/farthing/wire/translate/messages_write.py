"""Writing a request for Anthropic's messages API."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec
from msgspec.structs import replace

from farthing.wire.translate.conversation import Choice, Conversation, Text, Tool, Traits, Written
from farthing.wire.translate.messages_marks import are_settled, settle
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
from farthing.wire.translate.messages_turns import cache, text_block, turns
from farthing.wire.translate.structured import as_tool, in_words

DEFAULT_LIMIT = 4096
"""``max_tokens`` has to be given; this is it where neither the client nor the model's traits say one."""
_AS_JSON = "Answer with one valid JSON object and nothing else: no words around it, no code fence."
_PERSON = re.compile(r"\S+@\S+|\+?[\d\s()-]{7,}")
"""E-mail addresses and telephone numbers, which Anthropic refuses to know a user by."""


def write(conversation: Conversation, traits: Traits) -> Written:
    """The request for a model with these traits."""
    lost = dict.fromkeys(conversation.dropped)
    conversation, native, answer_tool = _shaped(conversation, traits, lost)
    said = turns(conversation, lost)
    system = _system(conversation, said)
    tools = [_tool(tool, traits, lost) for tool in conversation.tools]
    choice = _choice(conversation)
    limit = _limit(conversation, traits)
    thinking, effort = _thinking(conversation, traits, limit, said, choice, lost)
    fields: dict[str, Any] = {
        "max_tokens": limit,
        "system": system,
        "tools": tools or None,
        "tool_choice": choice,
        "thinking": thinking,
        "output_config": OutputConfig(effort, native) if effort or native else None,
        "stop_sequences": _stops(conversation, lost),
        "metadata": None if conversation.user is None else {"user_id": _user(conversation.user)},
        "stream": conversation.stream or None,
    } | sampling(conversation, traits, lost, thinks=thinking is not None and thinking.type != "disabled")
    for name in traits.without:
        if fields.pop(name, None) is not None:
            lost[name] = None
    request = Request(conversation.model, said, **fields)
    body = msgspec.json.encode(request)
    if not are_settled(body):
        settle(tools, system, said, lost)
        body = msgspec.json.encode(request)
    return Written(body, tuple(lost), answer_tool)


def _shaped(
    conversation: Conversation, traits: Traits, lost: dict[str, None]
) -> tuple[Conversation, FormatShape | None, str | None]:
    """The request with its format as a field, as a tool (whose name comes last) or in words."""
    wanted = conversation.format
    if wanted is None:
        return conversation, None, None
    if wanted.kind == "json_object" or wanted.schema is None:
        return _with_words(conversation), None, None
    native = traits.json_schema == "native" and "output_config" not in traits.without
    if native and (schema := closed(wanted.schema)) is not None:
        return conversation, FormatShape("json_schema", schema), None
    if traits.json_schema == "none":
        lost["response_format"] = None
        return _with_words(in_words(conversation)), None, None
    changed, tool = as_tool(conversation)
    return changed, None, tool


def _with_words(conversation: Conversation) -> Conversation:
    return replace(conversation, system=(*conversation.system, Text(_AS_JSON)))


def _limit(conversation: Conversation, traits: Traits) -> int:
    wanted = conversation.max_output
    if wanted is None:
        return traits.max_output or DEFAULT_LIMIT
    return wanted if traits.max_output is None else min(wanted, traits.max_output)


def _system(conversation: Conversation, said: list[Turn]) -> str | list[TextBlock] | None:
    """The system prompt. Where nobody says anything else, it is what the user says."""
    blocks = [block for part in conversation.system if (block := text_block(part.text, part.cache))]
    if blocks and not conversation.messages:
        said[0].content = [*blocks]
        return None
    if len(blocks) == 1 and blocks[0].cache_control is None:
        return blocks[0].text
    return blocks or None


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


def _choice(conversation: Conversation) -> ChoiceShape | None:
    """Which tool has to be called. Several at once are usual, so only one at a time has to be asked for."""
    one = True if conversation.parallel is False else None
    asked = conversation.choice
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
