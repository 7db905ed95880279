"""The runtime owns every long-lived object: built once at start, closed once at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import lmdb
import msgspec

from farthing import tokens
from farthing.errors import RequestError, StoreError
from farthing.exchange import Exchange, Handler, Reply, Stage, Target, prompt_of
from farthing.insight.shape import shape_of
from farthing.ledger import pulse
from farthing.ledger.journal import Journal
from farthing.ledger.records import Call, Shape
from farthing.levers.recall.answer import Stats
from farthing.levers.recall.lever import Recall
from farthing.levers.recall.store import AnswerStore, open_answers
from farthing.limits.gate import Gates
from farthing.limits.keys import KeyRing
from farthing.pipeline.abilities import abilities, traits_of
from farthing.pipeline.attempt import Attempt
from farthing.pipeline.cross import Cross
from farthing.pipeline.drain import Drains
from farthing.pipeline.fitting import Fit
from farthing.pipeline.health import journal_problem, keeper_problem
from farthing.pipeline.observe import Observer, Observers
from farthing.pipeline.reach import Reach, Timing
from farthing.pipeline.readings import Readings
from farthing.pipeline.send import Sender
from farthing.pipeline.settle import Settler
from farthing.pipeline.settlement import CLIENT_GONE, Price, Priced
from farthing.pipeline.stages import pipeline
from farthing.pipeline.trip import Guide, Limits
from farthing.policy import Policy
from farthing.policy.presets import sellers
from farthing.policy.units import seconds, size
from farthing.prices.book import PriceBook
from farthing.prices.capabilities import CapabilityBook
from farthing.types import Clock, Headers, Usage
from farthing.upstream.health import Health
from farthing.upstream.pool import Pool, open_pool
from farthing.upstream.ways import Ways
from farthing.wire.edit import replace_top_level
from farthing.wire.translate.conversation import Traits

if TYPE_CHECKING:
    from farthing.levers.recall.semantic.questions import Questions
    from farthing.levers.recall.semantic.recall import Similar

log = logging.getLogger("farthing")

Timestamp = Callable[[Headers], float]
"""When a request happened: the clock, unless a demo replays another month."""


class Runtime:
    """One process's worth of farthing."""

    def __init__(
        self,
        policy: Policy,
        environ: Mapping[str, str],
        *,
        clock: Clock = time.time,  # noqa: TID251 - here the clock enters the house
        monotonic: Callable[[], float] = time.perf_counter,
        random_bits: Callable[[int], int] = random.getrandbits,
        timestamp: Timestamp | None = None,
        observers: Sequence[Observer] = (),
        before: Runtime | None = None,
    ) -> None:
        """``before``: the one that this one follows in a running process, see ``following``."""
        self.policy, self.environ = policy, environ
        self.clock, self.monotonic, self._random = clock, monotonic, random_bits
        self.timestamp: Timestamp = timestamp or (lambda _headers: clock())
        self.max_body = size(policy.server.max_body)
        self.prices = price_book(policy)
        self.able = abilities(policy.providers, policy.models, capability_book(policy, self.prices).find)
        self.journal = (
            before.journal if before else Journal(Path(policy.store.journal), clock, fsync=policy.store.fsync)
        )
        self.keys = before.keys if before else KeyRing(Path(policy.store.keys))
        self.readings = before.readings if before else Readings()
        self._pulse_file, self.began = pulse.lock_file(Path(policy.store.path)), before.began if before else clock()
        self.cache_problem: str | None = None
        self.answers = (before.answers if before else None) or self._open_answers()
        self.questions = (before.questions if before else None) or self._open_questions()
        self._has_files = True
        # What was learned of the providers holds as long as they and their keys are the same; likewise what is owed.
        same = before and (before.policy.providers, before.environ) == (policy.providers, environ)
        self.health = before.health if before and same else Health()
        self.gates = before.gates if before and before.policy.rates == policy.rates else self._new_gates()
        self._pool: Pool | None = None
        self._pools: Mapping[str, Pool] = {}
        self._handler: Handler | None = None
        self.observers = before.observers if before else Observers(observers)
        self._settler = Settler(self.journal, self.monotonic, self._shape, self._cost_at, self.observers.tell)

    async def start(self) -> None:
        """Open what needs a running event loop."""
        server = self.policy.server
        self._pool = open_pool(
            connect_timeout=seconds(server.connect_timeout),
            read_timeout=seconds(server.read_timeout),
            environ=self.environ,
            monotonic=self.monotonic,
        )
        if any(one.via for one in self.policy.providers.values()):
            from farthing.upstream.litellm_pool import litellm_pools

            self._pools = await litellm_pools(self.policy.providers, seconds(server.read_timeout))
        sender = Sender(
            pool=self._pool,
            pools=self._pools,
            providers=self.policy.providers,
            journal=self.journal,
            attempt=partial(Attempt, price_of=self.price_of, estimate=estimate, monotonic=self.monotonic),
            settle=self._settler.settle,
            meanwhile=self._meanwhile,
            drains=Drains(server.hangup, seconds(server.hangup_limit)),
        )
        self._handler = pipeline(
            settle=self._settler.stage,
            recall=self._recall(),
            reach=self._reach(),
            cross=Cross(self._traits_of).stage,
            send=sender.handle,
        )

    async def following(self, policy: Policy, environ: Mapping[str, str]) -> Runtime:
        """A started runtime with other settings, which may differ from these as ``policy.change`` says.

        Journal, cache and keys are its own from now on: a file has one owner in a process. This one goes on with what
        it has begun, and has to be stopped then, before its successor is. Raises ``FarthingError``: all stays as it is.
        """
        new = Runtime(
            policy,
            environ,
            clock=self.clock,
            monotonic=self.monotonic,
            random_bits=self._random,
            timestamp=self.timestamp,
            before=self,
        )
        await new.start()
        self._has_files = False
        return new

    async def stop(self) -> None:
        """Close everything; what is in flight has ended."""
        for pool in filter(None, (self._pool, *self._pools.values())):
            await pool.close()
        if not self._has_files:
            return
        if self.questions is not None:
            self.questions.close()
        if self.answers is not None:
            self.answers.close()
        self.journal.close()
        await self.observers.close()

    @property
    def handle(self) -> Handler:
        """The pipeline."""
        if self._handler is None:
            raise RuntimeError("the runtime has not been started")
        return self._handler

    def refuse(self, exchange: Exchange, problem: RequestError) -> Reply:
        """The answer to a request that is not served, which is in the ledger all the same."""
        return self._settler.refuse(exchange, problem)

    def hung_up(self, exchange: Exchange) -> None:
        """The client left before its request was complete."""
        self._settler.settle(exchange, CLIENT_GONE)

    def settle(self, exchange: Exchange) -> None:
        """Somebody else has carried this out: it is in the ledger as if it had been done here."""
        self._settler.settle(exchange)

    def new_id(self) -> str:
        """An id for a request. It begins with the time, so that new rows stand together in the ledger."""
        return f"fr_{int(self.clock() * 1000):012x}{self._random(64):016x}"

    def rename_model(self, body: bytes, model: str) -> bytes:
        """The body with the model's name at the provider."""
        return replace_top_level(body, "model", msgspec.json.encode(model))

    def problems(self) -> list[str]:
        """Why no more requests should come here: what they cost would not get into the ledger. Empty if all is well."""
        last = pulse.read(self._pulse_file)
        found = (journal_problem(self.journal.health()), keeper_problem(last, self.began, self.clock()))
        return [one for one in found if one is not None]

    def notes(self) -> list[str]:
        """What does not work and keeps no request from being served."""
        return [self.cache_problem] if self.cache_problem else []

    def cache_stats(self) -> Stats | None:
        """How full the cache is; ``None`` where there is none, or it cannot be read. Blocking."""
        with contextlib.suppress(lmdb.Error):
            return None if self.answers is None else self.answers.stats()
        return None

    def _open_answers(self) -> AnswerStore | None:
        """The cache fails open: without it, farthing is a gateway that saves nothing, and says so."""
        cache = self.policy.cache
        if not cache.exact:
            return None
        try:
            answers = open_answers(Path(self.policy.store.cache), size(cache.max_size), self.clock)
        except StoreError as problem:
            self.cache_problem = f"the cache is off: {problem}"
            return None
        if answers.message is not None:
            log.warning("%s", answers.message)
        return answers

    def _open_questions(self) -> Questions | None:
        """Without them only the very same request is answered."""
        if self.answers is None or not self.policy.cache.semantic:
            return None
        from farthing.levers.recall.semantic.questions import open_questions

        try:
            return open_questions(self.answers, self.clock)
        except StoreError as problem:
            self.cache_problem = f"the semantic cache is off: {problem}"
            return None

    def _similar(self) -> Similar | None:
        """The half of the cache that goes by meaning. What observes keeps no texts where none are wanted."""
        policy = self.policy
        wanted = policy.cache.semantic and (policy.mode == "save" or policy.store.examples)
        if self.questions is None or self.answers is None or not wanted:
            return None
        from farthing.levers.recall.semantic.recall import Similar
        from farthing.levers.recall.semantic.static import shipped

        try:
            encoder = shipped()
        except (OSError, ValueError) as problem:
            self.cache_problem = f"the semantic cache is off: {problem}"
            return None
        return Similar(self.questions, self.answers, encoder, policy.cache.threshold)

    def _recall(self) -> Stage | None:
        cache = self.policy.cache
        if self.answers is None or not cache.exact:
            return None
        return Recall(
            self.answers,
            cost_of=self._cost_of,
            cached_from=lambda provider, model: self.able(provider, model).cache_minimum,
            ttl_s=seconds(cache.ttl),
            wait_s=seconds(cache.wait),
            per_user=cache.scope == "user",
            similar=self._similar(),
        ).stage

    def _new_gates(self) -> Gates:
        return Gates(self.policy.rates, self.policy.server.workers, self.monotonic)

    def _reach(self) -> Stage | None:
        has_ways = any(one.base_urls or one.api_key_envs for one in self.policy.providers.values())
        if self.policy.mode == "observe" and not has_ways:
            return None  # there is nothing to choose and nothing to try
        retries = self.policy.retries
        limits = Limits(retries.attempts, seconds(retries.deadline), retries.budget)
        return Reach(
            Ways(self.policy, self.environ, self.prices.maker),
            self.health,
            Guide(self.health, self.gates, limits),
            deadline_s=limits.deadline_s,
            timing=Timing(self.clock, self.monotonic, lambda: self._random(53) / 2**53, asyncio.sleep),
            fit=Fit(self.able, self.policy.providers),
            rename=self.rename_model,
        ).stage

    def _traits_of(self, provider: str, model: str | None) -> Traits:
        return traits_of(self.able(provider, model or ""), self.policy.providers[provider])

    def price_of(self, exchange: Exchange) -> Price:
        """The prices that hold for a call of this exchange."""
        target = exchange.target
        return lambda model, usage, tier: self._price(exchange, target, model, usage, tier)

    def _price(self, exchange: Exchange, target: Target, model: str, usage: Usage, tier: str | None) -> Priced:
        return self.prices.price(target.provider, target.api, model, usage, exchange.ts, tier)

    def _cost_of(self, exchange: Exchange, model: str, usage: Usage) -> int | None:
        return self._price(exchange, exchange.target, model, usage, exchange.facts.service_tier).cost_nano

    def _cost_at(self, exchange: Exchange, target: Target, call: Call) -> int | None:
        """What a call would have cost at another model: its tokens as that one's maker counts them."""
        if call.usage is None:
            return None
        usage = tokens.recounted(call.usage, call.model, target.model)
        return self._price(exchange, target, target.model or "", usage, exchange.facts.service_tier).cost_nano

    def _meanwhile(self, exchange: Exchange) -> None:
        """While the provider works: what the ledger needs and the provider does not."""
        tally = exchange.tally
        if tally.shape is None and not tally.settled:
            tally.shape = self._shape(exchange.client or exchange)
        for chore in tally.chores:
            chore()
        tally.chores.clear()  # they hold the exchange: one cycle less for the collector to stop everything for

    def _shape(self, exchange: Exchange) -> Shape | None:
        if not exchange.body:
            return None
        shape = shape_of(exchange.wire.name, prompt_of(exchange), self.policy.store.examples)
        if exchange.tally.cache == "exact":
            self.readings.keep(exchange, shape)
        return shape


def price_book(policy: Policy) -> PriceBook:
    """The prices of these settings. Raises ``PriceError``."""
    own = Path(policy.prices.file) if policy.prices.file else None
    return PriceBook.load(own, Path(policy.store.prices), sellers(policy.providers))


def capability_book(policy: Policy, prices: PriceBook) -> CapabilityBook:
    """What models can do, by the built-in data."""
    return CapabilityBook(prices.catalog, sellers=sellers(policy.providers))


def estimate(exchange: Exchange, text: str) -> Usage | None:
    """Token counts where a reply carried no usage; ``None`` for calls whose bill is not in tokens."""
    if exchange.wire.operation not in {"chat", "embeddings"}:
        return None
    return tokens.estimate(prompt_of(exchange), text, exchange.target.model, body_bytes=len(exchange.body))
