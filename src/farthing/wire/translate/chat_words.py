"""What chat replies in one piece and in chunks have in common: finish reasons, usage, thoughts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from farthing.types import Usage
from farthing.wire.openai_usage import openai_usage
from farthing.wire.reading import Json, count, mapping, objects, string
from farthing.wire.translate.answer import Finish
from farthing.wire.translate.conversation import Reasoning

_READ: Final[dict[str, Finish]] = {
    "stop": "stop",
    "length": "length",
    "model_length": "length",  # Mistral: the window is full
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def finish_of(reason: object, *, calls: bool) -> Finish | None:
    """Why the model stopped; ``None`` if nothing is said. A forced call ends with ``stop``, too."""
    if not isinstance(reason, str) or not reason:
        return None
    found = _READ.get(reason, "stop")
    return "tool_calls" if found == "stop" and calls else found


def finish_word(finish: Finish | None, *, functions: bool) -> str | None:
    """The same in OpenAI's words."""
    if finish == "tool_calls":
        return "function_call" if functions else "tool_calls"
    return "stop" if finish == "stop_sequence" else finish


def usage_of(value: object) -> Usage | None:
    """The usage object of a reply or chunk."""
    found = mapping(value)
    return openai_usage(found) if found else None


def usage_words(usage: Usage) -> Json:
    """The usage as a chat reply tells it; ``usage_of`` gives the same classes again, web searches aside."""
    output = usage.output + usage.output_audio + usage.output_image
    written = usage.cache_write_5m + usage.cache_write_1h
    came_in: Json = {"cached_tokens": usage.cache_read + usage.cache_read_audio}
    if audio := usage.input_audio + usage.cache_read_audio:
        came_in["audio_tokens"] = audio
        came_in["cached_tokens_details"] = {"audio_tokens": usage.cache_read_audio}
    if usage.input_image:
        came_in["image_tokens"] = usage.input_image
    if written:
        came_in["cache_write_tokens"] = written
    if usage.cache_write_1h:
        split = {"ttl_30m_tokens": usage.cache_write_5m, "ttl_12h_tokens": usage.cache_write_1h}
        came_in["cache_write_tokens_details"] = split
    went_out: Json = {"reasoning_tokens": usage.reasoning}
    if usage.output_audio:
        went_out["audio_tokens"] = usage.output_audio
    if usage.output_image:
        went_out["image_tokens"] = usage.output_image
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": output,
        "total_tokens": usage.prompt_tokens + output,
        "prompt_tokens_details": came_in,
        "completion_tokens_details": went_out,
    }


def spoken(content: object) -> Iterator[tuple[str, str]]:
    """Kind (``text``, ``reasoning``) and words of a content: a string, or the parts that Mistral's models send."""
    if isinstance(content, str):
        if content:
            yield "text", content
        return
    for part in objects(content):
        if text := string(part.get("text")):
            yield "text", text
        for thought in objects(part.get("thinking")):
            if text := string(thought.get("text")):
                yield "reasoning", text


def plain_thought(message: Json) -> str | None:
    """Reasoning without signature: DeepSeek's and LiteLLM's field, or that of OpenRouter, vLLM and Groq."""
    return string(message.get("reasoning_content")) or string(message.get("reasoning"))


def thoughts_of(blocks: object) -> list[Reasoning]:
    """LiteLLM's ``thinking_blocks``."""
    found: list[Reasoning] = []
    for block in objects(blocks):
        if data := string(block.get("data")):
            found.append(Reasoning("", redacted=data))
        elif (text := block.get("thinking")) is not None or block.get("signature"):
            found.append(Reasoning(text if isinstance(text, str) else "", string(block.get("signature"))))
    return found


def thought_block(thought: Reasoning) -> Json:
    """A block of LiteLLM's ``thinking_blocks``."""
    if thought.redacted is not None:
        return {"type": "redacted_thinking", "data": thought.redacted}
    block: Json = {"type": "thinking", "thinking": thought.text}
    return block if thought.signature is None else block | {"signature": thought.signature}


def arguments_of(function: Json) -> str:
    """A call's arguments as JSON; some endpoints send the object itself."""
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return string(arguments) or ""


def index_of(value: Json) -> int | None:
    """The number of a choice or a call, if it has one."""
    return count(value.get("index"))


def tier_word(tier: str | None) -> str | None:
    """The tier that a call was billed in, in OpenAI's word; it has none for Anthropic's ``batch``."""
    return {"standard": "default", "batch": None}.get(tier, tier) if tier else None
