"""What LiteLLM tells its loggers, read as a call of ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from farthing.outside.told import Told, failure
from farthing.sdk.naming import PROPERTY
from farthing.types import Outcome, Prompt, Turn, Usage
from farthing.wire.openai_usage import openai_usage

Json = Mapping[str, Any]

PATHS = {
    "embedding": "/v1/embeddings",
    "image_generation": "/v1/images/generations",
    "transcription": "/v1/audio/transcriptions",
    "speech": "/v1/audio/speech",
    "moderation": "/v1/moderations",
    "rerank": "/v1/rerank",
}
"""Kinds of call that are no chat."""
CHATS = frozenset({"completion", "text_completion", "responses", "anthropic_messages", "generate_content"})
NAMES = ("user", "feature", "session", "tenant")


def told_of(kwargs: Json, response: object, start: datetime, end: datetime) -> Told:
    """A call that has ended, well or not."""
    params = _mapping(kwargs.get("litellm_params"))
    provider = str(kwargs.get("custom_llm_provider") or params.get("custom_llm_provider") or "openai")
    reply = _reply(response)
    stream, first = bool(kwargs.get("stream")), kwargs.get("completion_start_time")
    usage = None if _is_made_up(kwargs, reply, stream) else _mapping(reply.get("usage"))
    problem = kwargs.get("exception")
    status, error = (200, None) if not isinstance(problem, BaseException) else failure(problem)
    latency_s = max(0.0, (end - start).total_seconds())
    return Told(
        named=named_of(kwargs, params),
        provider=provider,
        model=_string(kwargs.get("model")),
        prompt=prompt_of(kwargs.get("messages")),
        outcome=_outcome(reply, usage),
        text=_text(reply),
        started=start.timestamp(),
        latency_s=latency_s,
        ttft_s=max(0.0, (first - start).total_seconds()) if stream and isinstance(first, datetime) else None,
        status=status,
        error=error,
        stream=stream,
        path=_path(str(kwargs.get("call_type") or "completion")),
    )


def is_cache_hit(kwargs: Json) -> bool:
    """Whether LiteLLM's own cache answered."""
    return kwargs.get("cache_hit") is True


def usage_of(usage: Json) -> Usage | None:
    """LiteLLM's usage: as OpenAI's, with what Anthropic writes to its caches told apart by lifetime."""
    if not usage:
        return None
    details = dict(_mapping(usage.get("prompt_tokens_details")))
    if details.get("cache_write_tokens") is None:
        details["cache_write_tokens"] = details.get("cache_creation_tokens") or usage.get("cache_creation_input_tokens")
    if not details.get("cached_tokens"):
        details["cached_tokens"] = usage.get("cache_read_input_tokens")
    found = openai_usage({**usage, "prompt_tokens_details": {k: v for k, v in details.items() if v is not None}})
    if found is None:
        return None
    split = _mapping(details.get("cache_creation_token_details"))
    hour = min(_count(split.get("ephemeral_1h_input_tokens")), found.cache_write_5m)
    searches = _count(_mapping(usage.get("server_tool_use")).get("web_search_requests"))
    return msgspec.structs.replace(
        found,
        cache_write_5m=found.cache_write_5m - hour,
        cache_write_1h=found.cache_write_1h + hour,
        web_searches=found.web_searches + searches,
    )


def named_of(kwargs: Json, params: Json) -> dict[str, str]:
    """Who asks and what for, from ``user`` and ``metadata``, under the names of our headers."""
    metadata = _mapping(params.get("metadata")) or _mapping(params.get("litellm_metadata"))
    found: dict[str, str] = {}
    for name, value in metadata.items():
        if name in NAMES and isinstance(value, str):
            found["x-farthing-" + name] = value
        elif isinstance(value, str) and not name.startswith(("user_api_key", "litellm_", "model_", "_")):
            found[PROPERTY + name] = value
    user = kwargs.get("user") or metadata.get("user_api_key_end_user_id")
    if isinstance(user, str) and user:
        found.setdefault("x-farthing-user", user)
    tags = metadata.get("tags")
    for tag in cast("list[object]", tags) if isinstance(tags, list) else []:
        found.setdefault(f"{PROPERTY}{tag}", "")
    return found


def prompt_of(messages: object) -> Prompt:
    """What a conversation in OpenAI's shape says; a text or a list of texts is one question each."""
    if not isinstance(messages, list):
        return Prompt("", (Turn("user", str(messages or "")),))
    system: list[str] = []
    turns: list[Turn] = []
    attachments = 0
    for one in cast("list[object]", messages):
        if not isinstance(one, dict):
            turns.append(Turn("user", str(one)))
            continue
        fields = cast("dict[str, Any]", one)
        parts = fields.get("content")
        blocks = cast("list[Any]", parts) if isinstance(parts, list) else [{"type": "text", "text": parts or ""}]
        texts = [str(_mapping(block).get("text") or "") for block in blocks]
        attachments += sum(1 for block in blocks if _mapping(block).get("type") not in ("text", "thinking"))
        text, role = "\n".join(filter(None, texts)), str(fields.get("role") or "user")
        if role in ("system", "developer"):
            system.append(text)
        else:
            turns.append(Turn("tool" if role == "function" else role, text))
    return Prompt("\n".join(system), tuple(turns), attachments=attachments)


def _is_made_up(kwargs: Json, reply: Json, stream: bool) -> bool:
    """Where a stream told no usage LiteLLM counts by itself and does not say so: that is an estimate."""
    options = _mapping(_mapping(kwargs.get("optional_params")).get("stream_options"))
    usage = _mapping(reply.get("usage"))
    return stream and not options.get("include_usage") and usage.get("prompt_tokens_details") is None


def _outcome(reply: Json, usage: Json | None) -> Outcome:
    choices = reply.get("choices")
    listed = cast("list[object]", choices) if isinstance(choices, list) else []
    first = _mapping(listed[0]) if listed else _mapping(None)
    return Outcome(
        model=_string(reply.get("model")),
        response_id=_string(reply.get("id")),
        finish_reason=_string(first.get("finish_reason")),
        complete=bool(reply),
        has_tool_calls=bool(_mapping(first.get("message")).get("tool_calls")),
        usage=None if usage is None else usage_of(usage),
        raw_usage=msgspec.json.encode(usage, enc_hook=str) if usage else None,
        service_tier=_string(reply.get("service_tier")) or _string((usage or {}).get("service_tier")),
    )


def _text(reply: Json) -> str:
    choices = reply.get("choices")
    messages = [_mapping(_mapping(one).get("message")) for one in cast("list[object]", choices or [])]
    said = ((one.get("content"), one.get("reasoning_content"), one.get("tool_calls")) for one in messages)
    return "".join(str(part) for parts in said for part in parts if part)


def _reply(response: object) -> Json:
    """Their replies are pydantic's."""
    dump = getattr(response, "model_dump", None)
    return _mapping(dump() if callable(dump) else response)


def _path(call_type: str) -> str | None:
    kind = call_type.removeprefix("a") if call_type[1:] in {*PATHS, *CHATS} else call_type
    return None if kind in CHATS else PATHS.get(kind, f"/v1/{kind}")


def _mapping(value: object) -> Json:
    return cast("Json", value) if isinstance(value, Mapping) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
