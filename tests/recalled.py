"""The cache's stage by itself: a provider that is a function, a store that is a dictionary, a clock that is a field."""

import json

from farthing.exchange import Exchange, Finished, Reply, Tally, Target
from farthing.ledger.records import Call
from farthing.levers.recall.lever import Recall
from farthing.types import Caller, Usage
from farthing.wire.routes import wire_for

USAGE = Usage(input=2000, output=10)
BODY = {"model": "m", "messages": [{"role": "user", "content": "How do I top up my card?"}]}
PLAIN = json.dumps(
    {"id": "c", "model": "m-1", "choices": [{"message": {"content": "So."}, "finish_reason": "stop"}],
     "usage": {"prompt_tokens": 2000, "completion_tokens": 10}}
).encode()  # fmt: skip


class Shelf:
    """Answers in a dictionary; expiry is the store's own business and tested there."""

    def __init__(self):
        self.answers, self.touched = {}, []

    def get(self, key, now):
        return self.answers.get(key)

    def put(self, key, answer, now):
        self.answers[key] = answer
        return True

    def touch(self, key):
        self.touched.append(key)


class Provider:
    """The stages that follow: answers as the sender does, and counts."""

    def __init__(self, reply=PLAIN, usage=USAGE, status=200):
        self.reply, self.usage, self.status, self.calls = reply, usage, status, 0
        self.gate = None

    async def __call__(self, exchange):
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        outcome = exchange.wire.outcome(self.reply, self.status)
        call = Call(
            id="c", provider="p", model="m", started=exchange.ts, status=self.status, usage=self.usage,
            model_reported=outcome.model, cost_nano=cost(exchange, "m", self.usage),
        )  # fmt: skip
        finished = Finished(call, outcome, streamed=False, content_type="application/json", body=self.reply)
        for learner in exchange.tally.learners:
            learner(finished)
        return Reply(self.status, [], self.reply)


def cost(_exchange, _model, usage):
    """A nano-dollar a token, a cached one a tenth of that: in tenths."""
    return None if usage is None else 10 * (usage.input + usage.output) + usage.cache_read


def ask(body=BODY, *, ts=1000.0, mode="save", wish=None, tenant="a", user=None, method="POST", headers=()):
    raw = json.dumps(body).encode()
    wire = wire_for("POST", "/v1/chat/completions")
    return Exchange(
        id="r", ts=ts, begun=0.0, method=method, path="/v1/chat/completions", headers=list(headers), body=raw,
        upload=None, wire=wire, facts=wire.facts(raw), caller=Caller(tenant=tenant, user=user),
        target=Target("p", "http://p", "m", None), credential=b"c", mode=mode, cache_wish=wish, tally=Tally(),
    )  # fmt: skip


def unknown(_provider, _model):
    return None


def recall(shelf=None, **changes):
    options = {"cost_of": cost, "cached_from": unknown, "ttl_s": 3600.0, "wait_s": 30.0, "per_user": False} | changes
    return Recall(shelf or Shelf(), **options)
