"""OpenAI's usage objects (chat, responses, embeddings, images, audio) as disjoint token classes.

Prompt totals hold the cached, written, audio and image tokens; completion totals hold reasoning, audio and images.

- A total larger than prompt + completion: Gemini's OpenAI mode and others leave the thoughts out of the completion but
  have them in the total. They are billed as output, so output = total - prompt, and the gap counts as reasoning.
- Cache writes (GPT-5.6 and later): the 30-minute kind is ``cache_write_5m``, the 12-hour kind ``cache_write_1h``;
  without that detail all of it is ``cache_write_5m``.
- DeepSeek says ``prompt_cache_hit_tokens`` beside the totals; it counts where the details say nothing.
- Cached audio: where the details do not say how much of the cache was audio, the least that makes the sum true.
"""

from __future__ import annotations

import msgspec

from farthing.types import Usage
from farthing.wire.reading import Json, count, mapping


class _In(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    cached_tokens: int = 0
    audio_tokens: int = 0


class _Out(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    reasoning_tokens: int = 0
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class _Usual(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _In = _In()
    completion_tokens_details: _Out = _Out()


_USUAL = msgspec.json.Decoder(_Usual)


def usual_usage(raw: bytes) -> Usage | None:
    """The usage of most chat replies, read in a fifth of the time; ``None`` if anything about it is unusual."""
    try:
        found = _USUAL.decode(raw)
    except msgspec.DecodeError:
        return None
    prompt, output, came_in, went_out = (
        found.prompt_tokens, found.completion_tokens, found.prompt_tokens_details, found.completion_tokens_details,
    )  # fmt: skip
    cached = came_in.cached_tokens
    usual = found.total_tokens == prompt + output and 0 <= cached <= prompt and output >= 0
    if not usual or came_in.audio_tokens or went_out.audio_tokens or went_out.reasoning_tokens < 0:
        return None
    return Usage(input=prompt - cached, cache_read=cached, output=output, reasoning=went_out.reasoning_tokens)


def openai_usage(usage: Json) -> Usage | None:
    """``None`` if the object counts no tokens at all (transcriptions that are billed by the second)."""
    prompt = _first(usage, "prompt_tokens", "input_tokens")
    completion = _first(usage, "completion_tokens", "output_tokens")
    total = count(usage.get("total_tokens"))
    if prompt is None and completion is None and total is None:
        return None
    if prompt is None:
        prompt = max(0, (total or 0) - (completion or 0))
    hidden = max(0, (total or 0) - prompt - (completion or 0))
    return _assemble(usage, prompt, (completion or 0) + hidden, hidden)


def embeddings_usage(usage: Json) -> Usage | None:
    """All tokens of an embeddings call are input."""
    prompt = _first(usage, "prompt_tokens", "total_tokens")
    return None if prompt is None else Usage(input=prompt)


def _assemble(usage: Json, prompt: int, output: int, hidden: int) -> Usage:
    came_in = _details(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    went_out = _details(usage, "completion_tokens_details", "output_tokens_details", "output_token_details")
    short, long = _writes(came_in)
    read, read_audio, audio, image, text = _reads(usage, came_in, prompt - short - long)
    output_audio = min(output, count(went_out.get("audio_tokens")) or 0)
    output_image = min(output - output_audio, count(went_out.get("image_tokens")) or 0)
    return Usage(
        input=text,
        cache_read=read,
        cache_write_5m=short,
        cache_write_1h=long,
        output=output - output_audio - output_image,
        input_audio=audio,
        cache_read_audio=read_audio,
        output_audio=output_audio,
        input_image=image,
        output_image=output_image,
        reasoning=max(hidden, count(went_out.get("reasoning_tokens")) or 0),
    )


def _writes(details: Json) -> tuple[int, int]:
    """Tokens written to the cache for a short and for a long time."""
    split = mapping(details.get("cache_write_tokens_details"))
    long = count(split.get("ttl_12h_tokens")) or 0
    total = count(details.get("cache_write_tokens"))
    if total is None:
        return count(split.get("ttl_30m_tokens")) or 0, long
    return max(0, total - long), min(total, long)


def _reads(usage: Json, details: Json, unwritten: int) -> tuple[int, int, int, int, int]:
    """Cached text and audio; fresh audio, images and text."""
    cached = _first(details, "cached_tokens")
    if cached is None:
        cached = count(usage.get("prompt_cache_hit_tokens")) or 0
    audio = count(details.get("audio_tokens")) or 0
    image = count(details.get("image_tokens")) or 0
    overlap = cached + audio + image - unwritten
    said = count(mapping(details.get("cached_tokens_details")).get("audio_tokens"))
    cached_audio = min(cached, audio, max(0, overlap) if said is None else said)
    cached_image = min(cached - cached_audio, image, max(0, overlap - cached_audio))
    fresh = unwritten - cached - (audio - cached_audio) - (image - cached_image)
    return cached - cached_audio, cached_audio, audio - cached_audio, image - cached_image, max(0, fresh)


def _first(values: Json, *names: str) -> int | None:
    return next((found for name in names if (found := count(values.get(name))) is not None), None)


def _details(usage: Json, *names: str) -> Json:
    nothing: Json = {}
    return next((found for name in names if (found := mapping(usage.get(name)))), nothing)
