"""Observers come after the reply, and what they do wrong is theirs alone."""

import asyncio

from farthing.pipeline.observe import Observers


class Noting:
    def __init__(self):
        self.told, self.closed = [], False

    def __call__(self, exchange, settled):
        self.told.append((exchange, settled))

    def close(self):
        self.closed = True


class Failing(Noting):
    def __call__(self, exchange, settled):
        raise ValueError


async def test_all_are_told_when_the_loop_has_time():
    noting = Noting()
    observers = Observers([Failing(), noting])
    observers.tell("exchange", "settled")
    assert noting.told == []
    await asyncio.sleep(0)
    assert noting.told == [("exchange", "settled")]
    await observers.close()
    assert noting.closed


async def test_one_that_always_fails_is_logged_once(caplog):
    observers = Observers([Failing()])
    for _ in range(3):
        observers.tell("exchange", "settled")
    await asyncio.sleep(0)
    assert len(caplog.records) == 1
