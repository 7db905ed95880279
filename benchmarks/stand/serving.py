"""Servers that say where they listen, in an environment without settings and keys; each ended by its own id."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from stand.process import Unmet, end, tail

FARTHING = (sys.executable, "-c", "from farthing.cli import main; main()")
START_S = 120.0
KEYS = {"OPENAI_API_KEY", "ANTHROPIC_API_KEY"}


@contextmanager
def serving(command: Sequence[str], log: Path, environ: Mapping[str, str], says: str) -> Generator[str]:
    """A server that prints where it listens; gives that address."""
    with started(command, log, environ) as process:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and process.poll() is None:
            if found := re.search(says + "\n", log.read_text(errors="replace")):
                yield found[1]
                return
            time.sleep(0.05)
        raise Unmet(f"{log.stem} did not start:\n{tail(log)}")


@contextmanager
def started(command: Sequence[str], log: Path, environ: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """A process, its output in ``log``; ended by its own id when the block is left."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment(environ),
            cwd=log.parent,
        )
        try:
            yield process
        finally:
            end(process)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This one without settings of farthing, real keys and proxies; the month's folder gets no compiled files."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FARTHING_") and name not in KEYS and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}
