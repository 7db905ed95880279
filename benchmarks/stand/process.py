"""Processes of the stand: pinned to a core, watched, ended by their own id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
END_S = 15.0

HOW_TO_GET = {
    "wrk": "the load generator: `apt-get install wrk` (Debian, Ubuntu), or build it from its sources",
    "nginx": "the constant upstream: `apt-get install nginx-light` (Debian, Ubuntu)",
    "taskset": "pins processes to cores: `apt-get install util-linux`; this benchmark runs on Linux only",
    "npm": "installs Portkey: comes with Node.js (`apt-get install nodejs npm`)",
}


class Unmet(Exception):
    """Something the benchmark needs is missing or does not work; the message says what, and the way out."""


@dataclass(frozen=True)
class Cores:
    """Which core runs what. With two cores the upstream and the load share one."""

    gateway: int
    upstream: int
    load: int

    @classmethod
    def of_this_machine(cls) -> Cores:
        """The first cores this process may use; raises ``Unmet`` with fewer than two."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise Unmet("the gateway benchmark needs two cores: one for the gateway, one for upstream and load")
        return cls(cores[0], cores[1], cores[2] if len(cores) > 2 else cores[1])


def need(program: str) -> str:
    """The path of a program; raises ``Unmet`` saying how to get it."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        raise Unmet(f"{program} is not installed. It is {HOW_TO_GET[program]}")
    return found


def free_port() -> int:
    """A loopback TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(
    command: Sequence[str], core: int, log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process on one core, its output in ``log``; ended by its own id when the block is left."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [need("taskset"), "-c", str(core), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
            cwd=log.parent,
        )
        try:
            yield process
        finally:
            end(process)


def end_in_order() -> None:
    """A signal unwinds the stack, so that every process is ended. What is ignored (``nohup``) stays ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda caught, _: sys.exit(128 + caught))


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, then make it and what it started stop."""
    below = family(process.pid)[1:]
    signal_to(process.pid, signal.SIGCONT)
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    deadline = time.monotonic() + END_S
    while (left := [pid for pid in below if Path(f"/proc/{pid}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def signal_to(pid: int, number: signal.Signals) -> None:
    """Send it to a process and all that it started."""
    for one in family(pid):
        with suppress(ProcessLookupError):
            os.kill(one, number)


@contextmanager
def awake(pid: int | None) -> Iterator[None]:
    """Let a paused process run for as long as the block; all others stay paused and cost nothing meanwhile."""
    if pid is None:
        yield
        return
    signal_to(pid, signal.SIGCONT)
    try:
        yield
    finally:
        signal_to(pid, signal.SIGSTOP)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, limit_s: float = 10.0) -> None:
    """Until something listens there; raises ``Unmet`` with the end of the log if that fails."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Unmet(f"nothing listens on port {port}:\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    """The end of a process's output."""
    return "\n".join(line[:300] for line in log.read_text(errors="replace").splitlines()[-lines:])


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())  # a child belongs to the thread that started it
        below = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in below for one in family(child))]


def cpu_s(pid: int) -> float:
    """CPU seconds a process and its living children have used."""
    return sum(sum(map(int, fields[11:13])) for fields in map(_stat, family(pid)) if fields) * TICK_S


def rss_mb(pid: int) -> list[float]:
    """Resident memory in MB of a process and each of its children."""
    return [round(int(fields[21]) * PAGE_KB / 1024, 1) for fields in map(_stat, family(pid)) if fields]


def _stat(pid: int) -> list[str]:
    """``/proc/PID/stat`` after the name: state first, so field n of the manual is n - 3."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
