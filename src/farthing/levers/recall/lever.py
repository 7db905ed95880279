"""The stage: answer what has been answered before; in observe mode only say what that would have saved."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, TypeVar, TypeVarTuple

import msgspec

from farthing.exchange import Exchange, Finished, Handler, Pump, Reply, Write, prompt_of
from farthing.levers.recall.admit import storable
from farthing.levers.recall.counterfactual import expected_usage
from farthing.levers.recall.flight import Flights, Lead
from farthing.levers.recall.gate import read_flags, refusal
from farthing.levers.recall.key import Partition, canonical, key_of
from farthing.levers.recall.store import Answer
from farthing.levers.recall.warmth import Warmth
from farthing.types import Headers, Usage
from farthing.wire import sse

T = TypeVar("T")
Its = TypeVarTuple("Its")

log = logging.getLogger("farthing")

LEVER = "exact"
ADMITTED = ""
"""In place of a reason for refusal."""
OPERATIONS = frozenset({"chat", "embeddings"})
VARY = frozenset((b"anthropic-beta", b"anthropic-version", b"openai-beta", b"openai-organization", b"openai-project"))
"""Request headers that may change an answer, or say whose it is."""


class Answers(Protocol):
    """Where answers are kept; fails open."""

    def get(self, key: bytes, now: float) -> Answer | None: ...
    def put(self, key: bytes, answer: Answer, now: float) -> bool: ...
    def touch(self, key: bytes) -> None: ...


class CostOf(Protocol):
    """What a usage costs at a provider, in nano-dollars; ``None`` if no price is known."""

    def __call__(self, exchange: Exchange, model: str, usage: Usage) -> int | None: ...


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
        self._answers, self._cost_of, self._cached_from = answers, cost_of, cached_from
        self._ttl_s, self._wait_s, self._per_user = ttl_s, wait_s, per_user
        self._flights: Flights[Answer] = Flights()
        self._warmth = Warmth()
        self.failures = 0

    async def stage(self, exchange: Exchange, following: Handler) -> Reply:
        """Answer, or let the next stage answer and keep what it says."""
        if not _may_recall(exchange):
            return await following(exchange)
        if exchange.mode == "observe":
            self._watch(exchange)
            return await following(exchange)
        key = self._openly(self._key, exchange)
        if key is None:
            return await following(exchange)
        # Before the gate: an answer that it refuses is never stored, and the rules' version is in the key.
        if exchange.cache_wish is None and (reply := self._from_store(exchange, key)) is not None:
            return reply
        exchange.tally.cache_reason = self._openly(_reason, exchange)
        if exchange.tally.cache_reason != ADMITTED:
            return await following(exchange)
        exchange.tally.cache = "miss"
        if exchange.cache_wish == "no-cache":
            return await self._ask(exchange, following, key, None)
        boarded = await self._flights.board(key, self._wait_s)
        if isinstance(boarded, Lead):
            return await self._lead(exchange, following, key, boarded)
        if boarded is not None:
            reply = self._openly(self._serve, exchange, key, boarded)
        else:
            reply = self._from_store(exchange, key)
        return reply or await self._ask(exchange, following, key, None)

    def _openly(self, step: Callable[[*Its], T | None], *its: *Its) -> T | None:
        """A cache that fails must not fail a request: count it, say it, go on without."""
        try:
            return step(*its)
        except Exception:
            self.failures += 1
            log.exception("the cache failed; the request goes on without it (failure %d)", self.failures)
            return None

    def _from_store(self, exchange: Exchange, key: bytes) -> Reply | None:
        return self._openly(self._served, exchange, key)

    def _served(self, exchange: Exchange, key: bytes) -> Reply | None:
        answer = self._answers.get(key, exchange.ts)
        return self._serve(exchange, key, answer) if answer is not None and answer.body else None

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
            answer = self._openly(self._learn, exchange, key, finished)
            if answer is not None and lead is not None:
                lead.land(answer)

        exchange.tally.learners.append(keep)
        return await following(exchange)

    def _learn(self, exchange: Exchange, key: bytes, finished: Finished) -> Answer | None:
        self._warmth.learn(exchange, finished.call.usage)
        if not finished.body or not _storable(exchange, finished):
            return None
        answer = self._answer(exchange, finished, finished.body)
        self._answers.put(key, answer, exchange.ts)
        return answer

    def _answer(self, exchange: Exchange, finished: Finished, body: bytes) -> Answer:
        call, now = finished.call, exchange.ts
        return Answer(
            wire=exchange.wire.name,
            stored_at=now,
            expires_at=now + self._ttl_s,
            streamed=finished.streamed,
            body=body,
            content_type=finished.content_type,
            model=call.model,
            model_reported=call.model_reported,
            provider=call.provider,
            finish_reason=call.finish_reason,
            usage=call.usage,
            cost_nano=call.cost_nano,
            price_version=call.price_version,
            tenant=exchange.caller.tenant,
            feature=exchange.caller.feature,
            request_id=exchange.id,
            latency_us=call.latency_us,
        )

    def _serve(self, exchange: Exchange, key: bytes, answer: Answer) -> Reply:
        reply, tally = _replay(exchange, answer), exchange.tally
        baseline = self._would_cost(exchange, key, answer)
        self._openly(self._answers.touch, key)
        # From here on nothing can fail: a hit that is not served after all must not be claimed.
        tally.cache = "exact"
        tally.as_sent = False
        tally.baseline_nano = baseline
        if baseline is not None:
            tally.saved.append((LEVER, baseline))
        tally.served_model = answer.model_reported or answer.model
        return reply

    def _would_cost(self, exchange: Exchange, key: bytes, answer: Answer) -> int | None:
        """The price of the stored call as it would be billed now; never more than it was."""
        if answer.usage is None:
            return answer.cost_nano
        age = self._warmth.age(key, answer.stored_at, exchange.ts)
        target = exchange.target
        minimum = self._cached_from(target.provider, target.model or "")
        usage = expected_usage(answer.usage, target.api, age, self._warmth.prefix(exchange), minimum)
        return self._cost_of(exchange, answer.model_reported or answer.model or "", usage)

    def _watch(self, exchange: Exchange) -> None:
        """Observe mode: nothing is changed. Look while the provider works, note when it has answered."""
        looked: list[Look | None] = []

        def look() -> Look | None:
            if not looked:
                looked.append(self._openly(self._look, exchange))
            return looked[0]

        def note(finished: Finished) -> None:
            if (found := look()) is not None:
                self._openly(self._note, exchange, finished, found)

        exchange.tally.chores.append(look)
        exchange.tally.learners.append(note)

    def _look(self, exchange: Exchange) -> Look | None:
        key = self._key(exchange)
        if key is None:
            return None
        if self._answers.get(key, exchange.ts) is not None:
            return Look(key, is_known=True)
        exchange.tally.cache_reason = _refused(exchange)
        return None if exchange.tally.cache_reason else Look(key, is_known=False)

    def _note(self, exchange: Exchange, finished: Finished, look: Look) -> None:
        """What a cache would have done with this very request, and what it cost."""
        tally, cost = exchange.tally, finished.call.cost_nano
        tally.would_cache = "exact" if look.is_known else "miss"
        if look.is_known:
            self._answers.touch(look.key)
            if cost is not None:
                tally.would_save.append((LEVER, cost))
        elif _storable(exchange, finished):
            # Without its body: it is known, but nobody can ever be served from it.
            self._answers.put(look.key, self._answer(exchange, finished, b""), exchange.ts)

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


def _storable(exchange: Exchange, finished: Finished) -> bool:
    asked = exchange.target
    if (finished.call.provider, finished.call.model) != (asked.provider, asked.model):
        return False  # another model took over; the next one who asks shall get what he asks for
    status, outcome, body = finished.call.status or 0, finished.outcome, finished.body
    if storable(exchange.wire.operation, status, outcome, body, _text(exchange, finished)) is not None:
        return False
    # An event that broke one client would break every later one.
    return not finished.streamed or body is None or sse.is_sound(body)


def _text(exchange: Exchange, finished: Finished) -> str | None:
    """What the reply says; for one that was billed for output it is enough to know that it says something."""
    if finished.body is None or exchange.wire.operation == "embeddings":
        return None
    if finished.outcome.usage is not None and finished.outcome.usage.output:
        return "something"
    return exchange.wire.text(exchange.wire.to_plain(finished.body) if finished.streamed else finished.body)


def _landing(lead: Lead[Answer], pump: Pump) -> Pump:
    async def landing(write: Write) -> None:
        with lead:
            await pump(write)

    return landing


def _replay(exchange: Exchange, answer: Answer) -> Reply:
    """The stored answer in the caller's own mode."""
    wire, facts = exchange.wire, exchange.facts
    if not facts.stream:
        body = wire.to_plain(answer.body) if answer.streamed else answer.body
        return Reply(200, [(b"content-type", b"application/json")], body)
    if answer.streamed:
        events = wire.restream(answer.body, include_usage=facts.include_usage)
    else:
        events = wire.to_stream(answer.body, include_usage=facts.include_usage)
    headers: Headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
    stream = b"".join(events)

    async def play(write: Write) -> None:
        await write(stream)

    return Reply(200, headers, pump=play)
