"""Prompts that do not fit the model's window, through a running gateway."""

import pytest

from farthing.policy.model import Model, Retries, Tiers
from farthing.simulator import Faults
from farthing.simulator.server import Control

NO_KEY = {"authorization": None}
LONG = "Please read this carefully, every word of it counts. " * 14_000
"""About 140,000 tokens: too many for gpt-4o, not for gpt-4.1."""


def ask(house, text=LONG, model="gpt-4o", **headers):
    return house.say(text, model=model, headers=NO_KEY | headers)


@pytest.fixture
async def tiered(start, sim):
    return await start(sim, tiers=Tiers(moderate=("gpt-4o", "gpt-4o-mini"), complex=("gpt-4.1",)), retries=Retries())


async def test_no_context_error_surfaces(tiered):
    """It is seen before it is sent; the model of a better tier that has the room answers."""
    told = await ask(tiered)
    assert (told.status, told.get("x-farthing-model")) == (200, "gpt-4.1-2025-04-14")
    row = tiered.row
    assert row.route == "fallback openai/gpt-4.1: openai/gpt-4o does not fit its window"
    assert [call.status for call in row.calls] == [200]
    assert row.baseline_nano is not None


async def test_one_that_is_caught_is_answered_too(start, sim):
    """The settings believe in a larger window than there is."""
    house = await start(
        sim, tiers=Tiers(moderate=("gpt-4o", "gpt-4.1")), models={"gpt-4o": Model(context=900_000)}, retries=Retries()
    )
    told = await ask(house)
    assert (told.status, told.get("x-farthing-model")) == (200, "gpt-4.1-2025-04-14")
    assert [call.status for call in house.row.calls] == [400, 200]
    assert house.row.calls[0].cost_nano == 0


async def test_where_nobody_has_the_room_the_provider_says_so_with_both_numbers(start, sim):
    house = await start(sim, retries=Retries())
    told = await ask(house)
    assert (told.status, told.error["code"]) == (400, "context_length_exceeded")
    assert "128000" in told.error["message"]
    assert len(house.row.calls) == 1


async def test_a_provider_that_names_no_numbers_is_helped_out(start, script):
    async def answer(it, reader, writer):
        while True:
            await it.request(reader)
            body = b'{"error":{"message":"Your input exceeds the context window.","code":"context_length_exceeded"}}'
            head = b"HTTP/1.1 400 x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
            writer.write(head + body)

    _, url = await script(answer)
    told = await ask(await start(url, retries=Retries()))
    assert (told.status, told.error["code"]) == (400, "farthing_context_length_exceeded")
    assert "128,000" in told.error["message"]
    assert "[fallback]" in told.error["message"]


async def test_observe_and_route_off_stay_with_the_model(tiered):
    for headers in ({"x_farthing_mode": "observe"}, {"x_farthing_route": "off"}):
        assert (await ask(tiered, **headers)).status == 400


async def test_a_fallback_that_is_too_small_is_not_asked(start, sim):
    house = await start(sim, fallback={"gpt-4.1": ("gpt-4o",)}, retries=Retries(attempts=1))
    sim.control(Control(faults={"gpt-4.1": Faults(p_error=1.0)}))
    assert (await ask(house, model="gpt-4.1")).status == 500
    assert [call.model for call in house.row.calls] == ["gpt-4.1"]
