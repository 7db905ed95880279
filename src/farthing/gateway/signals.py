"""What the process is told while it serves. Stands before uvicorn's own handlers, which end it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

Handler = Callable[[int, FrameType | None], object]


def on_stop(leave: Callable[[], None], drain_s: float) -> None:
    """At SIGTERM and SIGINT call ``leave``; the stop itself begins ``drain_s`` seconds later, or at a second Ctrl-C.

    To be called in the main thread, in the running loop.
    """
    loop = asyncio.get_running_loop()
    told = False

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal told
        if told and number != signal.SIGINT:
            return  # a service manager tells every process, and so does their parent
        first, told = not told, True
        leave()
        if first and drain_s:
            loop.call_soon_threadsafe(loop.call_later, drain_s, stops[number], number, None)
        else:
            stops[number](number, frame)

    stops: dict[int, Handler] = {
        number: _callable(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)
    }
    for number in stops:
        signal.signal(number, handler)


def _callable(handler: object) -> Handler:
    if not callable(handler):
        raise TypeError("uvicorn has not set its handlers yet")
    return handler
