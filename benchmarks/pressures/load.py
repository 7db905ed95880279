"""The clients: an open loop, they do not wait for one another."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import NamedTuple

import aiohttp
from stand.asking import PATHS, body_of, headers_of

from pressures.plan import ASKED, DEADLINE_S, Ask, Plan, Wire, asks

PATIENCE = aiohttp.ClientTimeout(total=3 * DEADLINE_S)
CUT = b"farthing_upstream_cut"


class Sent(NamedTuple):
    """A request and what its client got. ``at``: seconds since the epoch."""

    at: float
    wire: Wire
    stream: bool
    status: int | None
    waited_s: float
    """Until the reply began."""
    other: bool
    """Whether another model or provider answered than the one that was asked."""
    broken: bool
    """It began, and broke off."""
    problem: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 200 and not self.broken


@dataclass
class Clients:
    """All clients of one run."""

    plan: Plan
    gateway: str
    session: aiohttp.ClientSession
    sent: list[Sent] = field(default_factory=list[Sent])
    late_s: float = 0.0
    """How far behind the load was at most: by much, if the machine has too much to do."""

    async def run(self, rate: float, seconds: float, seed: int) -> None:
        """The whole load, and the last replies."""
        begun = time.time()
        async with asyncio.TaskGroup() as group:
            for number, ask in enumerate(asks(self.plan, rate, seconds, seed)):
                await asyncio.sleep(max(0.0, begun + ask.at - time.time()))
                self.late_s = max(self.late_s, time.time() - begun - ask.at)
                group.create_task(self._one(ask, f"Name {3 + number % 5} uses of a {self.plan.name}, case {number}."))

    async def _one(self, ask: Ask, text: str) -> None:
        body = body_of(ask.wire, ASKED[ask.wire], text, stream=ask.stream)
        at, status, waited, other, problem = time.time(), None, None, False, ""
        try:
            async with self.session.post(self.gateway + PATHS[ask.wire], data=body, headers=headers(ask.wire)) as reply:
                status, waited = reply.status, time.time() - at
                other = "x-farthing-route" in reply.headers
                answer = await reply.read()
            problem = answer[-300:].decode(errors="replace") if status != 200 or CUT in answer else ""
        except (aiohttp.ClientError, TimeoutError) as caught:
            problem = f"{type(caught).__name__}: {caught}"
        broken = status == 200 and bool(problem)
        waited = time.time() - at if waited is None else waited
        self.sent.append(Sent(at, ask.wire, ask.stream, status, waited, other, broken, problem))


def headers(wire: Wire) -> dict[str, str]:
    """Without a credential: the gateway's own is used, which may go to every provider."""
    return {
        name: value for name, value in headers_of(wire, "acme", 0).items() if name not in {"authorization", "x-api-key"}
    }
