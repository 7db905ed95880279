from __future__ import annotations

import asyncio

import pytest

from farthing.levers.recall.flight import Flights, Lead

KEY = b"k"


async def lead_of(flights):
    lead = await flights.board(KEY, 60)
    assert isinstance(lead, Lead)
    return lead


async def followers(flights, count=3, wait_s=60.0):
    """Tasks that wait for the leader by now."""
    tasks = [asyncio.ensure_future(flights.board(KEY, wait_s)) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_single_flight():
    flights = Flights[str]()
    lead = await lead_of(flights)
    waiting = await followers(flights)
    assert not any(task.done() for task in waiting)
    with lead:
        lead.land("answer")
    assert await asyncio.gather(*waiting) == ["answer"] * 3
    assert len(flights) == 0


async def test_other_keys_do_not_wait():
    flights = Flights[str]()
    await lead_of(flights)
    assert isinstance(await flights.board(b"other", 60), Lead)


async def test_after_landing_the_next_one_leads():
    flights = Flights[str]()
    (await lead_of(flights)).land("answer")
    assert isinstance(await flights.board(KEY, 60), Lead)


@pytest.mark.parametrize("raises", [False, True])
async def test_followers_of_a_failed_leader_all_go_themselves(raises):
    flights = Flights[str]()
    lead = await lead_of(flights)
    waiting = await followers(flights)
    if raises:
        with pytest.raises(ValueError, match="boom"), lead:
            raise ValueError("boom")
    else:
        with lead:
            pass
    assert await asyncio.gather(*waiting) == [None] * 3
    assert len(flights) == 0


@pytest.mark.parametrize("gone", [asyncio.CancelledError, GeneratorExit])
async def test_a_leader_whose_client_hung_up_hands_over(gone):
    flights = Flights[str]()
    lead = await lead_of(flights)
    waiting = await followers(flights)
    with pytest.raises(gone), lead:
        raise gone
    for _ in range(3):
        await asyncio.sleep(0)
    leaders = [task.result() for task in waiting if task.done()]
    assert [type(leader) for leader in leaders] == [Lead]
    leaders[0].land("second try")
    assert [task.result() for task in waiting if not isinstance(await task, Lead)] == ["second try"] * 2


async def test_handing_over_again_and_again():
    flights = Flights[str]()
    lead = await lead_of(flights)
    waiting = await followers(flights)
    for left in (2, 1, 0):
        lead.abandon()
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        (lead,) = (task.result() for task in done)
        waiting = list(pending)
        assert len(waiting) == left
    lead.fail()
    assert len(flights) == 0


async def test_a_newcomer_may_take_over_before_a_follower_wakes():
    flights = Flights[str]()
    lead = await lead_of(flights)
    (waiting,) = await followers(flights, 1)
    lead.abandon()
    newcomer = await lead_of(flights)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    newcomer.land("from the newcomer")
    assert await waiting == "from the newcomer"


async def test_whoever_waits_too_long_goes_alone():
    flights = Flights[str]()
    lead = await lead_of(flights)
    assert await flights.board(KEY, 0) is None
    (patient,) = await followers(flights, 1)
    lead.land("late")
    assert await patient == "late"


async def test_a_follower_that_leaves_disturbs_nobody():
    flights = Flights[str]()
    lead = await lead_of(flights)
    one, two = await followers(flights, 2)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    lead.land("answer")
    assert await two == "answer"


async def test_only_the_first_ending_counts():
    flights = Flights[str]()
    lead = await lead_of(flights)
    (waiting,) = await followers(flights, 1)
    lead.land("answer")
    second = await lead_of(flights)
    lead.fail()
    lead.abandon()
    assert await waiting == "answer"
    assert len(flights) == 1
    second.fail()
