"""Questions that mean the same, through the gateway with the encoder that comes with it."""

import pytest

from farthing.policy.model import Cache

PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages"]
ASKED, AGAIN = "How do I top up my card?", "How do I top up my card please?"


async def say(house, text, **options):
    """The reply to a question, once what was said before is stored."""
    if house.app.runtime.questions is not None:
        house.app.runtime.questions.rest()
    return await house.say(text=text, **options)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_question_that_means_the_same_is_answered_and_booked(start, sim, path, stream):
    house = await start(sim)
    first = await say(house, ASKED, path=path)
    again = await say(house, AGAIN, path=path, stream=stream)
    assert [one.get("x-farthing-cache") for one in (first, again)] == ["miss", "semantic"]
    assert 0.92 <= float(again.get("x-farthing-cache-similarity")) <= 1
    assert first.get("x-farthing-cache-similarity") is None
    assert len(sim.received) == 1
    miss, hit = house.rows
    assert (hit.cache, hit.calls, hit.cost_nano, hit.served_model) == ("semantic", (), 0, miss.served_model)
    assert dict(hit.saved) == {"semantic": hit.baseline_nano}


async def test_observe_says_what_meaning_would_have_saved(start, sim):
    house = await start(sim, mode="observe")
    for text in (ASKED, AGAIN):
        assert (await say(house, text)).get("x-farthing-cache") == "off"
    assert [row.would_cache for row in house.rows] == ["miss", "semantic"]
    assert house.rows[1].would_save == (("semantic", sim.invoice.lines[1].nano_usd),)


async def test_no_answer_crosses_tenants_by_meaning(start, sim):
    house = await start(sim)
    for text, tenant in ((ASKED, "a"), (AGAIN, "b")):
        assert (await say(house, text, headers={"x_farthing_tenant": tenant})).get("x-farthing-cache") == "miss"
    assert len(sim.received) == 2


async def test_it_is_off_where_it_is_not_wanted(start, sim):
    house = await start(sim, cache=Cache(semantic=False))
    assert [(await say(house, text)).get("x-farthing-cache") for text in (ASKED, AGAIN)] == ["miss", "miss"]


async def test_an_encoder_that_cannot_be_read_costs_no_request(start, sim, monkeypatch):
    def fail():
        raise ValueError("not whole")

    monkeypatch.setattr("farthing.levers.recall.semantic.static.shipped", fail)
    house = await start(sim)
    assert [(await say(house, text)).get("x-farthing-cache") for text in (ASKED, AGAIN)] == ["miss", "miss"]
    assert house.app.runtime.notes() == ["the semantic cache is off: not whole"]
