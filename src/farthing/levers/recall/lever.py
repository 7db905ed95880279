"""The stage: answer what has been answered before; in observe mode only say what that would have saved."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from farthing.exchange import Exchange, Finished, Handler, Pump, Reply, Write, prompt_of
from farthing.levers.recall.answer import Answer
from farthing.levers.recall.desk import Answers, CostOf, Desk
from farthing.levers.recall.flight import Flights, Lead
from farthing.levers.recall.gate import read_flags, refusal
from farthing.levers.recall.key import Partition, canonical, key_of

LEVER = "exact"
ADMITTED = ""
"""In place of a reason for refusal."""
OPERATIONS = frozenset({"chat", "embeddings"})
VARY = frozenset((b"anthropic-beta", b"anthropic-version", b"openai-beta", b"openai-organization", b"openai-project"))
"""Request headers that may change an answer, or say whose it is."""


class Look(msgspec.Struct, frozen=True):
    """What observe mode found: the key, and whether an answer is known under it."""

    key: bytes
    is_known: bool


class Recall:
    """The exact cache as a stage."""

    def __init__(
        self,
        answers: Answers,
        *,
        cost_of: CostOf,
        cached_from: Callable[[str, str], int | None],
        ttl_s: float,
        wait_s: float,
        per_user: bool,
    ) -> None:
        """``cached_from``: (provider, model) → tokens of the shortest prefix that is cached there, if that is known."""
        self._desk = Desk(answers, cost_of, cached_from, ttl_s)
        self._wait_s, self._per_user = wait_s, per_user
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
        if exchange.cache_wish == "no-cache":
            return await self._ask(exchange, following, key, None)
        boarded = await self._flights.board(key, self._wait_s)
        if isinstance(boarded, Lead):
            return await self._lead(exchange, following, key, boarded)
        if boarded is not None:
            reply = self._desk.openly(self._desk.serve, exchange, key, boarded)
        else:
            reply = self._from_store(exchange, key)
        return reply or await self._ask(exchange, following, key, None)

    def _from_store(self, exchange: Exchange, key: bytes) -> Reply | None:
        return self._desk.openly(self._served, exchange, key)

    def _served(self, exchange: Exchange, key: bytes) -> Reply | None:
        answer = self._desk.answers.get(key, exchange.ts)
        return self._desk.serve(exchange, key, answer) if answer is not None and answer.body else None

    async def _lead(self, exchange: Exchange, following: Handler, key: bytes, lead: Lead[Answer]) -> Reply:
        """Go for those who wait: a streamed reply lands when its pump has ended."""
        if (reply := self._from_store(exchange, key)) is not None:  # landed between our look and our boarding
            lead.fail()
            return reply
        try:
            reply = await self._ask(exchange, following, key, lead)
        except BaseException as problem:
            lead.__exit__(type(problem), problem, None)
            raise
        if reply.pump is None:
            lead.fail()  # of no effect if it has landed
        else:
            reply.pump = _landing(lead, reply.pump)
        return reply

    async def _ask(self, exchange: Exchange, following: Handler, key: bytes, lead: Lead[Answer] | None) -> Reply:
        def keep(finished: Finished) -> None:
            answer = self._desk.openly(self._desk.learn, exchange, key, finished)
            if answer is not None and lead is not None:
                lead.land(answer)

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
            return Look(key, is_known=True)
        exchange.tally.cache_reason = _refused(exchange)
        return None if exchange.tally.cache_reason else Look(key, is_known=False)

    def _note(self, exchange: Exchange, finished: Finished, look: Look) -> None:
        """What a cache would have done with this very request, and what it cost."""
        tally, cost = exchange.tally, finished.call.cost_nano
        tally.would_cache = "exact" if look.is_known else "miss"
        if look.is_known:
            self._desk.answers.touch(look.key)
            if cost is not None:
                tally.would_save.append((LEVER, cost))
        else:
            self._desk.mark(exchange, look.key, finished)

    def _key(self, exchange: Exchange) -> bytes | None:
        """``None`` for what is no JSON, or has half a character in it: that is the provider's to refuse."""
        caller = exchange.caller
        partition = Partition(
            tenant=caller.tenant,
            credential=exchange.credential,
            provider=exchange.target.provider,
            user=caller.user if self._per_user else None,
            headers=tuple([header for header in exchange.headers if header[0] in VARY]),
        )
        tally = exchange.tally
        try:
            tally.canonical = canonical(exchange.body) if tally.canonical is None else tally.canonical
        except msgspec.DecodeError:
            return None
        return key_of(partition, exchange.wire.name, tally.canonical)


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
