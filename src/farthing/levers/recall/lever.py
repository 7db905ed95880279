"""The stage: answer what has been answered before; in observe mode only say what that would have saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from farthing.exchange import Exchange, Finished, Handler, Pump, Reply, Write, prompt_of
from farthing.levers.recall.answer import Answer
from farthing.levers.recall.desk import Answers, CostOf, Desk
from farthing.levers.recall.flight import Flights, Lead
from farthing.levers.recall.gate import read_flags, refusal
from farthing.levers.recall.key import Partition, canonical, key_of
from farthing.types import CacheState

if TYPE_CHECKING:
    from farthing.levers.recall.semantic.recall import Asked, Similar

ADMITTED = ""
"""In place of a reason for refusal."""
OPERATIONS = frozenset({"chat", "embeddings"})
VARY = frozenset((b"anthropic-beta", b"anthropic-version", b"openai-beta", b"openai-organization", b"openai-project"))
"""Request headers that may change an answer, or say whose it is."""


class Look(msgspec.Struct, frozen=True):
    """What observe mode found: what the cache would have said, and the key of the answer that it knows or will know."""

    would: CacheState
    key: bytes
    asked: Asked | None = None
    """The question, if it is to be remembered."""


class Recall:
    """The cache as a stage: first the very same request, then one that means the same."""

    def __init__(
        self,
        answers: Answers,
        *,
        cost_of: CostOf,
        cached_from: Callable[[str, str], int | None],
        ttl_s: float,
        wait_s: float,
        per_user: bool,
        similar: Similar | None = None,
    ) -> None:
        """``cached_from``: (provider, model) → tokens of the shortest prefix that is cached there, if that is known.

        ``similar``: none, and only the very same request is answered.
        """
        self._desk = Desk(answers, cost_of, cached_from, ttl_s)
        self._wait_s, self._per_user, self._similar = wait_s, per_user, similar
        self._flights: Flights[Answer] = Flights()

    @property
    def failures(self) -> int:
        """Steps of the cache that failed; the requests went on without it."""
        return self._desk.failures

    async def stage(self, exchange: Exchange, following: Handler) -> Reply:
        """Answer, or let the next stage answer and keep what it says."""
        if not _may_recall(exchange):
            return await following(exchange)
        if exchange.mode == "observe":
            self._watch(exchange)
            return await following(exchange)
        key = self._desk.openly(self._key, exchange)
        if key is None:
            return await following(exchange)
        # Before the gate: an answer that it refuses is never stored, and the rules' version is in the key.
        if exchange.cache_wish is None and (reply := self._from_store(exchange, key)) is not None:
            return reply
        exchange.tally.cache_reason = self._desk.openly(_reason, exchange)
        if exchange.tally.cache_reason != ADMITTED:
            return await following(exchange)
        exchange.tally.cache = "miss"
        asked = self._desk.openly(self._asked, exchange)
        if exchange.cache_wish == "no-cache":
            return await self._ask(exchange, following, key, asked, None)
        if asked is not None and (reply := self._desk.openly(self._by_meaning, exchange, asked)) is not None:
            return reply
        boarded = await self._flights.board(key, self._wait_s)
        if isinstance(boarded, Lead):
            return await self._lead(exchange, following, key, asked, boarded)
        if boarded is not None:
            reply = self._desk.openly(self._desk.serve, exchange, key, boarded)
        else:
            reply = self._from_store(exchange, key)
        return reply or await self._ask(exchange, following, key, asked, None)

    def _from_store(self, exchange: Exchange, key: bytes) -> Reply | None:
        return self._desk.openly(self._served, exchange, key)

    def _served(self, exchange: Exchange, key: bytes) -> Reply | None:
        answer = self._desk.answers.get(key, exchange.ts)
        return self._desk.serve(exchange, key, answer) if answer is not None and answer.body else None

    def _asked(self, exchange: Exchange) -> Asked | None:
        canonical = exchange.tally.canonical
        if self._similar is None or canonical is None or exchange.wire.operation != "chat":
            return None
        return self._similar.ask(self._partition(exchange), exchange.wire.name, canonical)

    def _by_meaning(self, exchange: Exchange, asked: Asked) -> Reply | None:
        match = None if self._similar is None else self._similar.find(asked, exchange.ts)
        if match is None or not match.answer.body:
            return None
        reply = self._desk.serve(exchange, match.key, match.answer, "semantic")
        exchange.tally.similarity = match.similarity
        return reply

    async def _lead(
        self, exchange: Exchange, following: Handler, key: bytes, asked: Asked | None, lead: Lead[Answer]
    ) -> Reply:
        """Go for those who wait: a streamed reply lands when its pump has ended."""
        if (reply := self._from_store(exchange, key)) is not None:  # landed between our look and our boarding
            lead.fail()
            return reply
        try:
            reply = await self._ask(exchange, following, key, asked, lead)
        except BaseException as problem:
            lead.__exit__(type(problem), problem, None)
            raise
        if reply.pump is None:
            lead.fail()  # of no effect if it has landed
        else:
            reply.pump = _landing(lead, reply.pump)
        return reply

    async def _ask(
        self, exchange: Exchange, following: Handler, key: bytes, asked: Asked | None, lead: Lead[Answer] | None
    ) -> Reply:
        def keep(finished: Finished) -> None:
            answer = self._desk.openly(self._desk.learn, exchange, key, finished)
            if answer is None:
                return
            if lead is not None:
                lead.land(answer)
            if asked is not None and self._similar is not None:
                self._desk.openly(self._similar.remember, exchange, asked, key, answer)

        exchange.tally.learners.append(keep)
        return await following(exchange)

    def _watch(self, exchange: Exchange) -> None:
        """Observe mode: nothing is changed. Look while the provider works, note when it has answered."""
        looked: list[Look | None] = []

        def look() -> Look | None:
            if not looked:
                looked.append(self._desk.openly(self._look, exchange))
            return looked[0]

        def note(finished: Finished) -> None:
            if (found := look()) is not None:
                self._desk.openly(self._note, exchange, finished, found)

        exchange.tally.chores.append(look)
        exchange.tally.learners.append(note)

    def _look(self, exchange: Exchange) -> Look | None:
        key = self._key(exchange)
        if key is None:
            return None
        if self._desk.answers.get(key, exchange.ts) is not None:
            return Look("exact", key)
        exchange.tally.cache_reason = _refused(exchange)
        if exchange.tally.cache_reason:
            return None
        asked = self._desk.openly(self._asked, exchange)
        match = None
        if asked is not None and self._similar is not None:
            match = self._desk.openly(self._similar.find, asked, exchange.ts)
        return Look("miss", key, asked) if match is None else Look("semantic", match.key)

    def _note(self, exchange: Exchange, finished: Finished, look: Look) -> None:
        """What a cache would have done with this very request, and what it cost."""
        tally, cost = exchange.tally, finished.call.cost_nano
        tally.would_cache = look.would
        if look.would != "miss":
            self._desk.answers.touch(look.key)
            if cost is not None:
                tally.would_save.append((look.would, cost))
            return
        answer = self._desk.mark(exchange, look.key, finished)
        if answer is not None and look.asked is not None and self._similar is not None:
            self._similar.remember(exchange, look.asked, look.key, answer)

    def _key(self, exchange: Exchange) -> bytes | None:
        """``None`` for what is no JSON, or has half a character in it: that is the provider's to refuse."""
        tally = exchange.tally
        try:
            tally.canonical = canonical(exchange.body) if tally.canonical is None else tally.canonical
        except msgspec.DecodeError:
            return None
        return key_of(self._partition(exchange), exchange.wire.name, tally.canonical)

    def _partition(self, exchange: Exchange) -> Partition:
        caller = exchange.caller
        return Partition(
            tenant=caller.tenant,
            credential=exchange.credential,
            provider=exchange.target.provider,
            user=caller.user if self._per_user else None,
            headers=tuple([header for header in exchange.headers if header[0] in VARY]),
        )


def _may_recall(exchange: Exchange) -> bool:
    return (
        exchange.method == "POST"
        and exchange.upload is None
        and exchange.cache_wish != "no-store"
        and exchange.wire.operation in OPERATIONS
    )


def _refused(exchange: Exchange) -> str | None:
    prompt = prompt_of(exchange)
    return refusal(exchange.wire.operation, exchange.facts, prompt, read_flags(exchange.body, prompt))


def _reason(exchange: Exchange) -> str:
    return _refused(exchange) or ADMITTED


def _landing(lead: Lead[Answer], pump: Pump) -> Pump:
    async def landing(write: Write) -> None:
        with lead:
            await pump(write)

    return landing
