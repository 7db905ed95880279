"""Watches over the keeper of the ledger, a process of its own, for a process that writes the journal."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

from farthing.ledger import pulse
from farthing.policy import Policy
from farthing.policy.units import seconds

log = logging.getLogger("farthing")

KEEPER_STOP_S = 30.0
RESTART_S = 1.0


class KeeperWatch:
    """Starts the keeper, and starts it again if it dies."""

    def __init__(self, policy: Policy, *, sharing: bool = False) -> None:
        """``sharing``: no keeper is started while that of another process is at work."""
        self._policy, self._sharing = policy, sharing
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="farthing keeper watch", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = KEEPER_STOP_S) -> None:
        """Let it finish. If it has just died, as where every process was told to stop, another one finishes."""
        with self._lock:
            self._stopping.set()
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
        if self._process is not None:
            _end(self._process, patience_s)
        self._thread.join(patience_s)

    def forget(self) -> None:
        """In the child of a fork: the keeper is the parent's, and has to see when that one ends."""
        if self._process is not None:
            _close_input(self._process)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                process = None if self._stopping.is_set() else self._started()
                self._process = process or self._process
            if process is not None:
                code = process.wait()
                _close_input(process)
                if self._stopping.is_set():
                    return
                log.warning(
                    "the keeper of the ledger ended with %s; the journal keeps everything, starting it again", code
                )
            self._stopping.wait(RESTART_S)

    def _started(self) -> subprocess.Popen[bytes] | None:
        try:
            if self._sharing and pulse.is_held(pulse.lock_file(Path(self._policy.store.path))):
                return None
            return _start_keeper(self._policy)
        except OSError as problem:
            log.warning("the keeper of the ledger cannot be started: %s; the journal keeps everything", problem)
            return None


def _start_keeper(policy: Policy) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "farthing.pipeline.keeping", "--store", policy.store.url]
    command += ["--journal", policy.store.journal, "--retention", str(seconds(policy.store.retention))]
    command += ["--log", policy.server.log, "--log-level", policy.server.log_level]
    # A process group of its own: Ctrl-C is for the parent, whose end tells the keeper to finish. But not a session of
    # its own: Linux shares the processor between sessions first, and the keeper's low priority would count for nothing.
    # Who reads what the parent prints does not wait for the keeper, which prints nothing.
    return subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
    )


def _end(process: subprocess.Popen[bytes], patience_s: float) -> None:
    """Its end of file tells the keeper to finish and go."""
    _close_input(process)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        log.warning("the keeper of the ledger is still at work; it ends by itself when it has done")


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
