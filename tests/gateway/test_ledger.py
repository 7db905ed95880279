"""From the gateway's journal through the keeper into reports: the same figures as on the provider's invoice."""

import asyncio
import time
from pathlib import Path

import aiohttp

from farthing.demo.sample import load_sample
from farthing.demo.traffic import make_traffic
from farthing.ledger.keeper import Keeper
from farthing.ledger.query import report
from farthing.ledger.store import open_store
from farthing.simulator import Faults
from farthing.types import TOKEN_CLASSES

NOW = 1_795_000_000.0
FAULTS = Faults(p_error=0.04, p_overloaded=0.03, p_quota=0.02, p_reset=0.02)


def sim_time(headers):
    return next(float(value) for name, value in headers if name == b"x-sim-ts")


async def send(house, traffic):
    """Send everything, a few at a time; a reset connection is told as a 502, so nothing here may raise."""
    waiting = iter(traffic)

    async def work(session):
        for request in waiting:
            async with session.post(house.url + request.path, data=request.body, headers=request.headers) as reply:
                await reply.read()

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work(session))


async def test_every_attempt_has_one_row(start, simulate):
    traffic = make_traffic(load_sample(), 5, NOW, requests=250)
    async with simulate(faults={"*": FAULTS}, seed=3) as sim:
        house = await start(sim, timestamp=sim_time)
        await send(house, traffic)
        rows = house.rows
        assert len(rows) == len(house.opened) + sum(row.cache == "exact" for row in rows) == len(traffic)
        assert len({row.id for row in rows}) == len(traffic)
        assert sum(len(row.calls) for row in rows) == len(sim.received)
        assert any(row.status == 429 for row in rows)
        assert any(row.status == 502 for row in rows)

        store = open_store(house.policy.store.url, time.time)
        keeper = Keeper(store, Path(house.policy.store.journal), time.time)
        assert keeper.run_once() == len(traffic)
        assert keeper.run_once() == 0  # nothing counts twice
        told = report(store, "model")
        keeper.close()
        store.close()

        invoice, total = sim.invoice, told.total
        assert total.requests == len(traffic)
        assert total.provider_calls == len(sim.received)
        assert total.cost_nano_usd == invoice.total_nano_usd
        assert (total.unpriced_calls, total.unsettled_calls) == (0, 0)
        for name in TOKEN_CLASSES:
            assert total.tokens[name] == sum(getattr(line.tokens, name) for line in invoice.lines)
        assert total.saved_nano_usd == total.baseline_nano_usd - total.cost_nano_usd > 0
        assert total.saved_nano_usd == sum(amount for row in rows for _, amount in row.saved)
        by_model = {row.key: row.cost_nano_usd for row in told.rows if row.cost_nano_usd}
        assert by_model == {name: row["nano_usd"] for name, row in invoice.by_model().items() if row["nano_usd"]}


async def test_a_full_disk_does_not_stop_requests(house, sim, monkeypatch):
    journal = house.app.runtime.journal
    real = journal._write

    def full(_data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "_write", full)
    for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
        assert (await house.say(path=path)).status == 200
    assert house.rows == []
    assert (await house.ask("GET", "/readyz")).status == 503
    monkeypatch.setattr(journal, "_write", real)
    assert (await house.say("And now?")).status == 200
    assert len(house.rows) == 4
    assert house.bill() == sim.invoice.by_model()
    assert (await house.ask("GET", "/readyz")).status == 200
