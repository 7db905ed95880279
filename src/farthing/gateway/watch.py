"""Looks now and then whether files have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

EVERY_S = 2.0

State = tuple[tuple[int, int, int] | None, ...]


class Watch:
    """A thread that calls ``changed`` when files are other than they were, and have been so for one look: what is
    still being written is left alone.
    """

    def __init__(
        self, files: Callable[[], Iterable[Path]], changed: Callable[[], None], *, every_s: float = EVERY_S
    ) -> None:
        self._files, self._changed, self._every_s = files, changed, every_s
        self._known = self._seen = self._state()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="farthing settings watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()

    def look(self) -> None:
        """One look."""
        before, self._seen = self._seen, self._state()
        if self._seen == before != self._known:
            self._known = before
            self._changed()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            self.look()

    def _state(self) -> State:
        return tuple(_state(path) for path in self._files())


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
