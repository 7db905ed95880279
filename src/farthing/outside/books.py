"""The ledger for calls that others make: entered by the engine of this process, in its own thread."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from farthing.exchange import Exchange, Tally, Target
from farthing.insight.shape import shape_of
from farthing.ledger.records import Call
from farthing.levers.recall.answer import Answer
from farthing.outside.told import Told, api_of, price_list
from farthing.pipeline.identify import caller_of
from farthing.pipeline.runtime import Runtime, estimate
from farthing.pipeline.settlement import billable, close_call
from farthing.policy import Policy
from farthing.sdk.engine import Seat
from farthing.sdk.engines import ENGINES
from farthing.sdk.settings import setup_of
from farthing.types import Facts, Outcome, Prompt, Usage
from farthing.wire.routes import wire_for

log = logging.getLogger("farthing")

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
LEVER = "exact"


class Recorder(Protocol):
    """Takes what a neighbour tells; never raises, and is quick."""

    def record(self, told: Told) -> None: ...
    def cached(self, told: Told, lever: str) -> None: ...


class Books:
    """Implements ``Recorder``. Safe for any number of threads; the files are opened when they are first needed."""

    def __init__(
        self, config: str | os.PathLike[str] | Policy | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        """Settings as ``farthing.wrap`` takes them. Raises ``ConfigError``."""
        self._setup = setup_of(config, None, environ)

    @property
    def policy(self) -> Policy:
        return self._setup.policy

    def begin(self) -> None:
        """Open the ledger's files now. Raises ``StoreError`` if they cannot be used."""
        ENGINES.seat(self._setup)

    def seat(self) -> Seat | None:
        """Where these settings are at work; ``None`` if it cannot begin, which the log says."""
        return ENGINES.working_seat(self._setup)

    def record(self, told: Told) -> None:
        """Enter a call."""
        self._later(lambda runtime: _enter(runtime, told))

    def cached(self, told: Told, lever: str) -> None:
        """Enter a request that the cache of somebody else has answered: its saving is that lever's."""
        self._later(lambda runtime: _enter_cached(runtime, told, told.outcome.usage, lever))

    def served(self, named: Mapping[str, str], answer: Answer, usage: Usage | None, prompt: Prompt) -> None:
        """Enter a request that an answer was there for. ``usage``: what sending it would have been billed for."""
        self._later(lambda runtime: _enter_hit(runtime, named, answer, usage, prompt))

    def _later(self, enter: Callable[[Runtime], None]) -> None:
        """In the engine's thread. A ledger that fails must not fail a call."""
        try:
            seat = self.seat()
            if seat is not None:
                seat.engine.loop.call_soon_threadsafe(_openly, enter, seat.runtime)
        except Exception:
            log.exception("a call is not in the ledger")


def shared(config: str | os.PathLike[str] | Policy | None) -> Books:
    """The ones of these settings: a file is read once in a process."""
    return Books(config) if isinstance(config, Policy) else _of_file(None if config is None else os.fspath(config))


@lru_cache
def _of_file(config: str | None) -> Books:
    return Books(config)


def _openly(enter: Callable[[Runtime], None], runtime: Runtime) -> None:
    try:
        enter(runtime)
    except Exception:
        log.exception("a call is not in the ledger")


def _enter(runtime: Runtime, told: Told) -> None:
    exchange = _exchange(runtime, told)
    tally = exchange.tally
    tally.status = told.status
    call = Call(
        id=f"{exchange.id}.1",
        provider=exchange.target.provider,
        model=told.model,
        started=told.started,
        status=told.status,
        error=told.error,
        latency_us=round(told.latency_s * 1e6),
        ttft_us=None if told.ttft_s is None else round(told.ttft_s * 1e6),
    )
    closed = close_call(
        call,
        told.outcome,
        billable=billable("POST", exchange.wire.operation, exchange.path),
        price=runtime.price_of(exchange),
        estimate=lambda: estimate(exchange, told.text),
    )
    tally.calls.append(closed)
    tally.served_model = closed.model_reported or closed.model
    if told.ttft_s is not None:
        tally.first_byte_at = exchange.begun + told.ttft_s
    tally.upstream_s = told.latency_s if told.ttft_s is None else told.ttft_s
    runtime.settle(exchange)


def _enter_hit(runtime: Runtime, named: Mapping[str, str], answer: Answer, usage: Usage | None, prompt: Prompt) -> None:
    outcome = Outcome(model=answer.model_reported)
    told = Told(named, answer.provider, answer.model, prompt, outcome, "", runtime.clock(), 0.0)
    _enter_cached(runtime, told, usage, LEVER)


def _enter_cached(runtime: Runtime, told: Told, usage: Usage | None, lever: str) -> None:
    """The baseline is the price of the usage that sending it would have been billed for, if that is known."""
    exchange = _exchange(runtime, told)
    tally = exchange.tally
    tally.status, tally.cache, tally.as_sent = 200, "exact", False
    tally.served_model = told.outcome.model or told.model
    if usage is not None:
        tally.baseline_nano = runtime.price_of(exchange)(tally.served_model or "", usage, None).cost_nano
    if tally.baseline_nano is not None:
        tally.saved.append((lever, tally.baseline_nano))
    runtime.settle(exchange)


def _exchange(runtime: Runtime, told: Told) -> Exchange:
    api = api_of(told.provider)
    path = told.path or PATHS[api]
    wire = wire_for("POST", path)
    return Exchange(
        id=runtime.new_id(),
        ts=told.started,
        begun=runtime.monotonic() - told.latency_s,
        method="POST",
        path=path,
        headers=list(told.trace),
        body=b"",
        upload=None,
        wire=wire,
        facts=Facts(model=told.model, stream=told.stream),
        caller=caller_of(told.named, Facts(), None),
        target=Target(price_list(told.provider), "", told.model, None, api),
        credential=b"",
        mode=runtime.policy.mode,
        cache_wish=None,
        tally=Tally(prompt=told.prompt, shape=shape_of(wire.name, told.prompt, runtime.policy.store.examples)),
    )
