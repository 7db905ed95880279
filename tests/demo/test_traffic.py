"""The demo's month: reproducible, of the promised shape, understood by the providers it is sent to."""

import json
from collections import Counter, defaultdict

import pytest

from farthing.demo.replay import replay
from farthing.demo.sample import load_sample
from farthing.demo.traffic import DAYS, DemoRequest, make_traffic
from farthing.simulator import Faults, Simulator

NOW = 1_760_000_000.0


@pytest.fixture(scope="module")
def sample():
    return load_sample()


@pytest.fixture(scope="module")
def traffic(sample):
    return make_traffic(sample, 1, NOW)


def headers(traffic, name):
    return Counter(request.headers.get(f"x-farthing-{name}") for request in traffic)


def test_the_same_seed_and_time_make_the_same_month(sample, traffic):
    assert make_traffic(sample, 1, NOW) == traffic
    assert make_traffic(sample, 2, NOW) != traffic


def test_thirty_days_in_order_that_end_now(traffic):
    times = [request.ts for request in traffic]
    assert times == sorted(times)
    assert NOW - (DAYS + 1) * 86_400 < times[0] < NOW - (DAYS - 2) * 86_400
    assert NOW - 86_400 < times[-1] <= NOW
    assert all(float(request.headers["x-sim-ts"]) == pytest.approx(request.ts, abs=1e-3) for request in traffic)


def test_days_are_busier_than_nights(traffic):
    hours = Counter(int(request.ts // 3600) % 24 for request in traffic)
    assert sum(hours[hour] for hour in range(9, 18)) > 5 * sum(hours[hour] for hour in (23, 0, 1, 2, 3, 4, 5))


def test_who_asks_for_what(traffic):
    assert len(traffic) == pytest.approx(1800, abs=10)
    assert len(headers(traffic, "feature")) == 10
    assert len(headers(traffic, "tenant")) == 3
    assert len(headers(traffic, "user")) == 62
    first, *_, last = headers(traffic, "user").most_common()
    assert first[1] > 10 * last[1]
    tenants = defaultdict(set)
    for request in traffic:
        tenants[request.headers["x-farthing-user"]].add(request.headers["x-farthing-tenant"])
    assert all(len(found) == 1 for found in tenants.values())


def test_wires_streams_and_repeats(traffic):
    bodies = [json.loads(request.body) for request in traffic]
    assert {request.path for request in traffic} == {
        "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/messages",
    }  # fmt: skip
    streamed = sum(bool(body.get("stream")) for body in bodies)
    assert 0.4 < streamed / len(bodies) < 0.8
    distinct = {(request.path, request.body) for request in traffic}
    assert 0.6 < len(distinct) / len(traffic) < 0.9


async def test_every_request_is_answered_and_few_features_make_most_of_the_bill(traffic):
    seen = []
    async with Simulator() as sim:
        done = await replay(traffic, sim.url, 8, seen.append)
        assert (done.ok, done.errors, done.statuses) == (len(traffic), 0, {200: len(traffic)})
        assert seen[-1] == len(traffic)
        features = {float(r.headers["x-sim-ts"]): r.headers["x-farthing-feature"] for r in traffic}
        costs = Counter()
        for line in sim.invoice.lines:
            costs[features[line.ts]] += line.nano_usd
        assert sum(cost for _, cost in costs.most_common(3)) > 0.7 * sim.invoice.total_nano_usd
        assert sim.invoice.total_nano_usd > 10**9
        assert any(line.tokens.cache_read for line in sim.invoice.lines)


async def test_errors_are_counted_and_never_raised():
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}).encode()
    request = DemoRequest(0.0, "openai", "/v1/chat/completions", body, {"authorization": "Bearer k"})
    async with Simulator(faults={"*": Faults(p_error=0.5, p_reset=0.5)}) as sim:
        done = await replay([request] * 40, sim.url)
        url = sim.url
    assert done.ok + done.errors == 40
    assert set(done.statuses) == {0, 200, 500}
    gone = await replay([request], url)
    assert gone.statuses == {0: 1}
