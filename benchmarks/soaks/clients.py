"""The clients: an open loop (they do not wait for one another), and probes that measure what the gateway adds."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp
from stand.asking import PATHS, body_of, headers_of

from soaks.traffic import CALM, PHASES, Send, Traffic, control

MOST_AT_ONCE = 400
PROBE_EVERY_S = 0.25
PATIENCE = aiohttp.ClientTimeout(total=60)
LEAVES_AFTER_S = 0.05
"""Who leaves early, leaves then at the latest: later than any gateway needs to have read the request."""


@dataclass
class Window:
    """What was measured in one round of the phases."""

    at_s: float
    overhead_ms: list[float] = field(default_factory=list[float])
    """farthing's own figure, of all replies that came from the provider."""
    added_ms: list[float] = field(default_factory=list[float])
    """By the probes: through the gateway less straight to the provider."""
    hit_ms: list[float] = field(default_factory=list[float])
    """Replies from the cache, whole ones, by the client's clock."""


@dataclass
class Sent:
    """What was sent and what came of it."""

    windows: list[Window]
    outcomes: Counter[str] = field(default_factory=Counter[str])
    requests: int = 0
    held_back: int = 0
    """Not sent, as too many were under way."""
    direct_ids: set[str] = field(default_factory=set[str])
    """Requests that went past the gateway: they are on the invoice, and not in the ledger."""
    lost: list[str] = field(default_factory=list[str])
    """What went wrong that no fault of the provider explains."""


class Clients:
    """Sends until told to stop."""

    def __init__(self, gateway: str, provider: str, seed: int, rate: float, phase_s: float) -> None:
        self._gateway, self._provider, self._rate, self._phase_s = gateway, provider, rate, phase_s
        self._traffic = Traffic(seed)
        self._begun = time.monotonic()
        self._stopping = False
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent = Sent([Window(0.0)])

    async def run(self, seconds: float) -> None:
        """All of it, and the last replies."""
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=PATIENCE) as session,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._phases(session))
            group.create_task(self._probe(session))
            group.create_task(self._load(session))
            await asyncio.sleep(seconds)
            self._stopping = True
        # Who still waits is waited for: the session closes when the last has his reply.

    async def _phases(self, session: aiohttp.ClientSession) -> None:
        phase = 0
        while not self._stopping:
            await session.post(f"{self._provider}/_control", json=control(phase))
            await asyncio.sleep(self._phase_s)
            phase += 1
            if phase % len(PHASES) == 0 and not self._stopping:
                self.sent.windows.append(Window(time.monotonic() - self._begun))
        await session.post(f"{self._provider}/_control", json=control(0))

    async def _load(self, session: aiohttp.ClientSession) -> None:
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                due += self._traffic.gap_s(self._rate)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                send = self._traffic.next()
                if len(self._under_way) >= MOST_AT_ONCE:
                    self.sent.held_back += 1
                    continue
                task = group.create_task(self._one(session, send))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _one(self, session: aiohttp.ClientSession, send: Send) -> None:
        self.sent.requests += 1
        begun = time.perf_counter()
        outcome = "lost"
        try:
            if send.wish == "leave_early":
                outcome = await self._leaves(session, send)
            else:
                async with session.post(self._gateway + send.path, data=send.body, headers=send.headers) as reply:
                    outcome = await self._takes(reply, send, begun)
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as problem:
            outcome = "broken off" if isinstance(problem, aiohttp.ClientPayloadError) and send.stream else "lost"
            if outcome == "lost":
                self.sent.lost.append(f"{send.path} {type(problem).__name__}: {problem}")
        except TimeoutError:
            self.sent.lost.append(f"{send.path} no end within {PATIENCE.total:g} s")
        self.sent.outcomes[outcome] += 1

    async def _leaves(self, session: aiohttp.ClientSession, send: Send) -> str:
        try:
            async with asyncio.timeout(LEAVES_AFTER_S):
                async with session.post(self._gateway + send.path, data=send.body, headers=send.headers) as reply:
                    await asyncio.sleep(PATIENCE.total or 0)
                    return str(reply.status)
        except TimeoutError:
            return "left early"

    async def _takes(self, reply: aiohttp.ClientResponse, send: Send, begun: float) -> str:
        if send.wish == "leave_in_stream" and reply.status == 200:
            await reply.content.readany()
            reply.close()
            return "left in the stream"
        text = await reply.read()
        if send.bad:
            return "refused" if 400 <= reply.status < 500 else self._wrong(send, f"a bad request got {reply.status}")
        if reply.status != 200:
            return f"failed with {reply.status}"
        self._measure(reply, send, begun)
        if send.stream and b"farthing_upstream_cut" in text:
            return "broken off"
        return "from the cache" if reply.headers.get("x-farthing-cache") == "exact" else "answered"

    def _measure(self, reply: aiohttp.ClientResponse, send: Send, begun: float) -> None:
        window = self.sent.windows[-1]
        if reply.headers.get("x-farthing-cache") != "exact":
            window.overhead_ms.append(float(reply.headers["x-farthing-overhead-ms"]))
        elif not send.stream:
            window.hit_ms.append((time.perf_counter() - begun) * 1000)

    def _wrong(self, send: Send, what: str) -> str:
        self.sent.lost.append(f"{send.path} {what}")
        return "wrong"

    async def _probe(self, session: aiohttp.ClientSession) -> None:
        number = 0
        while not self._stopping:
            number += 1
            took: list[float] = []
            for url in (self._provider, self._gateway):
                body = body_of("chat", CALM, f"Probe {number} {url}", stream=False)
                headers = headers_of("chat", "probe", 0) | {"x-farthing-cache": "no-store"}
                begun = time.perf_counter()
                async with session.post(url + PATHS["chat"], data=body, headers=headers) as reply:
                    await reply.read()
                took.append((time.perf_counter() - begun) * 1000)
                if url == self._provider:
                    self.sent.direct_ids.add(reply.headers["x-request-id"])
            self.sent.requests += 1
            self.sent.outcomes["probes"] += 1
            self.sent.windows[-1].added_ms.append(took[1] - took[0])
            await asyncio.sleep(PROBE_EVERY_S)
