"""A soak: mixed load with faults on, for half an hour. Does memory grow, is anything left behind, do the books agree?

    python benchmarks/soak.py --json benchmarks/results/soak.json --plot benchmarks/results/soak.svg   # 30 minutes
    python benchmarks/soak.py --quick                                                                 # 2 minutes

Needs Linux. Exit code 0: all holds; 1: something does not; 2: it could not be measured. ``docs/benchmarks.md`` says how
it is done and what is checked.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soaks.judge import SERIES, Run, checks, latencies, theil_sen, warmed
from soaks.running import soak
from stand.lines import lines
from stand.process import Unmet, end_in_order
from stand.verdict import Check, percentile, save, verdicts

LONG_ROUND_S, SHORT_ROUND_S = 60.0, 12.0
GROWN_MB, GROWN_QUICK_MB = 2.0, 40.0
"""Two minutes are too short to tell warming up from growing: only much growth fails a quick run."""


def main() -> int:
    options = arguments()
    end_in_order()
    seconds, round_s = options.minutes * 60, SHORT_ROUND_S if options.quick else LONG_ROUND_S
    try:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            grown = GROWN_QUICK_MB if options.quick else GROWN_MB
            every = 2.0 if options.quick else 5.0
            run = soak(Path(folder), seconds, every, round_s / 6, options.rate, options.seed, grown)
    except Unmet as problem:
        print(f"soak: {problem}", file=sys.stderr)
        return 2
    found = list(checks(run))
    if options.json:
        save(options.json, json.dumps(report(options, run, found), indent=1) + "\n")
    if options.plot:
        save(options.plot, plot(options, run))
    print(table(run, found))
    return 0 if all(check.holds for check in found) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default: %(default)g)")
    parser.add_argument("--quick", action="store_true", help="2 minutes, to see that it runs")
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of traffic and faults (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write everything here")
    parser.add_argument("--plot", type=Path, help="write charts here (SVG)")
    options = parser.parse_args()
    if options.quick:
        options.minutes = 2.0
    return options


def report(options: argparse.Namespace, run: Run, found: Sequence[Check]) -> dict[str, Any]:
    """Everything, without a path of this machine."""
    memory = ("gateway_rss", "gateway_heap", "keeper_rss", "keeper_heap")
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "minutes": options.minutes,
        "rate": options.rate,
        "seed": options.seed,
        "holds": all(check.holds for check in found),
        "checks": [check._asdict() for check in found],
        "trends_per_s": {name: theil_sen(warmed(run.samples, name))._asdict() for name in memory}
        | {name: theil_sen(latencies(run.sent.windows, name))._asdict() for name in SERIES},
        "requests": run.sent.requests,
        "held_back": run.sent.held_back,
        "outcomes": dict(run.sent.outcomes),
        "books": run.books.as_dict(),
        "idle_before": asdict(run.idle_before),
        "idle_after": asdict(run.idle_after),
        "windows": [
            {"at_s": round(one.at_s, 1), "replies": len(one.overhead_ms)}
            | {name: dict(latencies([one], name)).get(one.at_s) for name in SERIES}
            for one in run.sent.windows
        ],
        "samples": [asdict(one) for one in run.samples],
    }


def table(run: Run, found: Sequence[Check]) -> str:
    """Markdown."""
    outcomes = ", ".join(f"{name} {count:,}" for name, count in run.sent.outcomes.most_common())
    every = [value for one in run.sent.windows for value in one.overhead_ms] or [0.0]
    head = f"{run.sent.requests:,} requests: {outcomes}; {run.sent.held_back} held back"
    spread = f"overhead p50 {percentile(every, 0.5):.3f} ms, p99 {percentile(every, 0.99):.3f} ms"
    return "\n".join([head, spread, "", verdicts(found)])


def plot(options: argparse.Namespace, run: Run) -> str:
    """The figures over time."""

    def over(*names: str) -> dict[str, list[tuple[float, float]]]:
        return {name: [(one.at_s / 60, float(getattr(one, name) or 0)) for one in run.samples] for name in names}

    timed = {name: [(at / 60, ms) for at, ms in latencies(run.sent.windows, name)] for name in SERIES}
    panels = [
        ("Memory, MB", over("gateway_rss", "gateway_heap", "keeper_rss", "keeper_heap")),
        ("Added latency by window, ms: median", {name: timed[name] for name in timed if "p50" in name}),
        ("Added latency by window, ms: 99th percentile", {name: timed[name] for name in timed if "p99" in name}),
        ("Open files, connections, tasks", over("fds", "clients", "upstream", "tasks")),
        ("Journal not yet in the ledger, bytes", over("backlog")),
    ]
    note = f"{os.cpu_count()} cores, Python {platform.python_version()}; {options.rate:g} requests a second, faults on"
    return lines(panels, note)


if __name__ == "__main__":
    sys.exit(main())
