"""What the process is told while it serves. Stands before uvicorn's own handlers, which end it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType

Handler = Callable[[int, FrameType | None], object]


def on_stop(leave: Callable[[], None], notice_s: float) -> None:
    """At SIGTERM and SIGINT call ``leave``; the stop itself begins ``notice_s`` seconds later, or at a second Ctrl-C.

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
        if first and notice_s:
            loop.call_soon_threadsafe(loop.call_later, notice_s, stops[number], number, None)
        else:
            stops[number](number, frame)

    stops: dict[int, Handler] = {
        number: _callable(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)
    }
    for number in stops:
        signal.signal(number, handler)


def on_hangup(reload: Callable[[], None]) -> None:
    """At SIGHUP call ``reload`` in the loop; stop if it came because the terminal was closed. To be called likewise."""
    loop, terminal = asyncio.get_running_loop(), has_terminal()

    def handler(_number: int, _frame: FrameType | None) -> None:
        if terminal and not has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            loop.call_soon_threadsafe(reload)

    signal.signal(signal.SIGHUP, handler)


def has_terminal() -> bool:
    """Whether somebody sits before it: one that was closed is none."""
    return any(os.isatty(handle) for handle in range(3))


def _callable(handler: object) -> Handler:
    if not callable(handler):
        raise TypeError("uvicorn has not set its handlers yet")
    return handler
