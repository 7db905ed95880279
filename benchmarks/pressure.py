"""Pressure: a provider that lets too little through, and one that is gone. Does everybody get an answer?

    python benchmarks/pressure.py                 # 6 minutes, results to benchmarks/results/pressure.{json,svg}
    python benchmarks/pressure.py --quick         # 80 seconds, to see that it runs; nothing is written
    python benchmarks/pressure.py --only killed,silent

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
from pathlib import Path
from typing import Any

from pressures.judge import checks, curves, figures, touched
from pressures.plan import PLANS, Plan, Times
from pressures.running import Seen, run_all
from stand.lines import lines
from stand.process import Unmet, end_in_order
from stand.verdict import Check, save, verdicts

QUICK_MINUTES = 2 / 3
RESULTS = Path(__file__).with_name("results")
AT_ONCE = 3
MOST_LATE_S = 1.0


def main() -> int:
    options = arguments()
    end_in_order()
    times = Times.of(options.minutes)
    plans = [plan for plan in PLANS if plan.name in options.only]
    try:
        with tempfile.TemporaryDirectory(prefix="pressure-") as folder:
            seen: list[Seen] = []
            for first in range(0, len(plans), AT_ONCE):
                some = plans[first : first + AT_ONCE]
                print(f"{', '.join(plan.name for plan in some)}: {times.total:.0f} s", file=sys.stderr)
                seen += kept_up(run_all(some, Path(folder), times, options.rate, options.seed))
    except Unmet as problem:
        print(f"pressure: {problem}", file=sys.stderr)
        return 2
    found = {one.plan.name: list(checks(one)) for one in seen}
    if options.json:
        save(options.json, json.dumps(report(options, seen, found), indent=1) + "\n")
    if options.plot:
        save(options.plot, plot(options, seen))
    print(table(seen, found))
    return 0 if all(check.holds for every in found.values() for check in every) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long each run is (default: %(default)g)")
    parser.add_argument("--quick", action="store_true", help="40 seconds each, to see that it runs")
    parser.add_argument("--only", type=names, default=names(""), help="some of: " + ", ".join(names("")))
    parser.add_argument("--rate", type=float, default=25.0, help="requests a second of each run (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of the traffic (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write everything here (default, unless quick or only some: results)")
    parser.add_argument("--plot", type=Path, help="write charts here (SVG), likewise")
    options = parser.parse_args()
    if options.quick:
        options.minutes = QUICK_MINUTES
    elif options.only == names(""):
        options.json = options.json or RESULTS / "pressure.json"
        options.plot = options.plot or RESULTS / "pressure.svg"
    return options


def names(text: str) -> list[str]:
    """Of plans, with commas between; none are all."""
    every = [plan.name for plan in PLANS]
    asked = text.split(",") if text else every
    if unknown := set(asked) - set(every):
        raise argparse.ArgumentTypeError(f"no such run: {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    return asked


def kept_up(seen: Sequence[Seen]) -> Sequence[Seen]:
    """Raises ``Unmet`` if the machine had too much else to do: then clients wait for one another, and a provider that
    is well looks like one that is not. This is asked before anything else is looked at.
    """
    late = {one.plan.name: one.late_s for one in seen if one.late_s > MOST_LATE_S}
    if late:
        behind = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in late.items())
        raise Unmet(f"the clients fell behind: {behind}; leave the machine alone meanwhile, or lower --rate")
    return seen


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def report(options: argparse.Namespace, seen: Sequence[Seen], found: dict[str, list[Check]]) -> dict[str, Any]:
    """Everything, without a path of this machine."""
    return {
        "machine": machine(),
        "minutes": options.minutes,
        "rate": options.rate,
        "seed": options.seed,
        "holds": all(check.holds for every in found.values() for check in every),
        "runs": {
            one.plan.name: {
                "what": one.plan.what,
                "checks": [check._asdict() for check in found[one.plan.name]],
                "figures": figures(one),
                "per_second": curves(one, 1.0),
            }
            for one in seen
        },
    }


def table(seen: Sequence[Seen], found: dict[str, list[Check]]) -> str:
    """Markdown."""
    head = ("run", "requests", "succeeded", "by another", "p50, p99, max ms", "calls to a dead provider", "late, s")
    rows = [head, ("---",) * len(head), *map(row, seen)]
    parts = ["\n".join(f"| {' | '.join(cells)} |" for cells in rows)]
    parts += [f"**{one.plan.name}**: {one.plan.what}\n\n{verdicts(found[one.plan.name])}" for one in seen]
    return "\n\n".join(parts)


def row(one: Seen) -> tuple[str, ...]:
    """The waits are those until a reply begins; ``late``: how far the clients were behind."""
    got, wait, (calls, meanwhile) = figures(one), figures(one)["wait_ms"], touched(one)
    dead = "-" if one.rpm else f"{calls:,} ({calls / max(1, meanwhile):.2%} of {meanwhile:,} requests)"
    waits = f"{wait['p50']:,.0f}, {wait['p99']:,.0f}, {wait['max']:,.0f}"
    succeeded = f"{got['succeeded'] / got['requests']:.3%}"
    another = f"{got['answered_by_another']:,}"
    return one.plan.name, f"{got['requests']:,}", succeeded, another, waits, dead, f"{one.late_s:.2f}"


def plot(options: argparse.Namespace, seen: Sequence[Seen]) -> str:
    """Requests and calls a second."""
    every_s = max(1.0, options.minutes * 60 / 180)
    panels = [(title(one.plan, one), curves(one, every_s)) for one in seen]
    return lines(panels, f"{machine()}; {options.rate:g} requests a second in each run")


def title(plan: Plan, one: Seen) -> str:
    """With what happens when."""
    if one.rpm:
        return f"{plan.name}: {plan.what}"
    begins, ends = one.times.begins / 60, one.times.ends / 60
    return f"{plan.name}: {plan.what}, from {begins:.2g} to {ends:.2g} min"


if __name__ == "__main__":
    sys.exit(main())
