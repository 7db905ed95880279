"""Anthropic's usage objects as disjoint token classes: ``input_tokens`` holds neither cache reads nor writes."""

from __future__ import annotations

from typing import cast

from farthing.types import Usage
from farthing.wire.reading import Json, Value, count, mapping

_TOKENS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def anthropic_usage(usage: Json) -> Usage | None:
    """``None`` if the object counts no tokens at all."""
    if all(count(usage.get(name)) is None for name in _TOKENS):
        return None
    five, hour = _writes(usage)
    return Usage(
        input=_of(usage, "input_tokens"),
        cache_read=_of(usage, "cache_read_input_tokens"),
        cache_write_5m=five,
        cache_write_1h=hour,
        output=_of(usage, "output_tokens"),
        web_searches=_of(mapping(usage.get("server_tool_use")), "web_search_requests"),
        reasoning=_of(mapping(usage.get("output_tokens_details")), "thinking_tokens"),
    )


def merge(before: Json, after: Json) -> Json:
    """Usage as a stream goes on: later counts are totals so far, so they replace, never add; ``null`` says nothing."""
    return before | {name: _merged(before.get(name), value) for name, value in after.items() if value is not None}


def _merged(before: object, after: Value) -> Value:
    return merge(mapping(before), cast("Json", after)) if isinstance(after, dict) else after


def _writes(usage: Json) -> tuple[int, int]:
    """Tokens written for five minutes and for an hour; what has no split is written for five minutes."""
    split = mapping(usage.get("cache_creation"))
    five, hour = _of(split, "ephemeral_5m_input_tokens"), _of(split, "ephemeral_1h_input_tokens")
    total = count(usage.get("cache_creation_input_tokens"))
    if total is None:
        return five, hour
    return total - min(total, hour), min(total, hour)


def _of(values: Json, name: str) -> int:
    return count(values.get(name)) or 0


def usage_object(usage: Usage) -> Json:
    """The classes as Anthropic reports them. It has no classes for sounds and pictures: they count where text does."""
    found: Json = {
        "input_tokens": usage.input + usage.input_audio + usage.input_image,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read + usage.cache_read_audio,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output + usage.output_audio + usage.output_image,
    }
    if usage.reasoning:
        found["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.web_searches:
        found["server_tool_use"] = {"web_search_requests": usage.web_searches, "web_fetch_requests": 0}
    return found
