"""What is warm in the providers' prompt caches, as far as their usage told: for an honest baseline of a hit."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

from farthing.exchange import Exchange
from farthing.types import Usage

V = TypeVar("V")

LIMIT = 20_000
"""Remembered prefixes and questions; the oldest go first. About 8 MB when full."""


class Warmth:
    """Bounded memory of one process."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._prefixes: OrderedDict[int, int] = OrderedDict()
        self._asked: OrderedDict[int, float] = OrderedDict()

    def learn(self, exchange: Exchange, usage: Usage | None) -> None:
        """Remember how much of a prompt with this beginning the provider had in its cache."""
        if usage is not None:
            self._put(self._prefixes, _beginning(exchange), usage.cache_read)

    def prefix(self, exchange: Exchange) -> int | None:
        """Tokens that were read from the provider's cache when a prompt began like this one last time."""
        return self._prefixes.get(_beginning(exchange))

    def age(self, key: bytes, stored_at: float, now: float) -> float:
        """Seconds since this question was last asked, and remember that it is asked now."""
        question = int.from_bytes(key[:8], "little")  # smaller than the key, and as good as unique
        last = self._asked.get(question, stored_at)
        self._put(self._asked, question, now)
        return max(now - last, 0.0)

    def _put(self, memory: OrderedDict[int, V], key: int, value: V) -> None:
        memory[key] = value
        memory.move_to_end(key)
        if len(memory) > self._limit:
            memory.popitem(last=False)


BEGINNING = 4096
"""Bytes of a body that decide whether two prompts begin alike: about 1,024 tokens, the shortest cacheable prefix."""


def _beginning(exchange: Exchange) -> int:
    target = exchange.target
    return hash((exchange.caller.tenant, target.provider, target.model, exchange.body[:BEGINNING]))
