"""A run: two simulated providers, a gateway, clients, and somebody who makes trouble. Each is a process of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
from stand.asking import PATHS, body_of, headers_of
from stand.books import Call, Invoice, Line
from stand.process import free_port, wait_for_port
from stand.serving import FARTHING, serving, started

from pressures.load import Clients, Sent
from pressures.plan import ASKED, OWNERS, WIRES, Plan, Times, Wire

USUAL = {"ttft_ms": 20, "ms_per_token": 1}
TROUBLE: dict[str, dict[str, Any]] = {"silent": {"ttft_ms": 600_000}, "errors": {"p_error": 0.5, "p_overloaded": 0.5}}
PEACE = {**USUAL, "p_error": 0, "p_overloaded": 0}
REFUSED, AT_ONCE, LEDGER_S = 429, 16, 60.0


class Attempt(NamedTuple):
    """A call of the ledger. ``asked``: to the model and provider that the request named."""

    at: float
    ended: float
    wire: Wire
    asked: bool
    status: int | None
    call: Call


@dataclass
class Seen:
    """What was seen. Times in seconds since the epoch; ``down`` and ``up`` where there was trouble for a while."""

    plan: Plan
    times: Times
    rpm: int
    begun: float
    down: float = 0.0
    up: float = 0.0
    copied: float = 0.0
    """When the invoice was copied of a provider that was killed then."""
    sent: list[Sent] = field(default_factory=list[Sent])
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    late_s: float = 0.0
    """How far the clients were behind at most."""
    requests: int = 0
    """Rows of the ledger."""
    billed: list[Line] = field(default_factory=list[Line])
    """By both providers."""


class Provider:
    """A simulated provider that can be killed and started again on its port."""

    def __init__(self, stack: ExitStack, folder: Path, name: str) -> None:
        self._stack, self._folder, self._name = stack, folder, name
        self._port, self._starts = free_port(), 0
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Until it listens. Every start has other ids."""
        self._starts += 1
        seed, log = f"{self._starts}{len(self._name)}", self._folder / f"{self._name}{self._starts}.log"
        command = [sys.executable, "-m", "farthing.simulator", "--port", str(self._port), "--seed", seed]
        self._process: subprocess.Popen[bytes] = self._stack.enter_context(started(command, log, {}))
        wait_for_port(self._port, self._process, log, 60.0)

    def kill(self) -> None:
        """At once, without a word."""
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Stage:
    """Everything that a run needs, up and listening."""

    plan: Plan
    main: Provider
    spare: Provider
    gateway: str
    store: Path


def set_up(stack: ExitStack, plan: Plan, folder: Path) -> Stage:
    """Raises ``Unmet``."""
    folder.mkdir()
    main, spare = Provider(stack, folder, "main"), Provider(stack, folder, "spare")
    config, store = folder / "farthing.toml", folder / "pressure.db"
    config.write_text(plan.settings(main.url, spare.url))
    environ = {"FARTHING_STORE_URL": f"sqlite:///{store}", "PRESSURE_KEY": "sk-pressure"}
    command = [*FARTHING, "serve", "--config", str(config), "--port", "0"]
    says = r"Anthropic +base_url = (http://\S+)"
    return Stage(plan, main, spare, stack.enter_context(serving(command, folder / "gateway.log", environ, says)), store)


def run_all(plans: Sequence[Plan], folder: Path, times: Times, rate: float, seed: int) -> list[Seen]:
    """Some plans at the same time, each with processes of its own. Raises ``Unmet``."""
    with ExitStack() as stack:
        stages = [set_up(stack, plan, folder / plan.name) for plan in plans]

        async def all_of_them() -> list[Seen]:
            return await asyncio.gather(*(play(stage, times, rate, seed) for stage in stages))

        return asyncio.run(all_of_them())


