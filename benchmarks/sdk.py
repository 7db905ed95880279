"""What ``farthing.wrap`` adds to a call of the official OpenAI client: wrapped beside plain, in one process.

    python benchmarks/sdk.py [--calls 200] [--rounds 5] [--json FILE]

The upstream is a process of its own that says the same every time. The contenders take turns, round by round, one call
after the other; quoted are medians over all calls. The keeper of the ledger runs beside them, as it does in an app.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import openai

import farthing

Times = list[float]
CONTENDERS = {"plain": None, "observe": "observe", "save, all misses": "save", "save, all hits": "save"}
KINDS = ("whole", "stream of 100", "asyncio, whole", "asyncio, stream of 100")
EVENTS = 99
"""Words in a stream; what says its end and usage comes besides."""
NUMBERS = count()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200, help="of each contender in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    with upstream() as url, tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(url, folder, options.calls, options.rounds))
        began = time.perf_counter()
        farthing.close(60)
        close_s = time.perf_counter() - began
    rows = [row(kind, name, times, found[kind, "plain"]) for (kind, name), times in found.items()]
    print(table(rows))
    if options.json:
        machine = {
            "python": platform.python_version(),
            "system": platform.platform(),
            "openai": openai.__version__,
            "load": round(os.getloadavg()[0], 1),
        }
        whole = {"machine": machine, "calls": options.calls, "rounds": options.rounds, "close_s": round(close_s, 3)}
        options.json.write_text(json.dumps(whole | {"rows": rows}, indent=1) + "\n")


async def measured(url: str, folder: str, calls: int, rounds: int) -> dict[tuple[str, str], Times]:
    """Seconds of every call, by kind and contender; the first round warms up and does not count."""
    runs = {(kind, name): runner(kind, name, made(kind, name, url, folder)) for kind in KINDS for name in CONTENDERS}
    found: dict[tuple[str, str], Times] = {place: [] for place in runs}
    for number in range(rounds + 1):
        for place, run in runs.items():
            times = await run(calls if number else max(1, calls // 10))
            found[place] += times if number else []
    return found


def made(kind: str, name: str, url: str, folder: str) -> Any:  # noqa: ANN401 - one of two clients
    """A client of this contender."""
    plain = (openai.AsyncOpenAI if kind.startswith("asyncio") else openai.OpenAI)(
        base_url=f"{url}/v1", api_key="sk-bench", max_retries=0
    )
    mode = CONTENDERS[name]
    if mode is None:
        return plain
    return farthing.wrap(plain, mode=mode, environ={"FARTHING_STORE_URL": f"sqlite:///{folder}/bench.db"})


def runner(kind: str, name: str, client: Any) -> Callable[[int], Awaitable[Times]]:  # noqa: ANN401
    """Makes so many calls; gives the seconds of each."""
    stream = "stream" in kind

    async def once() -> None:
        given = {"model": "gpt-4o-mini", "messages": asked(kind, name), "stream": stream}
        if not kind.startswith("asyncio"):
            reply = client.chat.completions.create(**given)
            assert not stream or sum(1 for _ in reply) >= EVENTS, name
            return
        reply = await client.chat.completions.create(**given)
        assert not stream or sum([1 async for _ in reply]) >= EVENTS, name

    async def run(calls: int) -> Times:
        times: Times = []
        for _ in range(calls):
            began = time.perf_counter()
            await once()
            times.append(time.perf_counter() - began)
        return times

    return run


def asked(kind: str, name: str) -> list[dict[str, str]]:
    """Something else every time, unless it shall be found in the cache."""
    text = f"What does it cost to top up a card ({kind})?"
    return [{"role": "user", "content": text if name.endswith("hits") else f"{text} Number {next(NUMBERS)}."}]


def row(kind: str, name: str, times: Times, plain: Times) -> dict[str, Any]:
    """Milliseconds."""
    return {
        "kind": kind,
        "contender": name,
        "calls": len(times),
        "median_ms": round(median(times) * 1e3, 3),
        "p95_ms": round(quantiles(times, n=20)[-1] * 1e3, 3),
        "added_ms": round((median(times) - median(plain)) * 1e3, 3),
    }


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'':24} {'':18} {'median':>9} {'p95':>9} {'added':>9}  (ms)"]
    lines += [
        f"{one['kind']:24} {one['contender']:18} {one['median_ms']:9.2f} {one['p95_ms']:9.2f} {one['added_ms']:9.2f}"
        for one in rows
    ]
    return "\n".join(lines)


@contextmanager
def upstream() -> Iterator[str]:
    """A provider that is quick and always says the same."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "stand.sse_mock", str(port)], cwd=Path(__file__).parent)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
