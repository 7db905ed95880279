"""What comes does not run far ahead of its reader."""

import asyncio

import pytest

from farthing.sdk.call import MOST, Call
from farthing.sdk.engine import Seat


class Engine:
    closing = False

    def __init__(self):
        self.loop = asyncio.get_running_loop()


@pytest.fixture
async def call():
    got = []
    made = Call(Seat(Engine(), None, None), None, got.append)
    made.got = got
    return made


async def turn():
    """Until all that is ready has been done."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_writer_waits_for_its_reader(call):
    await call._write(b"x" * MOST)
    second = asyncio.create_task(call._write(b"y"))
    await turn()
    assert not second.done()
    assert call.got == [b"x" * MOST, b"y"]  # it is there: only what comes next has to wait
    call.took(MOST)
    await second


async def test_a_reader_that_leaves_lets_it_go_on(call):
    first = asyncio.create_task(call._write(b"x" * (MOST + 1)))
    await turn()
    call.hang_up()
    await first
    await call._write(b"more")
    assert call.got == [b"x" * (MOST + 1)]


async def test_a_reader_that_cannot_be_told_has_left(call):
    def gone(_item):
        raise RuntimeError("its loop is closed")

    call._reader = gone
    await call._write(b"x")
    assert call.left
