"""Replies of one turn of the event loop go out together, once what they account for is in the journal.

So there is one write of the journal for all of them, and what a client sees is written all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

log = logging.getLogger("farthing")

OUTBOX = "farthing.outbox"
"""In the state of a lifespan: the function by which connections get it."""


class Outbox:
    """Of one event loop."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.before = before
        """To be called before anything is sent to a client; never raises."""
        self._loop = asyncio.get_running_loop()
        self._sends: list[Callable[[], None]] = []
        self._is_awake = False

    def put(self, send: Callable[[], None]) -> None:
        """Have this called at the end of the turn, after ``before``."""
        self._sends.append(send)
        self.wake()

    def wake(self) -> None:
        """There is something to do at the end of the turn, if only for ``before``."""
        if not self._is_awake:
            self._is_awake = True
            self._loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        sends, self._sends, self._is_awake = self._sends, [], False
        self.before()
        for send in sends:
            try:
                send()
            except Exception:  # one client's trouble is none of the others'
                log.exception("a reply could not be sent")
