"""New settings for a gateway that goes on serving. Settings that cannot be used change nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from farthing.errors import FarthingError
from farthing.gateway.app import Gateway
from farthing.policy import Policy, Settings, Source
from farthing.policy.change import changed, held

log = logging.getLogger("farthing")

Report = Callable[[Sequence[str], Sequence[str]], None]
"""Told what has changed, and what waits for a restart."""


class Reload:
    """Reads the settings again whenever it is called, one time after the other."""

    def __init__(self, gateway: Gateway, source: Source, report: Report) -> None:
        self._gateway, self._source, self._report = gateway, source, report
        self._alone = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self) -> None:
        """Begin. To be called in the loop."""
        task = asyncio.get_running_loop().create_task(self.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """From now on new requests get the new settings, or a line in the log says why not."""
        async with self._alone:
            old = self._gateway.runtime
            try:
                policy, environ = self._source.read()
                policy, waiting = held(old.policy, policy)
                new = await old.following(policy, environ)
            except FarthingError as problem:
                refused(problem)
            except Exception:
                log.exception("the settings could not be read again; the old ones stay")
            else:
                self._gateway.take_over(new)
                self._report(difference(old.policy, old.environ, Settings(policy, environ)), waiting)


def refused(problem: FarthingError) -> None:
    """Say that nothing has changed, and why."""
    log.error("the new settings are refused, the old ones stay: %s", problem)


def difference(policy: Policy, environ: Mapping[str, str], new: Settings) -> list[str]:
    """The names of settings and variables that have changed; a variable's value is nobody's business."""
    variables = {name for name in {*environ, *new.environ} if environ.get(name) != new.environ.get(name)}
    return [*changed(policy, new.policy), *sorted(variables)]


def report(its: Sequence[str], waiting: Sequence[str]) -> None:
    """A line for what has changed, and one for what will."""
    log.info("the settings were read again: %s", f"changed {', '.join(its)}" if its else "nothing in them has changed")
    if waiting:
        log.warning("changed as well, and without effect until the next start: %s", ", ".join(waiting))
