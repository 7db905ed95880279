"""The engine: a thread with an event loop, in which the pipeline runs for all wrapped clients of this process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from farthing import tokens
from farthing.exchange import Exchange
from farthing.ledger import progress
from farthing.ledger.records import Settled
from farthing.pipeline.intake import Intake
from farthing.pipeline.keeper_watch import KeeperWatch
from farthing.pipeline.observe import Observer
from farthing.pipeline.runtime import Runtime
from farthing.policy import Policy
from farthing.sdk.call import Call, End
from farthing.telemetry.observers import observers

T = TypeVar("T")
LOOK_S = 0.05
"""Between two looks at how far the keeper has come."""
GRACE_S = 2.0
"""How long a close waits for the bills of calls whose readers have left."""
LOOP_S = 1.0
"""What an event loop needs to stop."""


@dataclass(frozen=True, eq=False, slots=True)
class Setup:
    """One configuration. Two are the same only if they are one."""

    policy: Policy
    environ: dict[str, str]


class Seat(NamedTuple):
    """Where a configuration is at work."""

    engine: Engine
    runtime: Runtime
    intake: Intake


class Engine:
    """Everything that farthing runs in this process for one ledger: journal, cache and keeper are shared by all
    configurations. Raises ``FarthingError`` if the ledger's files cannot be used.
    """

    def __init__(self, setup: Setup) -> None:
        tokens.warm()  # where a tokenizer is installed, loading it stops the process: better now than in a call
        self._observers = observers(setup.policy, setup.environ)
        self._store = setup.policy.store
        self._seats: dict[Setup, Seat] = {}
        self.calls: dict[asyncio.Task[End | None], Call] = {}
        self.closing = False
        self.loop = _new_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="farthing", daemon=True)
        self._thread.start()
        try:
            self.seat(setup)
        except BaseException:
            self._end_loop()
            raise
        self._keeper = KeeperWatch(setup.policy, sharing=True)

    def seat(self, setup: Setup) -> Seat:
        """Where this configuration is at work from now on. Not for two threads at a time. Raises ``FarthingError``."""
        return self._seats.get(setup) or self._in_loop(self._open(setup))

    def flush(self, patience_s: float) -> bool:
        """Wait until all that has ended is in the ledger; whether it is."""
        until = time.monotonic() + patience_s
        try:
            self._in_loop(self._readerless(), patience_s)
        except TimeoutError:
            return False
        journal, database = Path(self._store.journal), Path(self._store.path)
        wanted = progress.marks(journal)
        while not progress.reached(database, journal, wanted):
            if time.monotonic() > until:
                return False
            time.sleep(LOOK_S)
        return True

    def close(self, patience_s: float) -> None:
        """End what is under way, and enter it. What the keeper has not done in time it does afterwards."""
        until = time.monotonic() + patience_s
        with suppress(TimeoutError):
            self._in_loop(self._stop(min(GRACE_S, patience_s / 2)), patience_s)
        self._end_loop()
        for one in self._observers:
            one.close()
        self._keeper.stop(max(0.0, until - time.monotonic()))

    def forget(self) -> None:
        """In the child of a fork: all of it is the parent's."""
        self._keeper.forget()
        for seat in self._seats.values():
            seat.runtime.journal.forget()

    def ended(self, task: asyncio.Task[End | None]) -> None:
        """A call is no longer under way."""
        self.calls.pop(task).over(task)

    def _in_loop(self, work: Coroutine[Any, Any, T], patience_s: float | None = None) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(patience_s)

    def _end_loop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(LOOP_S)
        if not self._thread.is_alive():
            self.loop.close()

    # ------------------------------------------------------------ in the loop

    async def _open(self, setup: Setup) -> Seat:
        newest = next(reversed(self._seats.values()), None)
        if newest is None:
            runtime = Runtime(setup.policy, setup.environ, observers=[_Lasting(one) for one in self._observers])
            await runtime.start()
        else:
            runtime = await newest.runtime.following(setup.policy, setup.environ)
        seat = self._seats[setup] = Seat(self, runtime, Intake(runtime))
        return seat

    async def _readerless(self, patience_s: float | None = None) -> None:
        """Wait for the calls whose readers have left."""
        if tasks := [task for task, call in self.calls.items() if call.left]:
            await asyncio.wait(tasks, timeout=patience_s)

    async def _stop(self, grace_s: float) -> None:
        self.closing = True
        await self._readerless(grace_s)
        for task in list(self.calls):
            task.cancel()
        if self.calls:
            await asyncio.wait(list(self.calls))
        for seat in self._seats.values():
            await seat.runtime.stop()


class _Lasting:
    """An observer that is closed where an interpreter may end: outside the loop, which gets no more threads then."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def __call__(self, exchange: Exchange, settled: Settled) -> None:
        self._observer(exchange, settled)

    def close(self) -> None:
        """Not yet."""


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # on Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
