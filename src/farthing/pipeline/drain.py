"""Reading on for a client that has left: what a call cost is said at its end.

Providers bill a reply in one piece whole, whoever takes it, and a stream as far as it was generated. So the one is read
to its end: that costs nothing, its bill is exact, and the answer is there when the client asks again. Of the other the
connection is closed, unless only its usage is to come; whoever wants exact figures at any price drains it, too.

It happens in the task of the request, which a stop waits for and then cancels: nothing is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from farthing.errors import UpstreamError
from farthing.exchange import HUNG_UP, ClientGone, Exchange
from farthing.pipeline.settlement import CLIENT_GONE, billable
from farthing.upstream.pool import Cut

MOST = 256
"""Drains at a time; who hangs up then is cancelled."""
MOST_BYTES = 8 * 2**20
"""Of a stream, after its client has left."""


class _Enough(ClientGone):
    """The cap is reached."""


class Drains:
    """Those that are under way in this process."""

    def __init__(self, hangup: Literal["auto", "cancel", "drain"], longest_s: float, most: int = MOST) -> None:
        self._hangup, self._longest_s, self._most = hangup, longest_s, most
        self._running = 0

    def __len__(self) -> int:
        return self._running

    def wanted(self, problem: BaseException, exchange: Exchange, *, free: bool) -> bool:
        """Whether to read on. ``free``: that makes the call no dearer."""
        hung_up = isinstance(problem, asyncio.CancelledError) and problem.args == (HUNG_UP,)
        if not hung_up or exchange.upload is not None or self._running >= self._most:
            return False
        wanted = self._hangup == "drain" or (self._hangup == "auto" and free)
        return wanted and billable(exchange.method, exchange.wire.operation, exchange.path)

    async def run(self, exchange: Exchange, read: Callable[[], Awaitable[object]]) -> None:
        """Read on, within limits; what comes of it stands in the tally. Cancelling ends it."""
        exchange.tally.error = CLIENT_GONE
        self._running += 1
        try:
            async with asyncio.timeout(self._longest_s):
                await read()
        except (TimeoutError, _Enough, Cut, UpstreamError):
            pass
        finally:
            self._running -= 1


class Nowhere:
    """Takes what nobody reads any more, up to ``MOST_BYTES``."""

    def __init__(self) -> None:
        self.size = 0

    async def __call__(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > MOST_BYTES:
            raise _Enough
