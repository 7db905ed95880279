"""The simulated account: limits, dice, prompt cache, answers, invoice. No I/O; the server asks it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from farthing.simulator.answers import Answers, Ask, as_answer
from farthing.simulator.billing import Invoice, line_for
from farthing.simulator.caching import PromptCache, Split, prompt_tokens
from farthing.simulator.call import Call, Done, Refusal
from farthing.simulator.catalog import Catalog, Model
from farthing.simulator.faults import Bucket, Fate, Faults, fate_of, faults_for
from farthing.simulator.refusals import fault, limited, rate_limited, too_long
from farthing.simulator.wording import Ids, finished
from farthing.types import Clock, Usage

_UNLIMITED = (("requests", 10_000), ("tokens", 10_000_000))
"""What the rate limit headers say where no limit is set."""

FaultTable = Mapping[str, Faults]


class Work(msgspec.Struct, frozen=True):
    """A call that is taken on: what will be said, what it costs, how it will go."""

    call: Call
    done: Done
    split: Split
    fate: Fate
    faults: Faults
    ts: float
    path: str
    request_id: str


class Engine:
    """One account at one provider. ``clock`` gives the time of requests that do not tell theirs."""

    def __init__(self, catalog: Catalog, clock: Clock, answers: Answers, seed: int, faults: FaultTable) -> None:
        self.catalog = catalog
        self._clock = clock
        self._answers = answers
        self._start = (seed, dict(faults))
        self.reset()

    def reset(self) -> None:
        """Back to the state after the start: invoice, cache, limits, faults, dice and clock."""
        self.seed, self.faults = self._start[0], dict(self._start[1])
        self.invoice = Invoice()
        self.cache = PromptCache()
        self.ids = Ids(self.seed)
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._seen: Counter[bytes] = Counter()
        self._shift = 0.0

    def now(self) -> float:
        """The simulated time."""
        return self._clock() + self._shift

    def set_clock(self, now: float) -> None:
        """It is now this time, and it runs on from there."""
        self._shift = now - self._clock()

    def set_seed(self, seed: int) -> None:
        """New dice."""
        self.seed = seed
        self.ids = Ids(seed)
        self._seen.clear()

    def faults_of(self, model: Model) -> Faults:
        """The faults in force for a model."""
        return faults_for(self.faults, model.name, *model.aliases)

    def take(self, call: Call, digest: bytes, ts: float, path: str, request_id: str) -> Work:
        """The call is taken on, or refused (raises ``Refusal``). ``digest`` stands for the request's bytes."""
        self._check_window(call)
        self._seen[digest] += 1
        faults = _at(self.faults_of(call.model), self._seen[digest])
        fate = fate_of(faults, self.seed, digest, self._seen[digest])
        split = self.cache.look(call, ts)
        if fate.reset:
            return Work(call, Done("", 0, (), Usage()), split, fate, faults, ts, path, request_id)
        self._check_limits(call.model, faults, _limited_tokens(call, split))
        if fate.refused == "limited":
            raise limited(call.model.api, call.model.name, faults.retry_after_ms)
        if fate.refused:
            raise fault(call.model.api, fate.refused)
        done = self._compose(call, split, ts, faults)
        if bucket := self._buckets.get((call.model.name, "tokens")):
            bucket.spend(done.usage.output)
        return Work(call, done, split, fate, faults, ts, path, request_id)

    def begin(self, work: Work) -> None:
        """The reply begins: from now on its prompt is in the cache."""
        self.cache.write(work.split, work.ts)

    def book(self, work: Work, sent: int | None = None) -> None:
        """The line on the invoice; ``sent`` output tokens if the reply broke off."""
        usage = work.done.usage
        if sent is not None:
            usage = msgspec.structs.replace(usage, output=sent, reasoning=min(sent, usage.reasoning))
        line = line_for(
            work.call.model,
            usage,
            request_id=work.request_id,
            response_id=work.done.id,
            path=work.path,
            tier=work.call.tier,
            ts=work.ts,
            complete=sent is None,
        )
        self.invoice.lines.append(line)

    def limits(self, model: Model) -> list[tuple[str, int, int, float]]:
        """What the headers tell: name, limit, what is left, seconds until it is full again."""
        now = self.now()
        told: list[tuple[str, int, int, float]] = []
        for name, unlimited in _UNLIMITED:
            bucket = self._buckets.get((model.name, name))
            if bucket is None:
                told.append((name, unlimited, unlimited - 1, 0.0))
            else:
                told.append((name, bucket.per_minute, bucket.left(now), bucket.full_in(now)))
        return told

    def _compose(self, call: Call, split: Split, ts: float, faults: Faults) -> Done:
        choices = tuple(finished(call, self._answer(call, at), self.ids) for at in range(call.n))
        output = 0 if call.model.embedding else sum(choice.tokens for choice in choices)
        usage = msgspec.structs.replace(
            split.usage, output=output, reasoning=sum(choice.reasoning for choice in choices)
        )
        return Done(self._response_id(call.model), int(ts), choices, usage, _report(faults))

    def _answer(self, call: Call, choice: int) -> Any:  # noqa: ANN401 - an Answer
        ask: Ask = msgspec.structs.replace(call.ask, choice=choice)
        try:
            return as_answer(self._answers(ask))
        except Exception as error:  # a hook of the user's: the client shall see what went wrong
            message = f"the simulator's answers hook failed: {error!r}"
            raise Refusal(
                500, message, type="api_error" if call.model.api == "anthropic" else "server_error"
            ) from error

    def _response_id(self, model: Model) -> str:
        return self.ids.new("msg_01", 22) if model.api == "anthropic" else self.ids.new("", 29)

    def _check_window(self, call: Call) -> None:
        prompt, output = prompt_tokens(call.blocks), call.ask.max_output or 0
        counted = prompt if call.model.api == "anthropic" else prompt + output
        if not call.model.embedding and counted > call.model.context:
            raise too_long(call.model.api, prompt, output, call.model.context)

    def _check_limits(self, model: Model, faults: Faults, prompt: int) -> None:
        now = self.now()
        for name, limit, amount in (("requests", faults.rpm, 1), ("tokens", faults.tpm, prompt)):
            key = (model.name, name)
            if limit is None:
                self._buckets.pop(key, None)
                continue
            if key not in self._buckets or self._buckets[key].per_minute != limit:
                self._buckets[key] = Bucket(limit, now)
            if wait := self._buckets[key].take(amount, now):
                raise rate_limited(model.api, model.name, name, limit, wait)


def _at(faults: Faults, occurrence: int) -> Faults:
    """The faults for the n-th time that the same request comes."""
    return faults if faults.times is None or occurrence <= faults.times else Faults()


def _limited_tokens(call: Call, split: Split) -> int:
    """What counts against the token limit: on Anthropic all but cache reads."""
    usage = split.usage
    return usage.prompt_tokens - (usage.cache_read if call.model.api == "anthropic" else 0)


def _report(faults: Faults) -> Literal["once", "twice", "never", "zero", "last_choice"]:
    if faults.no_usage:
        return "never"
    if faults.zero_usage:
        return "zero"
    if faults.usage_on_last_choice:
        return "last_choice"
    return "twice" if faults.usage_twice else "once"


def duration(seconds: float) -> str:
    """A time as OpenAI writes it in its headers: ``1s``, ``6m0s``, ``120ms``.

    >>> duration(0.12), duration(1), duration(360), duration(0)
    ('120ms', '1s', '6m0s', '0s')
    """
    if 0 < seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
