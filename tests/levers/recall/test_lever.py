import asyncio

import msgspec
import pytest
from tests.recalled import BODY, PLAIN, USAGE, Provider, Shelf, ask, cost, recall

from farthing.exchange import Target
from farthing.levers.recall.warmth import Warmth
from farthing.types import Usage


async def test_a_hit_within_minutes_is_compared_with_the_provider_s_own_cache():
    stage, provider = recall(), Provider()
    first, soon, late = ask(), ask(ts=1000.0 + 60), ask(ts=1000.0 + 60 + 601)
    for exchange in (first, soon, late):
        await stage.stage(exchange, provider)
    assert provider.calls == 1
    # 1,920 of 2,000 tokens would have been read from the provider's cache; after ten idle minutes none.
    assert soon.tally.baseline_nano == 10 * (80 + 10) + 1920
    assert late.tally.baseline_nano == cost(None, "m", USAGE)
    assert [dict(one.tally.saved) for one in (first, soon, late)] == [
        {}, {"exact": soon.tally.baseline_nano}, {"exact": late.tally.baseline_nano},
    ]  # fmt: skip


async def test_a_hit_without_a_known_price_claims_nothing():
    stage, provider = recall(cost_of=lambda *_: None), Provider()
    hit = ask()
    await stage.stage(ask(), provider)
    await stage.stage(hit, provider)
    assert (hit.tally.cache, hit.tally.baseline_nano, hit.tally.saved) == ("exact", None, [])


@pytest.mark.parametrize(
    "one",
    [
        ask(method="GET"), ask(wish="no-store"), ask({**BODY, "n": 2}),
        ask({**BODY, "tools": [{"type": "function", "function": {"name": "f"}}]}),
    ],
)  # fmt: skip
async def test_what_may_not_be_recalled_leaves_no_trace(one):
    shelf, provider = Shelf(), Provider()
    await recall(shelf).stage(one, provider)
    assert (one.tally.cache, one.tally.learners, shelf.answers) == ("off", [], {})


@pytest.mark.parametrize(
    "provider",
    [Provider(status=500), Provider(b"{}"), Provider(PLAIN.replace(b'"stop"', b'"length"')), Provider(b"")],
)
async def test_what_may_not_be_kept_is_not(provider):
    shelf = Shelf()
    await recall(shelf).stage(ask(), provider)
    assert shelf.answers == {}


async def test_users_are_kept_apart_on_demand():
    for per_user, calls in ((False, 1), (True, 2)):
        stage, provider = recall(per_user=per_user), Provider()
        for user in ("ada", "grace", "ada"):
            await stage.stage(ask(user=user), provider)
        assert provider.calls == calls


async def test_observe_keeps_no_text():
    shelf, provider = Shelf(), Provider()
    stage = recall(shelf)
    for _ in range(2):
        seen = ask(mode="observe")
        await stage.stage(seen, provider)
    assert provider.calls == 2
    assert [answer.body for answer in shelf.answers.values()] == [b""]
    assert (seen.tally.would_cache, seen.tally.cache, seen.tally.as_sent) == ("exact", "off", True)
    assert dict(seen.tally.would_save) == {"exact": cost(None, "m", USAGE)}
    served = ask()
    await stage.stage(served, provider)
    assert (served.tally.cache, provider.calls) == ("miss", 3)


async def test_a_follower_who_has_waited_long_enough_goes_alone():
    stage, provider = recall(wait_s=0.0), Provider()
    provider.gate = asyncio.Event()
    both = [asyncio.create_task(stage.stage(ask(), provider)) for _ in range(2)]
    while provider.calls < 2:
        await asyncio.sleep(0)
    provider.gate.set()
    assert [reply.body for reply in await asyncio.gather(*both)] == [PLAIN, PLAIN]


async def test_a_provider_that_raises_lets_the_followers_go():
    stage, provider = recall(), Provider()
    begun, fail = asyncio.Event(), asyncio.Event()

    async def failing(_exchange):
        begun.set()
        await fail.wait()
        raise LookupError("gone")

    leader = asyncio.create_task(stage.stage(ask(), failing))
    await begun.wait()
    follower = asyncio.create_task(stage.stage(ask(), provider))
    await asyncio.sleep(0)
    assert provider.calls == 0
    fail.set()
    with pytest.raises(LookupError):
        await leader
    assert (await follower).body == PLAIN


async def test_a_store_that_fails_in_the_middle_of_a_hit_claims_nothing():
    shelf, provider = Shelf(), Provider()
    prices = {"works": True}

    def cost_of(*given):
        if not prices["works"]:
            raise ValueError("no price book")
        return cost(*given)

    stage = recall(shelf, cost_of=cost_of)
    await stage.stage(ask(), provider)
    prices["works"] = False
    one = ask()
    assert (await stage.stage(one, provider)).body == PLAIN
    assert (one.tally.cache, one.tally.as_sent, one.tally.saved, provider.calls) == ("miss", True, [], 2)
    assert stage.failures > 0


async def test_a_count_of_hits_that_fails_costs_no_hit():
    shelf, provider = Shelf(), Provider()
    shelf.touch = None
    stage = recall(shelf)
    await stage.stage(ask(), provider)
    one = ask()
    await stage.stage(one, provider)
    assert (one.tally.cache, provider.calls, stage.failures) == ("exact", 1, 1)


def test_warmth_is_bounded_and_forgets_the_oldest():
    warmth = Warmth(limit=2)
    for name in ("one", "two", "three"):
        exchange = ask({**BODY, "user": name})
        warmth.learn(exchange, Usage(input=1, cache_read=len(name)))
        assert warmth.age(name.encode(), 5.0, 7.0) == 2.0
    assert [warmth.prefix(ask({**BODY, "user": name})) for name in ("one", "two", "three")] == [None, 3, 5]
    assert warmth.age(b"three", 0.0, 9.0) == 2.0  # since it was asked last
    assert warmth.age(b"one", 0.0, 9.0) == 9.0  # forgotten: since it was stored


def test_warmth_never_crosses_tenants():
    warmth = Warmth()
    warmth.learn(ask(tenant="a"), Usage(input=1, cache_read=1024))
    assert warmth.prefix(ask(tenant="a")) == 1024
    assert warmth.prefix(ask(tenant="b")) is None
    assert warmth.prefix(msgspec.structs.replace(ask(), target=Target("q", "http://q", "m", None))) is None