async def play(stage: Stage, times: Times, rate: float, seed: int) -> Seen:
    """One run."""
    connector, patience = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=patience) as session:
        limit = stage.plan.rpm(rate) if stage.plan.trouble == "limited" else 0
        if limit:
            await _exhaust(session, stage.main.url, limit)
        for provider in (stage.main, stage.spare):
            await _control(session, provider.url, PEACE)
        clients = Clients(stage.plan, stage.gateway, session)
        seen = Seen(stage.plan, times, limit, time.time(), sent=clients.sent)
        load = asyncio.create_task(clients.run(rate, times.total, seed))
        if not limit:
            await _trouble(session, stage, seen)
        await load
        seen.late_s = clients.late_s
        seen.requests, seen.attempts = await asyncio.to_thread(ledger, stage.store, len(clients.sent))
        for provider in (stage.main, stage.spare):
            seen.billed += await _invoice(session, provider.url)
        return seen


async def _exhaust(session: aiohttp.ClientSession, provider: str, rpm: int) -> None:
    """Set the limits and use them up, as a minute of such load does; what fails for another reason is not billed."""
    await session.post(f"{provider}/_control", json={"faults": {model: {"rpm": rpm} for model in ASKED.values()}})
    await _control(session, provider, {"p_error": 1})

    async def empty(wire: Wire) -> None:
        body, status = body_of(wire, ASKED[wire], "Yes or no?", stream=False), 0
        while status != REFUSED:
            async with session.post(provider + PATHS[wire], data=body, headers=headers_of(wire, "", 0)) as reply:
                status = reply.status

    await asyncio.gather(*(empty(wire) for wire in WIRES for _ in range(AT_ONCE)))


async def _control(session: aiohttp.ClientSession, provider: str, faults: dict[str, Any]) -> None:
    await session.post(f"{provider}/_control", json={"faults": {"*": faults}})


async def _trouble(session: aiohttp.ClientSession, stage: Stage, seen: Seen) -> None:
    """As long as planned, then the end of it, as far as the provider is concerned."""
    main, times = stage.main, seen.times
    await asyncio.sleep(seen.begun + times.begins - time.time())
    if stage.plan.trouble == "killed":
        seen.copied = time.time()
        seen.billed += await _invoice(session, main.url)  # its memory dies with it
        main.kill()
        seen.down = time.time()
        await asyncio.sleep(seen.begun + times.ends - time.time())
        await asyncio.to_thread(main.start)
        seen.up = time.time()
        await _control(session, main.url, PEACE)
        return
    await _control(session, main.url, TROUBLE[stage.plan.trouble])
    seen.down = time.time()
    await asyncio.sleep(seen.begun + times.ends - time.time())
    await _control(session, main.url, PEACE)
    seen.up = time.time()


async def _invoice(session: aiohttp.ClientSession, provider: str) -> list[Line]:
    async with session.get(f"{provider}/_invoice?lines=1") as reply:
        return msgspec.json.decode(await reply.read(), type=Invoice).lines


def ledger(store: Path, requests: int) -> tuple[int, list[Attempt]]:
    """Rows and calls once all requests are there, or what there is when they should be."""
    query = "SELECT started, latency, provider, model, status, provider_request_id, cost, cost_source, error FROM calls"
    deadline = time.monotonic() + LEDGER_S
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        while True:
            rows: int = connection.execute("SELECT count(*) FROM requests").fetchone()[0]
            if rows >= requests or time.monotonic() > deadline:
                return rows, [_attempt(row) for row in connection.execute(query)]
            time.sleep(0.2)


def _attempt(row: Sequence[Any]) -> Attempt:
    started_us, latency_us, provider, model, status, *call = row
    wire: Wire = "messages" if model.startswith("claude") else "chat"
    asked = provider == OWNERS[wire] and model == ASKED[wire]
    return Attempt(started_us / 1e6, (started_us + (latency_us or 0)) / 1e6, wire, asked, status, Call(*call))
