"""LangChain's messages, as LangChain writes them down, and what they say. Pure."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk

from farthing.types import Outcome, Prompt, Turn, Usage
from farthing.wire.anthropic_usage import anthropic_usage
from farthing.wire.openai_usage import openai_usage

MAY_BE = (AIMessage, ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk)
"""All that an answer may be made of when it is read: nothing else is built, whatever the file says."""
ROLES = {"human": "user", "ai": "assistant", "tool": "tool", "function": "tool", "chat": "user"}
ENDS = ("finish_reason", "stop_reason", "done_reason", "stopReason", "status")
"""Where providers say how an answer ended."""
Json = dict[str, Any]

with warnings.catch_warnings():  # the first call says that the function is in beta; apps need not hear it from us
    warnings.simplefilter("ignore")
    loads("[]", allowed_objects=MAY_BE, secrets_from_env=False)


def written(generations: Sequence[Generation]) -> bytes | None:
    """The answer as bytes that read back as the very same; ``None`` if there are none such."""
    text = dumps(list(generations))
    again = read(text.encode())
    return text.encode() if again is not None and _same(again, generations) else None


def read(body: bytes) -> list[Generation] | None:
    """The answer; ``None`` if these bytes are none, or of things that are not allowed in one."""
    try:
        found: object = loads(body.decode(), allowed_objects=MAY_BE, secrets_from_env=False)
    except Exception:  # noqa: BLE001 - whatever it is, it is no answer
        return None
    if not isinstance(found, list) or not found:
        return None
    items = cast("list[object]", found)
    return cast("list[Generation]", items) if all(isinstance(one, Generation) for one in items) else None


def _same(one: Sequence[Generation], other: Sequence[Generation]) -> bool:
    return [(type(it), it) for it in one] == [(type(it), it) for it in other]


def prompt_of_messages(messages: Sequence[BaseMessage]) -> Prompt:
    """What a conversation says."""
    return _prompt((one.type, _content(one)) for one in messages)


def _content(message: BaseMessage) -> object:
    return message.content  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - lists of anything


def prompt_of_text(text: str) -> Prompt:
    """What a cache is asked: messages as ``dumps`` writes them, or the plain text of a model without messages."""
    try:
        found: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return Prompt("", (Turn("user", text),))
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in cast("list[object]", found)):
        return Prompt("", (Turn("user", text),))
    fields = [cast("Json", one.get("kwargs") or {}) for one in cast("list[Json]", found)]
    return _prompt((str(one.get("type")), one.get("content")) for one in fields)


def _prompt(said: Iterator[tuple[str, object]]) -> Prompt:
    system: list[str] = []
    turns: list[Turn] = []
    attachments = 0
    for role, content in said:
        text = _text(content)
        attachments += sum(1 for one in _blocks(content) if one.get("type") not in ("text", "reasoning", "thinking"))
        if role == "system":
            system.append(text)
        else:
            turns.append(Turn(ROLES.get(role, "user"), text))
    return Prompt("\n".join(system), tuple(turns), attachments=attachments)


def _blocks(content: object) -> list[Json]:
    items = cast("list[object]", content) if isinstance(content, list) else []
    return [cast("Json", one) for one in items if isinstance(one, dict)]


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    items = cast("list[object]", content) if isinstance(content, list) else []
    parts = [one if isinstance(one, str) else "" for one in items]
    return "\n".join(filter(None, [*parts, *(str(one.get("text") or "") for one in _blocks(items))]))


def answer_text(generations: Sequence[Generation]) -> str:
    """What was said, tool calls included: all of it was paid for."""
    calls = [str(message.tool_calls) for one in generations if (message := message_of(one)) and message.tool_calls]
    return "".join([*(one.text for one in generations), *calls])


def _has_calls(one: Generation) -> bool:
    message = message_of(one)
    return message is not None and bool(message.tool_calls or message.invalid_tool_calls)


def message_of(generation: Generation) -> AIMessage | None:
    """The message of a chat model's answer."""
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return message if isinstance(message, AIMessage) else None


def outcome_of(generations: Sequence[Generation], provider: str) -> Outcome:
    """What an answer says about itself."""
    first = generations[0] if generations else None
    message = None if first is None else message_of(first)
    about = {} if message is None else message.response_metadata
    told: Json = {**((first.generation_info or {}) if first is not None else {}), **about}
    usage, raw = (None, None) if message is None else usage_of(message, provider)
    ends = [str(told[name]).lower() for name in ENDS if told.get(name)]
    return Outcome(
        model=_string(told.get("model_name")) or _string(told.get("model")),
        response_id=_string(told.get("id")) or (None if message is None else message.id),
        finish_reason=ends[0] if ends else None,
        complete=True,
        has_tool_calls=any(_has_calls(one) for one in generations),
        usage=usage,
        raw_usage=raw,
        service_tier=_string(told.get("service_tier")),
    )


def usage_of(message: AIMessage, provider: str) -> tuple[Usage | None, bytes | None]:
    """Billed tokens, and the object that they were read from: the provider's own if it is there, else LangChain's."""
    about = message.response_metadata
    raw = about.get("token_usage") or about.get("usage")
    if isinstance(raw, dict):
        read_usage = anthropic_usage if "anthropic" in provider else openai_usage
        if (found := read_usage(cast("Json", raw))) is not None:
            return found, msgspec.json.encode(raw, enc_hook=str)
    if message.usage_metadata is None:
        return None, None
    kept = {name: value for name, value in message.usage_metadata.items() if name != "total_cost"}
    return standard_usage(kept), msgspec.json.encode(kept, enc_hook=str)


def standard_usage(usage: Json) -> Usage | None:
    """LangChain's ``usage_metadata``: ``input_tokens`` holds what was read from and written to the provider's cache.
    Names of a service tier may stand before those of the details.
    """
    if "input_tokens" not in usage and "output_tokens" not in usage:
        return None
    came_in, went_out = _counts(usage.get("input_token_details")), _counts(usage.get("output_token_details"))
    read = _ending(came_in, "cache_read")
    hour, five = came_in.get("ephemeral_1h_input_tokens", 0), came_in.get("ephemeral_5m_input_tokens", 0)
    five += _ending(came_in, "cache_creation")
    audio, said = came_in.get("audio", 0), went_out.get("audio", 0)
    return Usage(
        input=max(0, (usage.get("input_tokens") or 0) - read - five - hour - audio),
        cache_read=read,
        cache_write_5m=five,
        cache_write_1h=hour,
        output=max(0, (usage.get("output_tokens") or 0) - said),
        input_audio=audio,
        output_audio=said,
        reasoning=_ending(went_out, "reasoning"),
    )


def _counts(details: object) -> dict[str, int]:
    items = cast("Json", details).items() if isinstance(details, dict) else ()
    return {name: value for name, value in items if isinstance(value, int)}


def _ending(counts: dict[str, int], name: str) -> int:
    return sum(value for key, value in counts.items() if key.endswith(name))


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
