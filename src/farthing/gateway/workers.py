"""Several processes that serve on one socket."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

import msgspec
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from farthing.errors import FarthingError
from farthing.gateway.app import Gateway
from farthing.gateway.process import application, listening
from farthing.gateway.reload import difference, refused, report
from farthing.gateway.signals import has_terminal
from farthing.logs import log_to_stderr
from farthing.pipeline.runtime import price_book
from farthing.policy import Settings, Source
from farthing.policy.change import held

log = logging.getLogger("farthing")


class Worker(msgspec.Struct, frozen=True):
    """Makes the application of a worker process, from settings that have been read: they may be others by now, and
    wrong, when a worker has to be replaced.
    """

    source: Source
    settings: Settings

    def __call__(self) -> Gateway:
        """The application. Ends the process if there can be none."""
        log_to_stderr(self.settings.policy.server.log, self.settings.policy.server.log_level)
        threading.Thread(target=_end_with_parent, name="farthing parent watch", daemon=True).start()
        try:
            return listening(application(*self.settings), self.source, _silent)
        except FarthingError as problem:
            log.error("%s", problem)  # noqa: TRY400 - the message says it all
            sys.exit(STARTUP_FAILURE)


class Workers(Multiprocess):
    """Keeps them alive, and passes on what the process is told."""

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket.socket], source: Source, settings: Settings
    ) -> None:
        self._source, self._settings = source, settings
        self._terminal = has_terminal()
        super().__init__(config, sockets)

    def keep_subprocess_alive(self) -> None:
        """Replace those that have ended, and say so."""
        before = list(self.processes)
        for one in before:
            one.child_conn.close()  # now only the worker holds it: its end ends the wait for its sign of life
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=True):
            if new is not old:
                log.warning("worker %s ended with %s; %s takes its place", old.pid, old.exitcode, new.pid)

    def terminate_all(self) -> None:
        """Stop, in order. Whoever connects from now on is refused: nobody would answer him."""
        for one in self.sockets:
            one.close()
        super().terminate_all()

    def handle_hup(self) -> None:
        """New settings, which every worker takes on where it stands: putting others in their place, as uvicorn would,
        cuts every stream that takes longer than the grace.
        """
        if self._terminal and not has_terminal():
            self.should_exit.set()
            return
        try:
            policy, environ = self._source.read()
            price_book(policy)
        except FarthingError as problem:
            refused(problem)
            return
        old, (policy, waiting) = self._settings, held(self._settings.policy, policy)
        self._settings = Settings(policy, environ)
        self.config.app = Worker(self._source, self._settings)  # type: ignore[assignment] - whatever makes one
        for process in self.processes:
            # One that is not ready does not listen yet, and would die of it.
            if process.wait_until_ready(self.config.timeout_worker_healthcheck, self.should_exit):
                with suppress(ProcessLookupError, TypeError):
                    os.kill(process.pid, signal.SIGHUP)  # type: ignore[arg-type] - it has been started
        report(difference(*old, self._settings), waiting)


def _silent(_its: Sequence[str], _waiting: Sequence[str]) -> None:
    """The parent has said it."""


def _end_with_parent() -> None:
    """A parent that was killed must not leave workers behind that hold the port."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
