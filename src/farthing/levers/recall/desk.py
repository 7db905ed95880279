"""Where answers are given out and taken in: the same for a repeat and for a question that only means the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, Protocol, TypeVar, TypeVarTuple

from farthing.exchange import Exchange, Finished, Reply
from farthing.levers.recall.answer import Answer
from farthing.levers.recall.counterfactual import expected_usage
from farthing.levers.recall.keeping import answer_of, may_keep
from farthing.levers.recall.replay import replay
from farthing.levers.recall.warmth import Warmth
from farthing.types import Usage

T = TypeVar("T")
Its = TypeVarTuple("Its")

log = logging.getLogger("farthing")


class Answers(Protocol):
    """Where answers are kept; fails open."""

    def get(self, key: bytes, now: float) -> Answer | None: ...
    def put(self, key: bytes, answer: Answer, now: float) -> bool: ...
    def touch(self, key: bytes) -> None: ...


class CostOf(Protocol):
    """What a usage costs at a provider, in nano-dollars; ``None`` if no price is known."""

    def __call__(self, exchange: Exchange, model: str, usage: Usage) -> int | None: ...


class Desk:
    """Serves and keeps, and knows what a hit is worth."""

    def __init__(
        self, answers: Answers, cost_of: CostOf, cached_from: Callable[[str, str], int | None], ttl_s: float
    ) -> None:
        """``cached_from``: (provider, model) → tokens of the shortest prefix that is cached there, if that is known."""
        self.answers = answers
        self._cost_of, self._cached_from, self._ttl_s = cost_of, cached_from, ttl_s
        self._warmth = Warmth()
        self.failures = 0

    def openly(self, step: Callable[[*Its], T | None], *its: *Its) -> T | None:
        """A cache that fails must not fail a request: count it, say it, go on without."""
        try:
            return step(*its)
        except Exception:
            self.failures += 1
            log.exception("the cache failed; the request goes on without it (failure %d)", self.failures)
            return None

    def serve(
        self, exchange: Exchange, key: bytes, answer: Answer, cache: Literal["exact", "semantic"] = "exact"
    ) -> Reply:
        """Give an answer out. ``key`` is its own; ``cache`` says how it was found, and which lever has saved."""
        reply, tally = replay(exchange, answer), exchange.tally
        baseline = self._would_cost(exchange, key, answer)
        self.openly(self.answers.touch, key)
        # From here on nothing can fail: a hit that is not served after all must not be claimed.
        tally.cache = cache
        tally.as_sent = False
        tally.baseline_nano = baseline
        if baseline is not None:
            tally.saved.append((cache, baseline))
        tally.served_model = answer.model_reported or answer.model
        return reply

    def learn(self, exchange: Exchange, key: bytes, finished: Finished) -> Answer | None:
        """Keep what a provider said; ``None`` if it may not be kept."""
        self._warmth.learn(exchange, finished.call.usage)
        if not finished.body or not may_keep(exchange, finished):
            return None
        answer = answer_of(exchange, finished, finished.body, self._ttl_s)
        self.answers.put(key, answer, exchange.ts)
        return answer

    def mark(self, exchange: Exchange, key: bytes, finished: Finished) -> Answer | None:
        """Note that an answer is known, without its body: nobody can ever be served from it."""
        if not may_keep(exchange, finished):
            return None
        answer = answer_of(exchange, finished, b"", self._ttl_s)
        self.answers.put(key, answer, exchange.ts)
        return answer

    def _would_cost(self, exchange: Exchange, key: bytes, answer: Answer) -> int | None:
        """The price of the stored call as it would be billed now; never more than it was."""
        if answer.usage is None:
            return answer.cost_nano
        age = self._warmth.age(key, answer.stored_at, exchange.ts)
        target = exchange.target
        minimum = self._cached_from(target.provider, target.model or "")
        usage = expected_usage(answer.usage, target.api, age, self._warmth.prefix(exchange), minimum)
        return self._cost_of(exchange, answer.model_reported or answer.model or "", usage)
