"""Requests of every kind, for hypothesis."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from farthing.ledger.records import Call, Settled, Shape
from farthing.types import Caller, Usage

from .conftest import NOW

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Whole requests take a while to make up, the longer the busier the machine is."""

counts = st.integers(0, 5_000)
amounts = st.integers(0, 10**10)
names = st.sampled_from(["a", "b", "é\n'"])
maybe = st.none() | names
usages = st.builds(Usage, *[counts] * 12)
times = st.integers(int(NOW - 100_000) * 10**6, int(NOW) * 10**6).map(lambda micro: micro / 10**6)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    source = draw(st.sampled_from(["usage", "estimated", "unpriced", "free", "unsettled"]))
    cost = {"unpriced": None, "unsettled": None, "free": 0}.get(source, draw(amounts))
    return Call(
        id=draw(names),
        provider=draw(st.sampled_from(["openai", "anthropic"])),
        model=draw(maybe),
        started=draw(times),
        purpose=draw(st.sampled_from(["answer", "judge"])),
        model_reported=draw(maybe),
        status=draw(st.none() | st.sampled_from([200, 429, 500])),
        error=draw(maybe),
        usage=draw(st.none() | usages),
        raw_usage=draw(maybe),
        cost_nano=cost,
        cost_source=source,
        latency_us=draw(st.none() | amounts),
    )


@st.composite
def requests(draw: st.DrawFn, ids: st.SearchStrategy[str] = st.uuids().map(str)) -> Settled:
    its = tuple(draw(st.lists(calls(), max_size=3)))
    known = [call.cost_nano for call in its]
    cost = None if None in known else sum(cost for cost in known if cost is not None)
    return Settled(
        id=draw(ids),
        ts=draw(times),
        caller=Caller(draw(st.sampled_from(["acme", "globex"])), draw(maybe), draw(maybe), draw(maybe), (("k", "v"),)),
        wire="openai.chat",
        path="/v1/chat/completions",
        provider=draw(maybe),
        model=draw(maybe),
        stream=draw(st.booleans()),
        served_model=draw(maybe),
        status=draw(st.none() | st.sampled_from([200, 404, 502])),
        error=draw(st.sampled_from([None, "cut", "client_gone"])),
        cache=draw(st.sampled_from(["off", "miss", "exact", "semantic"])),
        would_cache=draw(st.sampled_from([None, "miss", "exact", "semantic"])),
        calls=its,
        cost_nano=cost,
        baseline_nano=draw(st.none() | amounts),
        saved=tuple(draw(st.lists(st.tuples(st.sampled_from(["recall", "route"]), st.integers(-(10**9), 10**9)), max_size=2))),
        would_save=tuple(draw(st.lists(st.tuples(st.sampled_from(["recall", "fit"]), amounts), max_size=2))),
        latency_us=draw(st.none() | amounts),
        ttft_us=draw(st.none() | amounts),
        overhead_us=draw(st.none() | amounts),
        shape=draw(st.none() | st.builds(Shape, names, st.just(()), names, names)),
    )  # fmt: skip
