"""``kill -9`` at random moments under fifty streams: what a client saw finished is in the ledger, once."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from farthing.insight.query_types import Miner
from farthing.ledger.keeper import Keeper
from farthing.ledger.listing import request, requests
from farthing.ledger.store import open_store
from farthing.simulator import Control, Faults, running

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]
ROUNDS = int(os.environ.get("FARTHING_CRASH_ROUNDS", "30"))
STREAMS = 50
PATIENCE_S = 30.0
HEADERS = {"authorization": "Bearer sk-sim", "content-type": "application/json"}
CLAUDE = {"x-api-key": "sk-sim", "anthropic-version": "2023-06-01", "content-type": "application/json"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """``farthing serve`` as a user runs it."""

    def __init__(self, folder: Path, provider: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("FARTHING_")}
        environ |= {
            "FARTHING_SERVER_PORT": str(self.port),
            "FARTHING_STORE_URL": f"sqlite:///{folder}/farthing.db",
            "FARTHING_PROVIDERS_OPENAI_BASE_URL": f"{provider}/v1",
            "FARTHING_PROVIDERS_ANTHROPIC_BASE_URL": provider,
        }
        command = [sys.executable, "-c", "from farthing.cli import main; main()", "serve"]
        with (folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environ, cwd=folder, stdout=log, stderr=log)

    async def ready(self, session: aiohttp.ClientSession) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(aiohttp.ClientError):
                async with session.get(self.url + "/healthz") as reply:
                    assert reply.status == 200
                    return
            await asyncio.sleep(0.02)
        pytest.fail("farthing serve did not start")

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Moment:
    """When to kill: after so many chunks, or so many whole streams, have reached clients. Load does not move it."""

    def __init__(self, *, chunks: int | None = None, streams: int | None = None):
        self._chunks, self._streams = chunks, streams
        self.come = asyncio.Event()

    def saw(self, *, chunk: bool = False, stream: bool = False) -> None:
        if chunk and self._chunks is not None:
            self._chunks -= 1
        if stream and self._streams is not None:
            self._streams -= 1
        if 0 in {self._chunks, self._streams}:
            self.come.set()


class Seen:
    """What one client saw."""

    def __init__(self):
        self.id = None
        self.finished = False


async def ask(session: aiohttp.ClientSession, url: str, number: int, moment: Moment) -> Seen:
    seen = Seen()
    question = [{"role": "user", "content": f"Question {number}: how do I top up my card?"}]
    if number % 2:
        path, headers, end = "/v1/messages", CLAUDE, b"event: message_stop"
        body = {"model": "claude-haiku-4-5", "max_tokens": 500, "stream": True, "messages": question}
    else:
        path, headers, end = "/v1/chat/completions", HEADERS, b"data: [DONE]"
        body = {"model": "gpt-4o-mini", "stream": True, "messages": question}
    with suppress(aiohttp.ClientError, ConnectionError):
        async with session.post(url + path, data=json.dumps(body), headers=headers) as reply:
            assert reply.status == 200
            seen.id = reply.headers["x-farthing-request-id"]
            whole = b""
            async for chunk in reply.content.iter_any():
                whole += chunk
                moment.saw(chunk=True)
                if not seen.finished and end in whole:
                    seen.finished = True
                    moment.saw(stream=True)
    return seen


async def one_round(folder: Path, provider: str, moment: Moment, first: int) -> list[Seen]:
    server = Server(folder, provider)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await server.ready(session)
            asked = [asyncio.ensure_future(ask(session, server.url, first + n, moment)) for n in range(STREAMS)]
            everything = asyncio.gather(*asked)
            waited = asyncio.ensure_future(moment.come.wait())
            await asyncio.wait({waited, everything}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
            waited.cancel()
            server.kill()
            return await everything
    finally:
        server.kill()


def moment(number: int, dice: random.Random) -> Moment:
    """In turn: early, while streams end, anywhere."""
    if number % 3 == 0:
        return Moment(chunks=dice.randint(1, STREAMS))
    if number % 3 == 1:
        return Moment(streams=dice.randint(1, STREAMS - 10))
    return Moment(chunks=dice.randint(1, STREAMS * 40))


def entered(folder: Path, ids: set[str]):
    """The store, once everything is in it: the keeper of a killed gateway goes by itself when it has done its work."""
    store = open_store(f"sqlite:///{folder}/farthing.db", time.time)
    keeper = Keeper(store, folder / "farthing.db.journal", time.time, Miner.load)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        keeper.run_once()
        rows = requests(store, 100_000)
        if ids <= {row.request.id for row in rows} and all(row.state != "open" for row in rows):
            break
        time.sleep(0.1)
    keeper.close()
    return store


async def test_kill_nine_loses_nothing_finished(tmp_path):
    dice = random.Random(9)
    seen: list[Seen] = []
    with running(seed=1) as sim:
        sim.control(Control(faults={"*": Faults(ms_per_token=3)}))
        for number in range(ROUNDS):
            seen += await one_round(tmp_path, sim.url, moment(number, dice), number * STREAMS)
        billed = {line.request_id: line.nano_usd for line in sim.invoice.lines}
        received = len(sim.invoice.lines)
    known = {one.id for one in seen if one.id is not None}
    finished = [one for one in seen if one.finished]
    store = entered(tmp_path, known)
    rows = requests(store, 100_000)
    states = Counter(row.state for row in rows)
    assert max(Counter(row.request.id for row in rows).values()) == 1
    assert known <= {row.request.id for row in rows}
    assert received <= len(rows) <= ROUNDS * STREAMS
    assert set(states) <= {"settled", "unsettled"}
    assert finished, "no stream had time to finish: the kills came too early to test anything"
    assert states["unsettled"], "no stream was cut: the kills came too late to test anything"
    for one in finished:
        found = request(store, one.id)
        (call,) = found.request.calls
        assert found.state == "settled"
        assert call.cost_source == "usage"
        assert call.cost_nano == billed[call.provider_request_id]
    for row in rows:
        if row.state == "unsettled":
            assert row.request.cost_nano is None
            assert [call.cost_source for call in row.request.calls] == ["unsettled"]
    store.close()
