"""The engines of this process: one for each ledger, begun when it is first wanted, and again in the child of a fork."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time

from farthing.errors import FarthingError
from farthing.policy import Policy
from farthing.sdk.engine import Engine, Seat, Setup

log = logging.getLogger("farthing")

EXIT_S = 10.0
"""How long the end of the interpreter waits at most."""


class Engines:
    """Safe for any number of threads."""

    def __init__(self) -> None:
        self._setups: list[Setup] = []
        self._orphans: list[Engine] = []
        """The parent's, in the child of a fork: kept, since taking them apart could touch what is the parent's."""
        self._begin_anew()
        self._over = False
        atexit.register(self._exit)
        os.register_at_fork(after_in_child=self._forked)

    def setup(self, policy: Policy, environ: dict[str, str]) -> Setup:
        """The one for these settings."""
        with self._lock:
            for one in self._setups:
                if (one.policy, one.environ) == (policy, environ):
                    return one
            self._setups.append(Setup(policy, environ))
            return self._setups[-1]

    def seat(self, setup: Setup) -> Seat:
        """Where calls with these settings go. Raises ``FarthingError`` if it cannot begin."""
        return self._seats.get(setup) or self._begun(setup)

    def working_seat(self, setup: Setup) -> Seat | None:
        """The same; ``None`` where there can be none any more: it began once, so its calls go on without it."""
        try:
            return self.seat(setup)
        except (FarthingError, OSError, RuntimeError) as problem:  # RuntimeError: no more threads, at the very end
            if not self._failing:
                log.error("farthing cannot work, calls go on without it and are in no ledger: %s", problem)  # noqa: TRY400
            self._failing = True
            return None

    def flush(self, patience_s: float) -> bool:
        """Wait until all that has ended is in the ledgers; whether it is."""
        until = time.monotonic() + patience_s
        return all(one.flush(max(0.0, until - time.monotonic())) for one in list(self._engines.values()))

    def close(self, patience_s: float) -> None:
        """Close all; a later call begins anew."""
        with self._lock:
            engines = list(self._engines.values())
            self._seats, self._engines = {}, {}
            until = time.monotonic() + patience_s
            for one in engines:
                one.close(max(0.0, until - time.monotonic()))

    def _begun(self, setup: Setup) -> Seat:
        with self._lock:
            if self._over:
                raise RuntimeError("the interpreter ends")
            store = setup.policy.store.url
            engine = self._engines.get(store)
            if engine is None:
                engine = self._engines[store] = Engine(setup)
            seat = self._seats[setup] = engine.seat(setup)
            self._failing = False
            return seat

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._seats: dict[Setup, Seat] = {}
        self._engines: dict[str, Engine] = {}
        self._failing = False

    def _forked(self) -> None:
        for one in self._engines.values():
            one.forget()
            self._orphans.append(one)
        self._begin_anew()

    def _exit(self) -> None:
        self._over = True
        self.close(EXIT_S)


ENGINES = Engines()
"""Of this process: there is one interpreter to end and one journal to write."""
