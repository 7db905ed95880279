"""A run: the simulator, the gateway, the clients, and somebody who looks on. Every process is ended by its own id."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from urllib.parse import urlsplit

from stand.books import compare, invoice_of, ledger_of
from stand.process import Unmet, family, tail
from stand.serving import serving, started

from soaks.clients import Clients, Sent
from soaks.judge import Run
from soaks.watch import Sample, Watcher

START_S, REST_S = 60.0, 40.0
"""``REST_S``: how long the gateway may take to come to rest."""
SETTINGS = """
mode = "save"
[cache]
max_size = "16MB"          # full before memory is judged: what is mapped of it counts as memory
[retries]
deadline = "10s"
[rates.openai]             # far above what is sent: the way through the limits is walked, nobody waits for long
requests_per_minute = 60_000
tokens_per_minute = 100_000_000
"""


def soak(folder: Path, seconds: float, every_s: float, phase_s: float, rate: float, seed: int, grown_mb: float) -> Run:
    """Raises ``Unmet``."""
    store, tells = folder / "soak.db", folder / "tells"
    simulator = [sys.executable, "-m", "farthing.simulator", "--port", "0", "--seed", str(seed)]
    with serving(simulator, folder / "provider.log", {}, r"listening on (http://\S+)") as provider:
        with gateway(folder, store, tells, provider) as (url, process):
            ports = urlsplit(url).port or 0, urlsplit(provider).port or 0
            watcher = Watcher(process.pid, keeper_of(process), ports, store, tells)
            clients = Clients(url, provider, seed, rate, phase_s)
            before = watcher.sample()
            samples = asyncio.run(watched(clients, watcher, seconds, every_s))
            after = settled(watcher, before)
            kept = watcher.kept()
        books = compare(*ledger_of(store), invoice_of(provider), clients.sent.direct_ids)
    return Run(samples, before, after, kept, whole(clients.sent), books, grown_mb)


async def watched(clients: Clients, watcher: Watcher, seconds: float, every_s: float) -> list[Sample]:
    """The load, and a sample every few seconds until it ends."""
    samples: list[Sample] = []
    load = asyncio.ensure_future(clients.run(seconds))
    end = time.monotonic() + seconds
    while not load.done():
        if time.monotonic() < end:  # what is waited for afterwards is no load
            samples.append(await asyncio.to_thread(watcher.sample))
        say(samples[-1], clients.sent)
        await asyncio.wait([load], timeout=every_s)
    await load
    return samples


def settled(watcher: Watcher, before: Sample) -> Sample:
    """The gateway once it has come to rest, or what it is like when it should have."""
    deadline = time.monotonic() + REST_S
    while True:
        now = watcher.sample()
        rests = now.fds <= before.fds and not now.clients and not now.backlog and now.tasks == before.tasks
        if rests or time.monotonic() > deadline:
            return now
        time.sleep(1)


def whole(sent: Sent) -> Sent:
    """Without the last window, which was cut short, if there are others."""
    if len(sent.windows) > 1:
        sent.windows.pop()
    return sent


@contextmanager
def gateway(folder: Path, store: Path, tells: Path, provider: str) -> Generator[tuple[str, Popen[bytes]]]:
    """``farthing serve``, watched from within by ``observed.py``; gives its address and process."""
    config, log = folder / "farthing.toml", folder / "gateway.log"
    config.write_text(SETTINGS)
    environ = {
        "FARTHING_STORE_URL": f"sqlite:///{store}",
        "FARTHING_PROVIDERS_OPENAI_BASE_URL": f"{provider}/v1",
        "FARTHING_PROVIDERS_ANTHROPIC_BASE_URL": provider,
        "SOAK_TELLS": str(tells),
    }
    script = Path(__file__).with_name("observed.py")
    command = [sys.executable, str(script), "serve", "--config", str(config), "--port", "0"]
    with started(command, log, environ) as process:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and process.poll() is None:
            if found := re.search(r"Anthropic +base_url = (http://\S+)\n", log.read_text(errors="replace")):
                yield found[1], process
                return
            time.sleep(0.05)
        raise Unmet(f"the gateway did not start:\n{tail(log)}")


def keeper_of(process: Popen[bytes]) -> int:
    """The process that writes the ledger."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        for pid in family(process.pid)[1:]:
            if b"keeping" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        time.sleep(0.05)
    raise Unmet("the gateway has no keeper")


def say(now: Sample, sent: Sent) -> None:
    """Progress, to standard error."""
    memory = f"gateway {now.gateway_rss:6.1f} MB  keeper {now.keeper_rss:6.1f} MB"
    held = f"{now.fds:4} files  {now.upstream:3} upstream  {now.tasks} tasks  {now.backlog:8,} bytes behind"
    print(f"{now.at_s:7.0f} s  {sent.requests:7,} sent  {memory}  {held}  {len(sent.lost)} lost", file=sys.stderr)
