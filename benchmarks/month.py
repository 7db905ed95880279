"""A month of traffic with a known bill, sent three ways: is the ledger the invoice, is the saving missing from it?

    python benchmarks/month.py --month FOLDER [--split dev] [--modes direct,observe,save,semantic] [--json FILE]

The folder holds a simulated provider (``provider.py``), a scorer (``score.py``) and a workload. ``direct`` sends it
straight to the provider, the others through ``farthing serve`` on a fresh ledger: ``observe``, ``save`` with the exact
cache alone, ``semantic`` with the whole cache. Exit code 0: all that
has to hold holds; 1: something does not; 2: it could not be measured. What is checked: ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from months.checks import checks
from months.folder import month_in
from months.report import report, tables
from months.running import SEMANTIC, Run, run_mode
from stand.process import Unmet, end_in_order

MODES = ("direct", "observe", "save", SEMANTIC)


def main() -> int:
    options = arguments()
    end_in_order()
    try:
        runs = measure(options)
    except Unmet as problem:
        print(f"month: {problem}", file=sys.stderr)
        return 2
    found = checks(runs)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report(options.split, runs, found), indent=1) + "\n")
    print(tables(options.split, runs, found))
    return 0 if all(check.holds for check in found) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--month", type=Path, required=True, help="the folder with provider.py, score.py and the data")
    parser.add_argument("--split", default="dev", help="of month-SPLIT.jsonl.gz (default: %(default)s)")
    parser.add_argument("--modes", default=",".join(MODES), help="some of them, in any order (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=16, help="requests at a time (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="only so many requests, to see that it runs")
    parser.add_argument("--json", type=Path, help="write everything here")
    options = parser.parse_args()
    chosen: set[str] = set(options.modes.split(","))
    if chosen - set(MODES):
        parser.error(f"--modes {options.modes}: choose of {', '.join(MODES)}")
    options.modes = [mode for mode in MODES if mode in chosen]  # direct first: the others are compared with it
    return options


def measure(options: argparse.Namespace) -> dict[str, Run]:
    """Raises ``Unmet``."""
    sending = ["--concurrency", str(options.concurrency)]
    sending += ["--limit", str(options.limit)] if options.limit else []
    runs: dict[str, Run] = {}
    with tempfile.TemporaryDirectory(prefix="month-bench-") as folder:
        scratch = Path(folder)
        month = month_in(options.month.resolve(), options.split, scratch)
        for mode in options.modes:
            print(f"month: {mode} …", file=sys.stderr)
            runs[mode] = run_mode(month, mode, scratch / mode, sending)
    return runs


if __name__ == "__main__":
    sys.exit(main())
