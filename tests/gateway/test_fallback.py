"""Several ways to an answer, through a running gateway: other keys, other endpoints, other models."""

import asyncio
from collections import Counter

import openai
import pytest

from farthing.policy.model import Provider, Rates, Retries, Tiers
from farthing.simulator import Faults
from farthing.simulator.server import Control

CHAT = "/v1/chat/completions"
KEYS = {"OPENAI_API_KEY": "sk-env", "ANTHROPIC_API_KEY": "sk-ant-env", "SECOND": "sk-second", "OTHER": "sk-other"}
NO_KEY = {"authorization": None}


@pytest.fixture
async def second(simulate):
    async with simulate() as running:
        yield running


def faults(sim, **models):
    sim.control(Control(reset=True, faults={name.replace("_", "-"): one for name, one in models.items()}))


async def use_up(sim):
    """Somebody else uses the minute's only request."""
    async with openai.AsyncOpenAI(base_url=sim.openai_url, api_key="any", max_retries=0) as client:
        await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])


async def asked(house, text="What does a card cost?", **headers):
    return await house.say(text, model="gpt-4o", headers=NO_KEY | headers)


def other(sim):
    return {"other": Provider(sim.openai_url, "openai", "OTHER")}


@pytest.fixture
async def pair(start, sim, second):
    """A gateway whose gpt-4o falls back to another provider's gpt-4o-mini."""
    return await start(
        sim,
        environ=KEYS,
        providers=other(second),
        fallback={"gpt-4o": ("other/gpt-4o-mini",)},
        retries=Retries(attempts=1),
    )


@pytest.mark.parametrize(
    "fault",
    [Faults(rpm=1), Faults(p_error=1.0), Faults(p_overloaded=1.0), Faults(p_reset=1.0), Faults(p_quota=1.0)],
    ids=["429", "500", "503", "reset", "quota"],
)
async def test_another_model_takes_over(pair, sim, second, fault):
    sim.control(Control(faults={"gpt-4o": fault}))
    if fault.rpm:
        await use_up(sim)
    told = await asked(pair)
    assert told.status == 200
    assert (told.get("x-farthing-provider"), told.get("x-farthing-model")) == ("other", "gpt-4o-mini-2024-07-18")
    assert told.get("x-farthing-route").startswith("fallback other/gpt-4o-mini: openai/gpt-4o ")
    row = pair.row
    assert (row.provider, row.model, row.served_model) == ("openai", "gpt-4o", "gpt-4o-mini-2024-07-18")
    assert [call.provider for call in row.calls] == ["openai", "other"]
    assert [call.cost_nano for call in row.calls] == [0, second.invoice.total_nano_usd]
    assert row.baseline_nano > row.cost_nano
    assert row.saved == (("fallback", row.baseline_nano - row.cost_nano),)


async def test_the_baseline_is_what_the_model_asked_for_would_have_cost(pair, sim):
    sim.control(Control(faults={"gpt-4o": Faults(p_error=1.0)}))
    await asked(pair)
    faults(sim)
    (row,) = pair.rows
    usage = row.calls[-1].usage
    assert row.baseline_nano == usage.input * 2_500 + usage.cache_read * 1_250 + usage.output * 10_000


async def test_a_stream_is_taken_over_before_its_first_byte(pair, sim):
    sim.control(Control(faults={"gpt-4o": Faults(p_error=1.0)}))
    told = await pair.say("Hello", model="gpt-4o", stream=True, headers=NO_KEY)
    assert told.body.count(b"data: ") > 2
    assert b"data: [DONE]" in told.body
    row = pair.row
    assert (row.provider, [call.provider for call in row.calls]) == ("openai", ["openai", "other"])
    assert row.saved == (("fallback", row.baseline_nano - row.cost_nano),)
    assert '"saved_usd":"' in told.body.decode()


async def test_what_another_model_said_is_not_kept_for_the_one_that_was_asked_for(pair, sim):
    sim.control(Control(faults={"gpt-4o": Faults(p_error=1.0)}))
    assert (await asked(pair)).get("x-farthing-provider") == "other"
    faults(sim)
    while (told := await asked(pair)).get("x-farthing-provider") == "other":
        await asyncio.sleep(0.05)
    assert told.get("x-farthing-cache") == "miss"
    assert (await asked(pair)).get("x-farthing-cache") == "exact"


async def test_the_client_sees_what_its_own_model_said_if_nobody_can(pair, sim, second):
    sim.control(Control(faults={"gpt-4o": Faults(rpm=1)}))
    await use_up(sim)
    second.control(Control(faults={"*": Faults(p_error=1.0)}))
    told = await asked(pair)
    assert (told.status, told.error["code"]) == (429, "rate_limit_exceeded")
    assert [call.status for call in pair.row.calls] == [429, 500]


