"""What the processes look like from outside: memory, files, sockets, the backlog of the journal. Linux only."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TELL_S = 5.0
LISTENING = "0A"


@dataclass(frozen=True)
class Sample:
    """At one moment, in seconds since the start; memory in MB."""

    at_s: float
    gateway_rss: float
    gateway_heap: float
    """Anonymous memory: without files that are mapped."""
    keeper_rss: float
    keeper_heap: float
    fds: int
    """Open files and sockets, connections to the provider left out."""
    clients: int
    """Connections of clients."""
    upstream: int
    """Connections to the provider: what is idle is kept for the next request."""
    tasks: int | None
    backlog: int
    """Bytes of the journal that are not in the ledger yet."""
    ledger: float
    """The ledger's file."""


class Watcher:
    """Looks at a gateway and its keeper."""

    def __init__(self, gateway: int, keeper: int, ports: tuple[int, int], store: Path, tells: Path) -> None:
        """``ports``: the gateway's and the provider's."""
        self._gateway, self._keeper, self._ports, self._store, self._tells = gateway, keeper, ports, store, tells
        self._begun = time.monotonic()

    def sample(self) -> Sample:
        """One look."""
        rss, heap = memory_mb(self._gateway)
        keeper_rss, keeper_heap = memory_mb(self._keeper)
        clients, upstream = self._connections()
        return Sample(
            at_s=round(time.monotonic() - self._begun, 1),
            gateway_rss=rss,
            gateway_heap=heap,
            keeper_rss=keeper_rss,
            keeper_heap=keeper_heap,
            fds=len(list(Path(f"/proc/{self._gateway}/fd").iterdir())) - upstream,
            clients=clients,
            upstream=upstream,
            tasks=self._told(signal.SIGUSR1)["tasks"],
            backlog=backlog(self._store),
            ledger=round(self._store.stat().st_size / 2**20, 3),
        )

    def kept(self) -> dict[str, int]:
        """Objects of requests that are still there."""
        kept: dict[str, int] = self._told(signal.SIGUSR2)["kept"]
        return kept

    def _connections(self) -> tuple[int, int]:
        sockets: dict[str, str] = {}
        for path in Path(f"/proc/{self._gateway}/fd").iterdir():
            with suppress(OSError):
                target = str(path.readlink())
                if target.startswith("socket:["):
                    sockets[target[8:-1]] = path.name
        ends = ends_of(sockets, Path("/proc/net/tcp").read_text())
        own, provider = self._ports
        return sum(local == own for local, _ in ends), sum(remote == provider for _, remote in ends)

    def _told(self, number: signal.Signals) -> dict[str, Any]:
        before = self._lines()
        os.kill(self._gateway, number)
        deadline = time.monotonic() + TELL_S
        while len(lines := self._lines()) == len(before):
            if time.monotonic() > deadline:
                return {"tasks": None, "kept": {"(no answer)": 1}}
            time.sleep(0.002)
        told: dict[str, Any] = json.loads(lines[-1])
        return told

    def _lines(self) -> Sequence[str]:
        return self._tells.read_text().splitlines() if self._tells.exists() else []


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory without the mapped file of the cache, and the anonymous part of it."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    fields = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    cache = mapped_kb(Path(f"/proc/{pid}/smaps").read_text(), "data.mdb")
    return round((fields["Rss"] - cache) / 1024, 3), round(fields["Anonymous"] / 1024, 3)


def mapped_kb(smaps: str, name: str) -> int:
    """How much of a mapped file is in memory, from ``/proc/PID/smaps``."""
    total, inside = 0, False
    for line in smaps.splitlines():
        first = line.split(maxsplit=1)[0]
        if not first.endswith(":"):
            inside = line.endswith(f"/{name}")
        elif inside and first == "Rss:":
            total += int(line.split()[1])
    return total


def ends_of(sockets: Mapping[str, str], table: str) -> list[tuple[int, int]]:
    """Local and remote port of the connections among a process's sockets (by inode), from ``/proc/net/tcp``."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return [
        (int(row[1].partition(":")[2], 16), int(row[2].partition(":")[2], 16))
        for row in rows
        if row[9] in sockets and row[3] != LISTENING
    ]


def backlog(store: Path) -> int:
    """Bytes of the journal that the keeper has not taken in."""
    taken: dict[str, int] = {}
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=1)) as ledger:
        taken = dict(ledger.execute("SELECT name, offset FROM segments"))
    sizes: dict[str, int] = {}
    for path in store.with_name(f"{store.name}.journal").glob("*"):
        with suppress(OSError):
            sizes[path.name] = path.stat().st_size
    return sum(max(0, size - taken.get(name, 0)) for name, size in sizes.items())
