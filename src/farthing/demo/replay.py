"""Sends demo traffic through a gateway (or straight to a provider), in order, a few at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

import aiohttp
import msgspec

from farthing.demo.traffic import DemoRequest


class Replayed(msgspec.Struct, frozen=True):
    """How it went. ``statuses`` counts HTTP statuses; 0 stands for a connection that failed or broke off."""

    ok: int
    errors: int
    wall_s: float
    statuses: dict[int, int]


async def replay(
    requests: Iterable[DemoRequest],
    base_url: str,
    concurrency: int = 16,
    on_progress: Callable[[int], None] | None = None,
) -> Replayed:
    """Sends everything and reads every reply to its end. ``base_url`` has no ``/v1``.

    ``on_progress`` gets the number of replies so far. Errors are counted, never raised.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    waiting = iter(requests)
    statuses: Counter[int] = Counter()

    async def work(session: aiohttp.ClientSession) -> None:
        for request in waiting:
            statuses[await _send(session, base_url.rstrip("/"), request)] += 1
            if on_progress is not None:
                on_progress(statuses.total())

    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work(session))
    ok = sum(count for status, count in statuses.items() if 200 <= status < 300)
    return Replayed(ok, statuses.total() - ok, loop.time() - start, dict(statuses))


async def _send(session: aiohttp.ClientSession, base_url: str, request: DemoRequest) -> int:
    try:
        async with session.post(base_url + request.path, data=request.body, headers=request.headers) as reply:
            await reply.read()
            return reply.status
    except (aiohttp.ClientError, TimeoutError):
        return 0
