"""What has been shown, in a file that all workers share: whoever is asked, the counters go on from the same place.

Blocking. The file lies in ``[store]``'s folder ``<database>.metrics``.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from farthing.ledger.counts import Counts
from farthing.ledger.private import make_folder
from farthing.telemetry import families
from farthing.telemetry.ratchet import State, Sums, advanced
from farthing.types import Clock

log = logging.getLogger("farthing")

Look = Callable[[int | None], Counts]
"""The ledger's sums of the days from one on (``None``: all). May raise ``StoreError``."""


class Counters:
    """The counters of a ledger."""

    def __init__(self, folder: Path, clock: Clock, most: int) -> None:
        self._folder, self._clock, self._most = folder, clock, most
        self._state: State | None = None
        self._told = False

    def advance(self, look: Look) -> tuple[Sums, Counts]:
        """What may be shown now, and what it was made of. Raises what ``look`` raises.

        One look at a time, over all processes: an older one that came later would count the difference twice.
        Without the file, because the disk is full, each process goes on from what it knows.
        """
        with self._alone() as handle:
            state = self._read(handle) or self._state
            counts = look(None if state is None else state.since)
            self._state = advanced(state, sums(counts), self._clock(), self._most)
            self._write(handle, self._state)
            return self._state.shown, counts

    @contextmanager
    def _alone(self) -> Generator[int | None]:
        handle = self._opened()
        try:
            if handle is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            if handle is not None:
                os.close(handle)

    def _opened(self) -> int | None:
        try:
            make_folder(self._folder)
            return os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            self._failed(problem)
            return None

    @property
    def _path(self) -> Path:
        return self._folder / "counters.json"

    def _read(self, handle: int | None) -> State | None:
        if handle is None:
            return None
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=State)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as problem:
            self._failed(problem)
            return None

    def _write(self, handle: int | None, state: State) -> None:
        if handle is None:
            return
        beside = self._folder / "counters.new"
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(state))
            beside.replace(self._path)
        except OSError as problem:
            self._failed(problem)

    def _failed(self, problem: Exception) -> None:
        if not self._told:
            log.warning("%s: the metrics' counters cannot be kept: %s", self._folder, problem)
        self._told = True


def sums(counts: Counts) -> Mapping[int, Sums]:
    """The ledger's sums by the day, with the baseline and the histograms' buckets among them."""
    found: dict[int, Sums] = {}
    for start, day in counts.days.items():
        for its in day.values():
            for named in its.values():
                named[families.BASELINE] = named.get("cost", 0) + named.get("saved", 0)
        found[start] = dict(day)
    for start, values in counts.values.items():
        into = found.setdefault(start, {})
        for metric in families.HISTOGRAMS:
            into[metric] = {"": families.binned(values[metric])}
    return found
