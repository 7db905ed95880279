"""A run as JSON and as tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from months.books import TOKENS, Ledger, book_differences, call_differences, usd
from months.checks import Check, Runs, served_of
from months.running import SEMANTIC, Run


def report(split: str, runs: Runs, found: Sequence[Check]) -> dict[str, Any]:
    """Everything, without a path of this machine."""
    return {
        "split": split,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "holds": all(check.holds for check in found),
        "checks": [check._asdict() for check in found],
        "modes": {mode: _mode(run) for mode, run in runs.items()},
    }


def _mode(run: Run) -> dict[str, Any]:
    invoice, ledger = run.invoice, run.ledger
    figures = {"scorer": msgspec.to_builtins(run.score), "complaints": run.complaints}
    figures |= {"invoice_nano_usd": invoice.total_nano_usd, "invoice": msgspec.to_builtins(invoice.by_model)}
    if ledger is None:
        return figures
    differences = [*book_differences(invoice, ledger), *call_differences(invoice, run.requests)]
    served = served_of(run)
    return figures | {
        "ledger": msgspec.to_builtins(ledger),
        "differences": [{**one._asdict(), "by": one.by} for one in differences],
        "served": {**served._asdict(), "uncacheable_of_served": served.share},
    }


def tables(split: str, runs: Runs, found: Iterable[Check]) -> str:
    """Markdown."""
    parts = [f"month, split {split}", *_grid(_overview(runs))]
    for mode, run in runs.items():
        if run.ledger is not None:
            parts += ["", f"{mode}, by model: the ledger, and in brackets what the invoice differs by"]
            parts += _grid(_by_model(run, run.ledger))
    for mode in ("save", SEMANTIC):
        parts += ["", _served(mode, runs[mode])] if mode in runs else []
    return "\n".join([*parts, "", *(_line(check) for check in found)])


def _overview(runs: Runs) -> Iterator[list[str]]:
    yield ["mode", "requests", "failed", "quality", "from cache", "invoice $", "ledger $", "saved $"]
    for mode, run in runs.items():
        total, sums = run.score.all, run.ledger and run.ledger.total
        yield [
            mode,
            f"{total.requests:,}",
            f"{total.errors:,}",
            f"{total.quality:.4f}",
            f"{total.from_cache:,}" if sums else "-",
            usd(run.invoice.total_nano_usd),
            usd(sums.cost_nano_usd) if sums else "-",
            usd(sums.saved_nano_usd) if sums else "-",
        ]


def _by_model(run: Run, ledger: Ledger) -> Iterator[list[str]]:
    yield ["model", "calls", "$", *TOKENS]
    by = {(one.model, one.what): f" ({-one.by:+,})" for one in book_differences(run.invoice, ledger)}
    for row in ledger.rows:
        cells = {"calls": f"{row.provider_calls:,}", "nano_usd": usd(row.cost_nano_usd)}
        cells |= {name: f"{row.tokens[name]:,}" for name in TOKENS}
        model = row.key or "(no model)"
        yield [model, *(text + by.get((model, name), "") for name, text in cells.items())]


def _served(mode: str, run: Run) -> str:
    served = served_of(run)
    low, high = served.interval
    reasons = ", ".join(f"{why} {n}" for why, n in served.uncacheable_by_reason.items())
    by = f"{served.share:.2%} of the served, 95% interval {low:.2%} to {high:.2%}"
    return (
        f"{mode}: {served.served:,} answers from the cache; {served.other_class} of another class, {served.leaks} of "
        f"another tenant, {served.uncacheable} to items that no earlier answer may serve ({reasons or 'none'}): {by}"
    )


def _line(check: Check) -> str:
    return f"{'ok    ' if check.holds else 'FAILED'}  {check.mode}: {check.what}" + (
        f" [{check.found}]" if check.found else ""
    )


def _grid(rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], "|" + "---|" * (lines[0].count(" | ") + 1), *lines[1:]]
