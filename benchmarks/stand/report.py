"""From rounds to figures: medians, a table, charts."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from stand import peers
from stand.chart import bars
from stand.contenders import CONTENDERS
from stand.load import Figures
from stand.process import Cores

ALONE, BUSY = 1, 32
COLUMNS = (
    "gateway",
    f"req/s at {BUSY}",
    f"p50 at {ALONE}, ms",
    "added p50, ms",
    "CPU µs/request",
    "streams/s",
    "CPU ms/stream",
    "added time to first event, ms",
    "RSS idle, MB",
    "errors",
)
LABELS = {"direct": "direct to the upstream", **{name: one.label for name, one in CONTENDERS.items()}}


@dataclass(frozen=True)
class Plan:
    """How often, how long (seconds), at how many connections."""

    rounds: int
    seconds: int
    connections: tuple[int, ...]


QUICK = Plan(rounds=2, seconds=1, connections=(ALONE, BUSY))
FULL = Plan(rounds=5, seconds=3, connections=(ALONE, 8, BUSY, 128))


@dataclass
class Result:
    """What one contender did, round by round."""

    plain: dict[int, list[Figures]] = field(default_factory=dict[int, list[Figures]])
    """By number of connections."""
    streams: list[Figures] = field(default_factory=list[Figures])
    first_event_ms: list[float] = field(default_factory=list[float])
    rss_idle_mb: list[float] = field(default_factory=list[float])
    """One figure for each process, the first started first; none for the upstream."""
    rss_after_mb: list[float] = field(default_factory=list[float])


Results = dict[str, Result]


def summary(result: Result, direct: Result) -> dict[str, Any]:
    """Medians over the rounds. What a gateway adds is compared with the direct run of the same round."""
    sweep = {str(at): _medians(runs) for at, runs in result.plain.items()}
    added = {
        str(at): _added((r.p50 for r in runs), (r.p50 for r in direct.plain[at])) for at, runs in result.plain.items()
    }
    got: dict[str, Any] = {"sweep": sweep, "added_p50_ms": added}
    if result.streams:
        got |= {"streams": _medians(result.streams), "first_event_ms": statistics.median(result.first_event_ms)}
        got["added_first_event_ms"] = _added(result.first_event_ms, direct.first_event_ms)
    return got | {"rss_idle_mb": result.rss_idle_mb, "rss_after_mb": result.rss_after_mb}


def _medians(runs: list[Figures]) -> dict[str, Any]:
    """Of every figure; errors are summed."""
    rows = [asdict(run) for run in runs]
    known = {name: [row[name] for row in rows if row[name] is not None] for name in rows[0]}
    medians = {name: statistics.median(values) if values else None for name, values in known.items()}
    return medians | {"errors": sum(known["errors"])}


def _added(ours: Iterable[float], direct: Iterable[float]) -> float:
    return statistics.median(a - b for a, b in zip(ours, direct, strict=True))


def machine(cores: Cores) -> dict[str, Any]:
    """The machine in general terms."""
    return {
        "cpus": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": peers.build(peers.interpreter()),
        "cores": asdict(cores),
    }


def table(report: dict[str, Any]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += [_row(LABELS[name], figures) for name, figures in report["summary"].items()]
    lines += [f"{name}: {value:.1f}" for name, value in report["footprint"].items()]
    return "\n".join(lines)


def _row(label: str, figures: dict[str, Any]) -> str:
    busy, alone, streams = figures["sweep"][str(BUSY)], figures["sweep"][str(ALONE)], figures.get("streams")
    errors = sum(one["errors"] for one in figures["sweep"].values()) + (streams["errors"] if streams else 0)
    cpu = streams and streams["cpu_us"]
    cells = [
        f"{busy['per_s']:,.0f}",
        f"{alone['p50']:.3f}",
        f"{figures['added_p50_ms'][str(ALONE)]:.3f}",
        _number(busy["cpu_us"], ".0f"),
        _number(streams and streams["per_s"], ",.0f"),
        _number(cpu and cpu / 1000, ".2f"),
        _number(figures.get("added_first_event_ms"), ".3f"),
        " + ".join(f"{part:.0f}" for part in figures["rss_idle_mb"]) or "-",
        str(errors),
    ]
    return f"| {label} | {' | '.join(cells)} |"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def plot(report: dict[str, Any]) -> str:
    """The main figures as SVG; the upstream itself is left out, it would dwarf the rest."""
    rows = {LABELS[name]: figures for name, figures in report["summary"].items() if name != "direct"}
    rates = {label: one["sweep"][str(BUSY)]["per_s"] for label, one in rows.items()}
    added = {label: one["added_p50_ms"][str(ALONE)] for label, one in rows.items()}
    streams = {label: one["streams"]["cpu_us"] / 1000 for label, one in rows.items() if "streams" in one}
    panels = [
        (f"Requests a second, {BUSY} connections, one core (more is better)", rates, ",.0f"),
        (f"Latency added, p50 in ms, {ALONE} connection (less is better)", added, ".3f"),
        ("CPU for a stream of 100 events, ms (less is better)", streams, ".2f"),
    ]
    return bars(panels, f"{report['machine']['cpus']} cores, Python {report['machine']['python']}; medians of rounds")
