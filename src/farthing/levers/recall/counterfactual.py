"""What an answer from the cache would have cost had the request been sent: in which classes its tokens would be billed.

Sent again soon, a prompt meets its own prefix in the provider's prompt cache. So the baseline of a hit is often cheaper
than the call that was paid for, and to price every hit like that call would claim too much. In doubt the rules here
choose the cheaper baseline: the longer lifetime, and never fewer cached tokens than the stored call had.

Sources (read 2026-11): OpenAI, "Prompt caching" guide: automatic from 1,024 tokens, in steps of 128, evicted after
5 to 10 minutes without use. Anthropic, "Prompt caching" guide: only up to ``cache_control`` markers, lifetimes
of 5 minutes and 1 hour, each read renews them; without a marker nothing is cached.
"""

from __future__ import annotations

import msgspec

from farthing.types import Api, Usage


class PromptCacheRule(msgspec.Struct, frozen=True):
    """How a provider caches without being asked to."""

    minimum: int
    """Tokens of the shortest prefix that is cached, for models of which nothing else is known."""
    step: int
    """A cached prefix is the minimum plus a multiple of this."""
    ttl_s: float
    """Seconds without use after which a prefix is gone."""


OPENAI = PromptCacheRule(minimum=1024, step=128, ttl_s=600)
OPENAI_WRITING = PromptCacheRule(minimum=1024, step=128, ttl_s=1800)
"""Models that bill the writing (GPT-5.6 and later) keep a prefix for 30 minutes."""
ANTHROPIC_5M_S = 300.0
ANTHROPIC_1H_S = 3600.0


def expected_usage(
    stored: Usage, api: Api, age_s: float, warm_prefix_tokens: int | None, minimum: int | None = None
) -> Usage:
    """The usage of the stored call if the same request were sent now. The sum of its prompt tokens stays the same.

    ``age_s``: seconds since the same request was last asked for (sent, or answered from the cache: had it been sent, it
    would have renewed the provider's cache). ``warm_prefix_tokens``: how many tokens of this request's prefix other
    requests keep warm, as their usage last said; ``None`` if nothing is known. ``minimum``: tokens of the shortest
    prefix that is cached for this model, if that is known.
    """
    if api == "openai":
        return _read(stored, _automatic(stored, age_s, warm_prefix_tokens or 0, minimum))
    return _read(stored, _marked(stored, age_s, warm_prefix_tokens or 0))


def _automatic(stored: Usage, age_s: float, warm: int, minimum: int | None) -> int:
    """OpenAI: an identical prompt reads its longest cacheable prefix, a similar one what they share."""
    written = stored.cache_write_5m + stored.cache_write_1h
    rule = OPENAI_WRITING if written else OPENAI
    text = stored.input + stored.cache_read + written
    longest = text - text % rule.step if text >= (minimum or rule.minimum) else 0
    return longest if age_s <= rule.ttl_s else min(warm, longest)


def _marked(stored: Usage, age_s: float, warm: int) -> int:
    """Anthropic: only what was marked is cached, and a stored read or write tells how much that was."""
    own = stored.cache_read
    own += stored.cache_write_5m if age_s <= ANTHROPIC_5M_S else 0
    own += stored.cache_write_1h if age_s <= ANTHROPIC_1H_S else 0
    marked = stored.cache_read + stored.cache_write_5m + stored.cache_write_1h
    return max(own, min(warm, marked))


def _read(stored: Usage, tokens: int) -> Usage:
    """The same prompt with at least so many tokens read; the dearer classes give theirs up first."""
    missing = max(tokens - stored.cache_read, 0)
    if not missing:
        return stored
    moved: dict[str, int] = {}
    for name in ("cache_write_1h", "cache_write_5m", "input"):
        have: int = getattr(stored, name)
        taken = min(have, missing)
        missing -= taken
        moved[name] = have - taken
    read = stored.cache_read + max(tokens - stored.cache_read, 0) - missing
    return msgspec.structs.replace(stored, cache_read=read, **moved)
