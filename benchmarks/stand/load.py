"""Load: wrk for rates and latencies, one plain socket for the time to a stream's first event."""

from __future__ import annotations

import json
import math
import os
import socket
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stand.contenders import QUESTION, Target
from stand.process import Unmet, cpu_s, need

SCRIPT = """
wrk.method = "POST"
{headers}
local before, after = [==[{before}]==], [==[{after}]==]
local body, n = before .. after, 0
wrk.body = body
{distinct}
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('figures {{"requests": %d, "us": %d, "errors": %d, "p50": %.1f, "p90": %.1f, "p99": %.1f}}\\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99)))
end
"""
DISTINCT = """
function request()
  n = n + 1
  return wrk.format(nil, nil, nil, before .. n .. after)
end
"""
STREAMS = 20


@dataclass(frozen=True)
class Figures:
    """One run of wrk. Latencies in ms, of whole answers, as the load generator sees them.

    A run without one answer has the length of the run as its latencies: they are at least that.
    """

    per_s: float
    p50: float
    p90: float
    p99: float
    errors: int
    cpu_us: float | None
    """CPU time the gateway's processes used for each request, in µs (clock ticks of 10 ms)."""


def wrk(target: Target, core: int, folder: Path, connections: int, seconds: int, *, stream: bool = False) -> Figures:
    """Requests one after another on each of the connections, as fast as they are answered."""
    script = folder / "wrk.lua"
    script.write_text(_script(target, stream=stream))
    command = [need("taskset"), "-c", str(core), need("wrk"), "-t1", f"-c{connections}"]
    command += [f"-d{seconds}s", "--timeout", "30s", "-s", str(script), target.url]
    used = cpu_s(target.pid) if target.pid else 0.0
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    used = cpu_s(target.pid) - used if target.pid else 0.0
    line = next((line for line in done.stdout.splitlines() if line.startswith("figures ")), None)
    if line is None:
        raise Unmet(f"wrk gave no figures:\n{done.stdout}{done.stderr}")
    got = json.loads(line.removeprefix("figures "))
    if not got["requests"]:
        at_least = seconds * 1000.0
        return Figures(0.0, at_least, at_least, at_least, got["errors"], None)
    return Figures(
        per_s=got["requests"] / (got["us"] / 1e6),
        p50=got["p50"] / 1000,
        p90=got["p90"] / 1000,
        p99=got["p99"] / 1000,
        errors=got["errors"],
        cpu_us=used * 1e6 / got["requests"] if target.pid else None,
    )


def _script(target: Target, *, stream: bool) -> str:
    """Where each request has to ask something else, the question ends with a mark of this run and a number."""
    question = f"{QUESTION} Run {os.urandom(8).hex()}, number @" if target.distinct else QUESTION
    before, _, after = target.body(question, stream=stream).partition("@")
    headers = {"content-type": "application/json", **target.headers}
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    return SCRIPT.format(
        headers="\n".join(lines), before=before, after=after, distinct=DISTINCT if target.distinct else ""
    )


def first_event_ms(target: Target, core: int) -> float:
    """Median time from a request to its first event, one stream at a time, events a millisecond apart."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return statistics.median(_first_events(target)) * 1000
    finally:
        os.sched_setaffinity(0, ours)


def _first_events(target: Target) -> list[float]:
    parts = urlsplit(target.url)
    body = target.body(f"{QUESTION} Answer at a paced rate.", stream=True).encode()
    names = {"host": parts.netloc, "content-type": "application/json", "content-length": len(body), **target.headers}
    head = f"POST {parts.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in names.items())
    request = head.encode() + b"\r\n" + body
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return [_first_event(connection, request) for _ in range(STREAMS)]


def _first_event(connection: socket.socket, request: bytes) -> float:
    started = time.perf_counter()
    connection.sendall(request)
    got, first = b"", math.nan
    while not got.endswith(b"0\r\n\r\n"):
        data = connection.recv(65536)
        if not data:
            raise Unmet(f"a stream was cut:\n{got[-300:].decode(errors='replace')}")
        got += data
        if math.isnan(first) and b"data:" in got:
            first = time.perf_counter() - started
    return first
