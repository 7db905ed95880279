"""How fast the ledger takes in requests, and how fast it answers: a made-up month of traffic through the journal.

    python benchmarks/ledger.py [--rows 1000000] [--ids ordered|random] [--json FILE] [--keep DIR]

Every request is opened and settled in the journal, by another process than the one that is measured; one keeper in one
process ingests it all. Then reports are asked for: within this process, and the overview as a user has it, by running
``farthing report``.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from farthing.ledger import listing, query
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.records import Call, Entry, Opened, Settled, Shape
from farthing.ledger.store import Store, open_store
from farthing.types import Caller, Usage

START = 1_793_491_200.0  # 2026-11-01
MONTH = 30 * 86_400
MODELS = [  # provider, asked for, reported, nano-dollars a token: input, cached, output
    ("openai", "gpt-4o", "gpt-4o-2024-08-06", 2_500, 1_250, 10_000),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", 150, 75, 600),
    ("openai", "o4-mini", "o4-mini-2025-04-16", 1_100, 275, 4_400),
    ("anthropic", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20241022", 3_000, 300, 15_000),
    ("anthropic", "claude-3-haiku-20240307", "claude-3-haiku-20240307", 250, 30, 1_250),
    ("groq", "llama-3.3-70b", "llama-3.3-70b", 590, 590, 790),
]
FEATURES = [f"feature-{number}" for number in range(12)]
TENANTS = ["default", "acme", "globex"]
USERS, QUERY_TYPES = 2_000, 40
ODD = START + 7.3 * 86_400 + 123.456
"""Neither at a day nor at an hour."""
RUNS = 7
clock = time.time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ids", choices=["ordered", "random"], default="ordered", help="ids in order of time, or not")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--keep", type=Path, help="a folder for the ledger, kept afterwards")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(options.write, options.rows, ordered=options.ids == "ordered")
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(options.keep or Path(scratch), options.rows, options.ids)
    print("\n".join(table(found)))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def measure(folder: Path, rows: int, ids: str) -> dict[str, Any]:
    journal = folder / "farthing.db.journal"
    command = [sys.executable, __file__, "--write", str(journal), "--rows", str(rows), "--ids", ids]
    written = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    store = open_store(f"sqlite:///{folder / 'farthing.db'}", clock)
    ingest_s, cpu_s = ingest(store, journal, rows)
    size = sum(path.stat().st_size for path in folder.glob("farthing.db*") if path.is_file())
    with sqlite3.connect(store.path) as connection:
        tables = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 8"))
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}",
        "rows": rows,
        "ids": ids,
        "journal": written,
        "ingest_rows_per_s": round(rows / ingest_s),
        "ingest_rows_per_cpu_s": round(rows / cpu_s),
        "keeper_peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "database_mb": size >> 20,
        "bytes_per_request": size // rows,
        "tables_mb": {name: round(pages / 2**20, 1) for name, pages in tables.items()},
        "seconds": reports(store),
        "command_seconds": commands(folder),
    }


def ingest(store: Store, journal: Path, rows: int) -> tuple[float, float]:
    keeper = Keeper(store, journal, clock)
    gc.disable()  # as the keeper's process does
    began, cpu = time.perf_counter(), time.process_time()
    entered = keeper.run_once()
    spent = time.perf_counter() - began, time.process_time() - cpu
    gc.enable()
    keeper.close()
    if entered != rows:
        raise SystemExit(f"{entered} of {rows} requests have been entered")
    return spent


def reports(store: Store) -> dict[str, float]:
    """The second of two runs of each: what a dashboard sees."""
    asked: dict[str, Callable[[], object]] = {
        "report": lambda: query.report(store),
        **{f"report by {by}": lambda by=by: query.report(store, by) for by in query.GROUPINGS},
        "report by feature, odd span": lambda: query.report(store, "feature", ODD, ODD + 10 * 86_400),
        "report by user, odd span": lambda: query.report(store, "user", ODD, ODD + 10 * 86_400),
        "report by user, one tenant, top 7": lambda: query.report(store, "user", tenant="acme", limit=7),
        "spend by feature and day": lambda: query.timeseries(store, "feature", "day"),
        "spend by feature and hour": lambda: query.timeseries(store, "feature", "hour"),
        "last 50 requests": lambda: listing.requests(store, 50),
        "last 50 unpriced": lambda: listing.requests(store, 50, listing.Filter(source="unpriced")),
        "last 50 of a user": lambda: listing.requests(store, 50, listing.Filter(user="user-1999")),
        "one request": lambda: listing.request(store, "fr_nobody"),
    }
    found: dict[str, float] = {}
    for name, ask in asked.items():
        for _ in range(2):
            began = time.perf_counter()
            ask()
            found[name] = round(time.perf_counter() - began, 4)
    return found


def commands(folder: Path) -> dict[str, dict[str, float]]:
    """``farthing report`` as a user runs it, from the start of the process to its end: the median and the slowest."""
    farthing = [str(Path(sys.executable).with_name("farthing")), "report", "--store", "sqlite:///farthing.db"]
    odd = datetime.fromtimestamp(ODD, UTC).isoformat()
    found: dict[str, dict[str, float]] = {}
    for name, more in (("farthing report", []), (f"farthing report --since {odd}", ["--since", odd])):
        spent: list[float] = []
        for _ in range(RUNS):
            began = time.perf_counter()
            subprocess.run([*farthing, *more], check=True, cwd=folder, stdout=subprocess.DEVNULL)
            spent.append(round(time.perf_counter() - began, 3))
        found[name] = {"median": median(spent), "slowest": max(spent)}
    return found


def table(found: dict[str, Any]) -> Iterator[str]:
    """The figures for people."""
    yield f"{found['machine']}; {found['rows']:,} requests, ids {found['ids']}"
    for name in ("ingest_rows_per_s", "ingest_rows_per_cpu_s", "keeper_peak_rss_mb", "database_mb"):
        yield f"{name.replace('_', ' '):50}{found[name]:>10,}"
    yield f"{'append to the journal, us':50}{found['journal']['append_us']:>10,}"
    for name, its in found["command_seconds"].items():
        yield f"{name:50}{its['median']:>10.3f} s (slowest {its['slowest']:.3f} s)"
    for name, spent in found["seconds"].items():
        yield f"{name:50}{spent:>10.4f} s"


def write(folder: Path, rows: int, *, ordered: bool) -> None:
    journal = Journal(folder, clock)
    spent = 0.0
    for entry in traffic(rows, ordered=ordered):
        began = time.perf_counter()
        journal.append(entry)
        spent += time.perf_counter() - began
    journal.close()
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(json.dumps({"append_us": round(spent / rows / 2 * 1e6, 2), "mb": size >> 20}))


def traffic(rows: int, *, ordered: bool) -> Iterator[Entry]:
    """A month of a million requests, or its beginning; each is settled while some others are under way."""
    rng = random.Random(1956)
    flying: list[Settled] = []
    for number in range(rows):
        ts = START + MONTH * number / max(rows, 1_000_000)
        id_ = f"fr_{int(ts * 1e3):012x}{rng.getrandbits(48):012x}" if ordered else f"fr_{rng.getrandbits(96):024x}"
        request = one_request(rng, id_, ts)
        call = request.calls[0].id if request.calls else None
        yield Opened(
            id_, ts, request.caller, request.wire, request.path, request.provider, request.model, request.stream, call
        )
        flying.append(request)
        if len(flying) > 30:
            yield flying.pop(rng.randrange(30))
    yield from flying


def one_request(rng: random.Random, id_: str, ts: float) -> Settled:
    type_ = min(int(rng.paretovariate(0.8)), QUERY_TYPES) - 1
    provider, model, reported, fresh, cached, out = MODELS[(type_ * 5 + (rng.random() < 0.2)) % len(MODELS)]
    user = min(int(rng.paretovariate(0.7)), USERS * 4) % USERS
    usage = Usage(
        input=rng.randint(80, 3_000), cache_read=rng.choice([0, 0, 1_024, 2_048]), output=rng.randint(20, 700)
    )
    cost = usage.input * fresh + usage.cache_read * cached + usage.output * out
    hit, failed, unpriced = rng.random() < 0.2, rng.random() < 0.01, rng.random() < 0.001
    latency = int(rng.lognormvariate(14, 0.6))
    raw = (
        f'{{"prompt_tokens":{usage.prompt_tokens},"completion_tokens":{usage.output},"total_tokens":'
        f'{usage.prompt_tokens + usage.output},"prompt_tokens_details":{{"cached_tokens":{usage.cache_read},'
        '"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}'
    )
    spent = None if unpriced else 0 if failed else cost
    call = Call(
        id=f"fr_{rng.getrandbits(96):024x}",
        provider=provider,
        model=model,
        started=ts,
        model_reported=None if failed else reported,
        status=429 if failed else 200,
        error="rate_limit_error" if failed else None,
        finish_reason=None if failed else "stop",
        provider_request_id=f"req_{rng.getrandbits(96):024x}",
        service_tier="default",
        usage=None if failed else usage,
        raw_usage=None if failed else raw,
        cost_nano=spent,
        cost_source="free" if failed else "unpriced" if unpriced else "usage",
        price_version=f"genai-prices 0.2.3 {provider}/{model}",
        latency_us=latency,
        ttft_us=latency // 4,
    )
    return Settled(
        id=id_,
        ts=ts,
        caller=Caller(TENANTS[user % 3], f"user-{user}", FEATURES[type_ % 12], f"session-{rng.getrandbits(40):x}"),
        wire="openai.chat",
        path="/v1/chat/completions",
        provider=provider,
        model=model,
        served_model=reported,
        stream=type_ % 2 == 0,
        status=200 if hit else call.status,
        error=None if hit else call.error,
        cache="exact" if hit else "miss",
        calls=() if hit else (call,),
        cost_nano=0 if hit else spent,
        baseline_nano=cost if hit else spent,
        saved=(("recall", cost),) if hit else (),
        latency_us=rng.randint(900, 2_000) if hit else latency,
        ttft_us=rng.randint(500, 900) if hit else latency // 4,
        overhead_us=rng.randint(250, 600),
        shape=Shape(f"chat::{type_:08x}", (), f"Answers questions of kind {type_}", EXAMPLE),
    )


EXAMPLE = "How do I change the delivery address of an order that has already been sent, and what does it cost me?"


if __name__ == "__main__":
    main()
