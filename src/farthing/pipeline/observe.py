"""Those who want to know of every request that has ended. They come after the reply, and never in its way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from farthing.exchange import Exchange
from farthing.ledger.records import Settled

log = logging.getLogger("farthing")


class Observer(Protocol):
    """Is told of what has been settled, in the event loop: what takes long is for a thread."""

    def __call__(self, exchange: Exchange, settled: Settled) -> None:
        """May fail."""
        ...

    def close(self) -> None:
        """Finish what is left; nothing more comes. Blocking."""
        ...


class Observers:
    """All of them."""

    def __init__(self, them: Sequence[Observer] = ()) -> None:
        self._all = tuple(them)
        self._failed: set[int] = set()

    def tell(self, exchange: Exchange, settled: Settled) -> None:
        """When the loop has time."""
        if self._all:
            asyncio.get_running_loop().call_soon(self._tell, exchange, settled)

    async def close(self) -> None:
        """At the end."""
        for one in self._all:
            await asyncio.to_thread(one.close)

    def _tell(self, exchange: Exchange, settled: Settled) -> None:
        for place, one in enumerate(self._all):
            try:
                one(exchange, settled)
            except Exception:
                if place not in self._failed:  # once: it would fail for every request
                    log.exception("an observer failed; requests go on")
                self._failed.add(place)