async def test_what_is_the_client_s_own_fault_goes_nowhere_else(pair, second):
    told = await pair.say(model="gpt-4o", messages=[{"role": "nobody", "content": "Hello"}], headers=NO_KEY)
    assert told.status == 400
    assert second.invoice.total_nano_usd == 0
    assert len(pair.row.calls) == 1


async def test_route_off_and_observe_stay_with_the_model(pair, sim):
    sim.control(Control(faults={"gpt-4o": Faults(p_error=1.0)}))
    for headers in ({"x_farthing_route": "off"}, {"x_farthing_mode": "observe"}):
        assert (await asked(pair, **headers)).status == 500
    assert all([call.provider for call in row.calls] == ["openai"] for row in pair.rows)


async def test_a_client_with_its_own_key_is_not_served_with_ours(pair, sim, second):
    """Who sends any key would have answers for nothing whenever the provider is down."""
    sim.control(Control(faults={"gpt-4o": Faults(p_error=1.0)}))
    told = await pair.say("Hello", model="gpt-4o")
    assert told.status == 500
    assert not second.received


async def test_overflow_within_the_tier(start, sim):
    house = await start(sim, environ=KEYS, tiers=Tiers(complex=("gpt-4o", "gpt-4.1")))
    sim.control(Control(faults={"gpt-4o": Faults(rpm=1)}))
    await use_up(sim)
    told = await asked(house)
    assert (told.status, told.get("x-farthing-model")) == (200, "gpt-4.1-2025-04-14")


async def test_it_moves_before_the_wall(start, sim, second):
    """The provider's headers say when there is no room; nobody has to run into the limit."""
    house = await start(sim, environ=KEYS, providers=other(second), fallback={"gpt-4o": ("other/gpt-4o",)})
    sim.control(Control(faults={"gpt-4o": Faults(rpm=5)}))
    for number in range(12):
        assert (await asked(house, f"Question {number}")).status == 200
    assert [call.status for row in house.rows for call in row.calls] == [200] * 12
    assert Counter(call.provider for row in house.rows for call in row.calls) == {"openai": 5, "other": 7}
    assert house.rows[-1].route == "fallback other/gpt-4o: openai/gpt-4o is at its limit"


