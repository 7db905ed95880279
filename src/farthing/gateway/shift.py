"""A runtime with the requests that began under it. They end under it, whatever is configured meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from farthing.gateway.intake import Intake
from farthing.pipeline.runtime import Runtime


class Shift:
    """From one reading of the settings to the next."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.intake = runtime, Intake(runtime)
        self._inside = 0
        self._empty: asyncio.Event | None = None
        self._ending: asyncio.Task[None] | None = None

    def enter(self) -> None:
        """A request begins."""
        self._inside += 1

    def leave(self) -> None:
        """It has ended."""
        self._inside -= 1
        if self._empty is not None and not self._inside:
            self._empty.set()

    def end(self, ended: Callable[[Shift], None]) -> None:
        """No more requests come: stop the runtime once the last one has ended, and say so."""
        self._empty = asyncio.Event()
        if not self._inside:
            self._empty.set()
        self._ending = asyncio.get_running_loop().create_task(self._end(self._empty, ended))

    async def _end(self, empty: asyncio.Event, ended: Callable[[Shift], None]) -> None:
        await empty.wait()
        await self.runtime.stop()
        ended(self)
