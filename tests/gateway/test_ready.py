"""``/readyz`` means that the next request belongs here; ``/healthz`` that the process answers."""

import pytest

from farthing.gateway.app import Gateway
from farthing.ledger import pulse
from farthing.ledger.pulse import Pulse
from farthing.pipeline.health import BEHIND_BYTES
from farthing.pipeline.runtime import Runtime
from farthing.policy import Policy
from farthing.policy.model import Cache, Store


class Caller:
    """Asks an application without a server."""

    def __init__(self, app):
        self.app, self.sent = app, []

    async def ask(self, path):
        self.sent = []
        await self.app({"type": "http", "path": path}, None, self._send)
        return self.sent[0]["status"], self.sent[1]["body"].decode()

    async def _send(self, message):
        self.sent.append(message)


@pytest.fixture
async def runtime(tmp_path):
    policy = Policy(store=Store(url=f"sqlite:///{tmp_path}/l.db"), cache=Cache(exact=False))
    now = [1_795_000_000.0]
    runtime = Runtime(policy, {}, clock=lambda: now[0])
    runtime.now = now
    yield runtime
    await runtime.stop()


@pytest.fixture
def caller(runtime):
    return Caller(Gateway(runtime, None))


async def test_not_before_it_has_started_and_not_once_it_stops(caller):
    assert await caller.ask("/readyz") == (503, "the gateway is starting")
    assert await caller.ask("/healthz") == (200, "ok")
    messages = iter(["lifespan.startup", "lifespan.shutdown"])
    seen = []

    async def receive():
        seen.append(await caller.ask("/readyz"))
        return {"type": next(messages)}

    await caller.app({"type": "lifespan"}, receive, caller._send)
    assert [status for status, _ in seen] == [503, 200]
    assert await caller.ask("/readyz") == (503, "the gateway is stopping: it finishes what is under way")
    assert await caller.ask("/healthz") == (200, "ok")


async def test_a_keeper_that_is_dead_for_long_or_far_behind(runtime, caller, tmp_path):
    caller.app._phase = "serving"
    assert await caller.ask("/readyz") == (200, "ok")
    runtime.now[0] += 61
    status, said = await caller.ask("/readyz")
    assert (status, said.partition(";")[0]) == (503, "the keeper of the ledger has done nothing for 61 s")
    with pulse.lock_file(tmp_path / "l.db").open("wb") as file:
        pulse.show(file.fileno(), Pulse(1, runtime.now[0]))
        assert await caller.ask("/readyz") == (200, "ok")
        pulse.show(file.fileno(), Pulse(1, runtime.now[0], 2 * BEHIND_BYTES))
        assert (await caller.ask("/readyz"))[0] == 503
    assert await caller.ask("/healthz") == (200, "ok")


async def test_each_problem_has_a_line(runtime, caller, monkeypatch):
    monkeypatch.setattr(runtime.journal, "_try", lambda _data: False)
    monkeypatch.setattr(runtime.journal, "_waiting", [b"x"])
    runtime.now[0] += 100
    status, said = await caller.ask("/readyz")
    assert status == 503
    assert [line.partition(" ")[0] for line in said.splitlines()] == ["the", "the", "the"]
    monkeypatch.undo()