async def test_keys_and_endpoints_share_the_load_and_a_session_stays(start, sim, second):
    provider = Provider(sim.openai_url, "openai", "OPENAI_API_KEY", (), (second.openai_url,), ("SECOND",))
    house = await start(sim, environ=KEYS, providers={"openai": provider})
    for number in range(40):
        await asked(house, f"Question {number}", x_farthing_session=f"s{number % 20}")
    seen = {}
    for name, one in (("first", sim), ("second", second)):
        for request in one.received:
            seen.setdefault((name, request.headers["authorization"]), []).append(request)
    assert len(seen) == 4
    assert sum(map(len, seen.values())) == 40
    again = Counter()
    for number in range(20):
        before = len(sim.received), len(second.received)
        await asked(house, f"And again {number}", x_farthing_session=f"s{number}")
        again["first" if len(sim.received) > before[0] else "second"] += 1
    assert again == {"first": sum(len(v) for (n, _), v in seen.items() if n == "first") // 2,
                     "second": sum(len(v) for (n, _), v in seen.items() if n == "second") // 2}  # fmt: skip


async def test_a_key_that_is_not_taken_is_left_alone(start, simulate):
    async with simulate(keys=["sk-second"]) as sim:
        provider = Provider(sim.openai_url, "openai", "OPENAI_API_KEY", (), (), ("SECOND",))
        house = await start(sim, environ=KEYS, providers={"openai": provider}, retries=Retries())
        for number in range(20):
            assert (await asked(house, f"Question {number}")).status == 200
        statuses = Counter(call.status for row in house.rows for call in row.calls)
        assert statuses == {200: 20, 401: 1}


async def test_killing_the_provider_costs_no_request_that_had_a_fallback(start, simulate, second):
    async with simulate() as sim:
        house = await start(sim, environ=KEYS, providers=other(second), fallback={"gpt-4o": ("other/gpt-4o",)})
        assert (await asked(house, "before")).get("x-farthing-provider") == "openai"
    told = await asyncio.gather(*(asked(house, f"while it is down {n}") for n in range(50)))
    assert {(one.status, one.get("x-farthing-provider")) for one in told} == {(200, "other")}
    refused = sum(call.status is None for row in house.rows for call in row.calls)
    for number in range(20):
        assert (await asked(house, f"later {number}")).status == 200
    later = sum(call.status is None for row in house.rows for call in row.calls) - refused
    assert later < 20, "the breaker keeps requests from running against a wall"


async def test_a_way_that_works_again_is_used_again(start, sim, second):
    house = await start(sim, environ=KEYS, providers=other(second), fallback={"gpt-4o": ("other/gpt-4o",)})
    sim.control(Control(faults={"gpt-4o": Faults(p_error=1.0)}))
    for number in range(5):
        assert (await asked(house, f"Question {number}")).get("x-farthing-provider") == "other"
    faults(sim)
    number = 0
    while (await asked(house, f"After {number}")).get("x-farthing-provider") == "other":
        number += 1
        await asyncio.sleep(0.05)
    for number in range(5):
        assert (await asked(house, f"Well again {number}")).get("x-farthing-provider") == "openai"


async def test_our_own_limit_overflows_before_it_waits(start, sim, second):
    house = await start(
        sim, environ=KEYS, providers=other(second), fallback={"gpt-4o": ("other/gpt-4o",)},
        rates={"openai": Rates(requests_per_minute=3, burst="60s")},
    )  # fmt: skip
    for number in range(6):
        assert (await asked(house, f"Question {number}")).status == 200
    assert Counter(row.calls[-1].provider for row in house.rows) == {"openai": 3, "other": 3}


async def test_our_own_limit_without_a_fallback_waits_or_refuses(start, sim):
    house = await start(
        sim, environ=KEYS, rates={"openai": Rates(requests_per_minute=600, burst="1s", wait="1s", queue=2)}
    )
    told = await asyncio.gather(*(asked(house, f"Question {n}") for n in range(14)))
    statuses = Counter(one.status for one in told)
    assert statuses[200] >= 10
    assert set(statuses) <= {200, 429}
    for one in told:
        if one.status == 429:
            assert one.error["code"] == "farthing_rate_limited"
            assert float(one.get("retry-after")) > 0
    assert all(call.status == 200 for row in house.rows for call in row.calls)


async def test_no_phantom_reservation(start, sim):
    """Whoever hangs up while waiting leaves nothing behind."""
    house = await start(sim, environ=KEYS, rates={"openai": Rates(requests_per_minute=60, burst="1s", queue=100)})
    waiting = [asyncio.create_task(asked(house, f"Question {n}")) for n in range(10)]
    await waiting[0]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (await asked(house, "after them")).status == 200


async def test_hits_take_no_room(start, sim):
    house = await start(sim, environ=KEYS, rates={"openai": Rates(requests_per_minute=1, burst="60s", wait="0s")})
    assert [(await asked(house)).status for _ in range(5)] == [200] * 5
    assert (await asked(house, "something else")).status == 429


@pytest.mark.parametrize("fault", [Faults(stream_error_after=0), Faults(drop_after=0)], ids=["error", "cut"])
async def test_a_stream_that_begins_with_an_error_is_taken_over(pair, sim, fault):
    sim.control(Control(faults={"gpt-4o": fault}))
    told = await pair.say("Hello", model="gpt-4o", stream=True, headers=NO_KEY)
    assert (told.status, told.get("x-farthing-provider")) == (200, "other")
    assert b"error" not in told.body
    assert b"data: [DONE]" in told.body
    assert [call.provider for call in pair.row.calls] == ["openai", "other"]


async def test_an_error_at_the_beginning_of_a_stream_reaches_the_client_if_nobody_takes_over(start, sim):
    house = await start(sim, environ=KEYS, retries=Retries(attempts=2))
    sim.control(Control(faults={"gpt-4o": Faults(stream_error_after=0)}))
    told = await house.say("Hello", model="gpt-4o", stream=True, headers=NO_KEY)
    assert told.status == 200
    assert b'"type":"server_error"' in told.body.replace(b" ", b"")
    assert [call.error for call in house.row.calls] == ["server_error"] * 2
    assert house.row.cost_nano == 0


async def test_the_limit_of_one_client_s_key_holds_up_nobody_else(start, sim):
    house = await start(sim, retries=Retries())
    sim.control(Control(faults={"gpt-4o": Faults(p_limited=1.0, retry_after_ms=3_600_000)}))
    assert (await house.say("Hello", model="gpt-4o")).status == 429
    faults(sim)
    told = await house.say("Hello", model="gpt-4o", headers={"authorization": "Bearer sk-sim-other"})
    assert told.status == 200
    assert len(house.rows[-1].calls) == 1


async def test_a_call_that_never_went_out_takes_no_room(start):
    house = await start(
        "http://127.0.0.1:1/v1", environ=KEYS, rates={"openai": Rates(requests_per_minute=1, burst="60s")}
    )
    for _ in range(3):
        assert (await asked(house)).error["code"] == "farthing_upstream_unreachable"
