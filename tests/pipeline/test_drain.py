"""Which calls are read on after a hang-up, and how far at most."""

import asyncio
from types import SimpleNamespace

import pytest

from farthing.exchange import HUNG_UP, Tally
from farthing.pipeline.drain import MOST_BYTES, Drains, Nowhere
from farthing.upstream.pool import Cut

LEFT = asyncio.CancelledError(HUNG_UP)


def exchange(method="POST", *, upload=None):
    wire = SimpleNamespace(operation="chat")
    return SimpleNamespace(method=method, path="/v1/chat/completions", wire=wire, upload=upload, tally=Tally())


@pytest.mark.parametrize(
    ("hangup", "free", "wanted"),
    [("auto", True, True), ("auto", False, False), ("drain", False, True), ("cancel", True, False)],
)
def test_the_setting_decides(hangup, free, wanted):
    assert Drains(hangup, 1.0).wanted(LEFT, exchange(), free=free) is wanted


@pytest.mark.parametrize("problem", [asyncio.CancelledError(), asyncio.CancelledError("a stop"), ValueError(HUNG_UP)])
def test_only_for_a_client_that_left(problem):
    assert not Drains("drain", 1.0).wanted(problem, exchange(), free=True)


def test_not_what_costs_nothing_nor_what_the_client_has_yet_to_send():
    drains = Drains("drain", 1.0)
    assert not drains.wanted(LEFT, exchange("GET"), free=True)
    assert not drains.wanted(LEFT, exchange(upload=object()), free=True)


async def test_drains_are_bounded_in_number_and_in_time():
    drains, asked = Drains("auto", 0.02, most=1), exchange()
    running = asyncio.create_task(drains.run(asked, asyncio.Event().wait))
    await asyncio.sleep(0)
    assert len(drains) == 1
    assert not drains.wanted(LEFT, exchange(), free=True)
    await running
    assert asked.tally.error == "client_gone"
    assert len(drains) == 0
    assert drains.wanted(LEFT, exchange(), free=True)


async def test_draining_is_capped():
    drains, nowhere = Drains("drain", 5.0), Nowhere()

    async def endless():
        while True:
            await nowhere(b"x" * 2**20)

    await drains.run(exchange(), endless)
    assert nowhere.size == MOST_BYTES + 2**20


async def test_a_cut_ends_it_and_a_stop_is_passed_on():
    drains = Drains("drain", 5.0)

    async def cut():
        raise Cut("gone")

    await drains.run(exchange(), cut)
    running = asyncio.create_task(drains.run(exchange(), asyncio.Event().wait))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(drains) == 0
