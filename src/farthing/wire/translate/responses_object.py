"""The response object of OpenAI's responses API and its output items. Pure.

farthing stores no responses: ids are made from the provider's id, so that an answer has the same ones wherever it is
written again, and ``store`` is false whatever the client asked for.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, Literal

import msgspec

from farthing.types import Usage
from farthing.wire.reading import Json, has_value, lenient
from farthing.wire.translate.answer import Finish
from farthing.wire.translate.chat_words import tier_word
from farthing.wire.translate.conversation import Reasoning, ToolCall
from farthing.wire.translate.responses_sealed import sealed

Status = Literal["in_progress", "completed", "incomplete"]
Spoken = Literal["output_text", "refusal"]
"""What a message is made of."""
FIELDS: Final[dict[Spoken, str]] = {"output_text": "text", "refusal": "refusal"}
"""The field that holds the words."""

_TOP: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ECHOED: Final = {
    name: msgspec.Raw(default)
    for name, default in {
        "instructions": b"null",
        "max_output_tokens": b"null",
        "max_tool_calls": b"null",
        "metadata": b"{}",
        "parallel_tool_calls": b"true",
        "prompt_cache_key": b"null",
        "reasoning": b'{"effort":null,"summary":null}',
        "safety_identifier": b"null",
        "temperature": b"1.0",
        "text": b'{"format":{"type":"text"}}',
        "tool_choice": b'"auto"',
        "tools": b"[]",
        "top_logprobs": b"0",
        "top_p": b"1.0",
        "truncation": b'"disabled"',
        "user": b"null",
    }.items()
}
"""What a response repeats of its request, and what stands there if the request did not say."""
_UNSTORED: Final[Json] = {"background": False, "previous_response_id": None, "store": False}
_REASONS: Final[dict[Finish | None, str]] = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Head(msgspec.Struct, frozen=True):
    """What is the same in every copy of a response."""

    tail: str
    """What its id and those of its items have in common."""
    created: int
    model: str
    echo: Json


def tail(provider_id: str) -> str:
    """As many characters as OpenAI's own ids have."""
    return blake2b(provider_id.encode(), digest_size=24).hexdigest()


def echoed(request: bytes) -> Json:
    """The request's fields that a response repeats, as they came, on one line."""
    if b"\n" in request or b"\r" in request:
        request = msgspec.json.format(request, indent=-1)
    said = lenient(_TOP, request) or {}
    return {
        name: said[name] if name in said and has_value(said[name]) else default for name, default in _ECHOED.items()
    }


def response(
    head: Head, status: str, output: list[Json], *, tier: str | None = None, usage: Usage | None = None, **ended: Json
) -> Json:
    """The object. ``ended``: ``error`` or ``incomplete_details``."""
    return (
        {"id": f"resp_{head.tail}", "object": "response", "created_at": head.created, "status": status}
        | {"error": None, "incomplete_details": None, "model": head.model, "output": output}
        | _UNSTORED
        | head.echo
        | {"service_tier": tier_word(tier) or "default", "usage": None if usage is None else used(usage)}
        | ended
    )


def ending(finish: Finish | None) -> tuple[Status, dict[str, Json]]:
    """A response's status, and the field that explains it."""
    reason = _REASONS.get(finish)
    return ("completed", {}) if reason is None else ("incomplete", {"incomplete_details": {"reason": reason}})


def item_id(head: Head, prefix: str, index: int) -> str:
    """The id of the output item at ``index``: at most 64 characters, which is what the API takes back."""
    return f"{prefix}_{head.tail}{index:02x}"


def message_item(key: str, content: list[Json], status: Status) -> Json:
    """What the model says."""
    return {"id": key, "type": "message", "status": status, "content": content, "role": "assistant"}


def content_part(kind: Spoken, text: str) -> Json:
    """A part of a message."""
    marks: Json = {"annotations": [], "logprobs": []} if kind == "output_text" else {}
    return {"type": kind, FIELDS[kind]: text} | marks


def call_item(key: str, call: ToolCall, arguments: str, status: Status) -> Json:
    """A call of a function."""
    told: Json = {"id": key, "type": "function_call", "status": status, "arguments": arguments}
    return told | {"call_id": call.id, "name": call.name}


def reasoning_item(key: str, reasoning: Reasoning) -> Json:
    """What the model thought: to be read in ``summary``, to be given back in ``encrypted_content``."""
    summary = [summary_part(reasoning.text)] if reasoning.text else []
    item: Json = {"id": key, "type": "reasoning", "summary": summary}
    seal = sealed(reasoning)
    return item if seal is None else item | {"encrypted_content": seal}


def summary_part(text: str) -> Json:
    """A part of a reasoning item's summary."""
    return {"type": "summary_text", "text": text}


def used(usage: Usage) -> Json:
    """Usage as OpenAI reports it: ``openai_usage`` reads the same token classes from it."""
    cached = usage.cache_read + usage.cache_read_audio
    written = usage.cache_write_5m + usage.cache_write_1h
    output = usage.output + usage.output_audio + usage.output_image
    split = {"ttl_30m_tokens": usage.cache_write_5m, "ttl_12h_tokens": usage.cache_write_1h}
    came_in: Json = {
        "cached_tokens": cached,
        "cache_write_tokens": written,
        "cache_write_tokens_details": split if usage.cache_write_1h else None,
        "audio_tokens": usage.input_audio + usage.cache_read_audio,
        "image_tokens": usage.input_image,
        "cached_tokens_details": {"audio_tokens": usage.cache_read_audio} if usage.cache_read_audio else None,
    }
    went_out: Json = {"audio_tokens": usage.output_audio, "image_tokens": usage.output_image}
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": _told(came_in, "cached_tokens", "cache_write_tokens"),
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning} | _told(went_out),
        "total_tokens": usage.prompt_tokens + output,
    }


def _told(details: Json, *always: str) -> Json:
    """The details without those that are zero or not there, but for the ones that are always told."""
    return {name: value for name, value in details.items() if value or name in always}
