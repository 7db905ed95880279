"""The gateway benchmark: farthing and its peers on one core, side by side, in one run. ``make bench``, or::

    python benchmarks/gateway.py --json gateway.json --plot gateway.svg

Method, reading and caveats: ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stand import footprint, upstream
from stand.answer import TEXT
from stand.contenders import CONTENDERS, KEY, Contender, Target, ask, running
from stand.load import Figures, first_event_ms, wrk
from stand.process import Cores, Unmet, awake, need, rss_mb
from stand.report import BUSY, FULL, QUICK, Plan, Result, Results, machine, plot, summary, table
from stand.sse_mock import EVENTS

WARM_S = 3
"""Seconds of load before the first round; not counted. Just-in-time compilers and connection pools need it."""
USUAL = "constant,bare,farthing,farthing-observe,farthing-save,farthing-hits,tensorzero"


def main() -> None:
    options = arguments()
    try:
        report = measure(options)
    except Unmet as problem:
        sys.exit(f"gateway benchmark: {problem}")
    if options.json:
        save(options.json, json.dumps(report, indent=1) + "\n")
    if options.plot:
        save(options.plot, plot(report))
    print(table(report))


def save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="farthing and its peers on one core, side by side")
    parser.add_argument("--json", type=Path, help="write every round and the summary here")
    parser.add_argument("--plot", type=Path, help="write bar charts here (SVG)")
    parser.add_argument("--quick", action="store_true", help="about a minute: two short rounds, no install size")
    parser.add_argument("--contenders", default=USUAL, help=f"of {', '.join(CONTENDERS)} (default: %(default)s)")
    parser.add_argument("--peers", default="", help="more of them: litellm (740 MB to install), portkey (needs npm)")
    options = parser.parse_args()
    if options.plot and options.plot.suffix != ".svg":
        parser.error(f"--plot writes SVG: give it a name that ends in .svg, not {options.plot.name}")
    options.names = [name for name in f"{options.contenders},{options.peers}".split(",") if name]
    if unknown := [name for name in options.names if name not in CONTENDERS]:
        parser.error(f"no contender {unknown[0]!r}: choose of {', '.join(CONTENDERS)}")
    return options


def measure(options: argparse.Namespace) -> dict[str, Any]:
    for program in ("taskset", "nginx", "wrk"):
        need(program)
    plan, cores = (QUICK if options.quick else FULL), Cores.of_this_machine()
    chosen = {name: CONTENDERS[name] for name in options.names}
    results: Results = {name: Result() for name in ("direct", *chosen)}
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        plain_rounds(Path(folder) / "plain", plan, cores, chosen, results)
        streaming = {name: one for name, one in chosen.items() if one.streams}
        stream_rounds(Path(folder) / "streams", plan, cores, streaming, results)
    return {
        "machine": machine(cores),
        "plan": asdict(plan),
        "summary": {name: summary(result, results["direct"]) for name, result in results.items()},
        "footprint": weigh(options),
        "rounds": {name: asdict(result) for name, result in results.items()},
    }


def plain_rounds(folder: Path, plan: Plan, cores: Cores, chosen: dict[str, Contender], results: Results) -> None:
    """Whole answers. All contenders are up; the rounds go A B C, A B C, so that the machine's moods hit all."""
    folder.mkdir()
    with ExitStack() as stack:
        port = stack.enter_context(upstream.constant(folder / "upstream", cores.upstream))
        targets = {"direct": direct(port)}
        for name, one in chosen.items():
            with named(one):
                start = start_emptied if one.hits else start_usual
                targets[name] = start(stack, one, folder / name, cores, port)
        for name, target in targets.items():
            results[name].rss_idle_mb = rss_mb(target.pid) if target.pid else []
        warm(targets, cores, folder, stream=False)
        for number, connections in ((number, at) for number in range(plan.rounds) for at in plan.connections):
            for name, target in targets.items():
                with awake(target.pid):
                    figures = wrk(target, cores.load, folder, connections, plan.seconds)
                results[name].plain.setdefault(connections, []).append(figures)
                say(number, name, f"{connections:3} connections", figures)
        for name, target in targets.items():
            results[name].rss_after_mb = rss_mb(target.pid) if target.pid else []


def stream_rounds(folder: Path, plan: Plan, cores: Cores, chosen: dict[str, Contender], results: Results) -> None:
    """Streams of 100 events: how many a second at 32 connections, and the time to the first event at one."""
    folder.mkdir()
    with ExitStack() as stack:
        port = stack.enter_context(upstream.streaming(folder / "upstream", cores.upstream))
        targets = {"direct": direct(port)}
        for name, one in chosen.items():
            with named(one):
                targets[name] = start_usual(stack, one, folder / name, cores, port)
                check_stream(targets[name])
        warm(targets, cores, folder, stream=True)
        for number in range(plan.rounds):
            for name, target in targets.items():
                seconds = plan.seconds * (chosen[name].patience if name in chosen else 1)
                with awake(target.pid):
                    figures = wrk(target, cores.load, folder, BUSY, seconds, stream=True)
                    results[name].streams.append(figures)
                    results[name].first_event_ms.append(first_event_ms(target, cores.load))
                say(number, name, "streams", figures)


def warm(targets: dict[str, Target], cores: Cores, folder: Path, *, stream: bool) -> None:
    """Load that is not counted. From here on a contender is paused unless it is its turn."""
    for target in targets.values():
        with awake(target.pid):
            wrk(target, cores.load, folder, BUSY, WARM_S, stream=stream)


def weigh(options: argparse.Namespace) -> dict[str, float]:
    """How heavy farthing is, where it takes part."""
    if not any(name.startswith("farthing") for name in options.names):
        return {}
    weight = {"import_ms": footprint.import_ms()}
    return weight if options.quick else weight | {"install_mb": footprint.install_mb()}


def direct(port: int) -> Target:
    """The upstream itself."""
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    return Target(url, "gpt-4o-mini", {"authorization": f"Bearer {KEY}"}, pid=None)


def start_usual(stack: ExitStack, one: Contender, folder: Path, cores: Cores, port: int) -> Target:
    """A contender in front of the shared upstream, whose answer was seen to come through."""
    target = stack.enter_context(running(one, folder, cores.gateway, port))
    if TEXT not in (text := ask(target)[1]):
        raise Unmet(f"its answer is not the upstream's: {text[:300]}")
    return target


def start_emptied(stack: ExitStack, one: Contender, folder: Path, cores: Cores, _: int) -> Target:
    """A contender with a filled cache and no upstream any more: a miss would be an error, and errors are counted."""
    folder.mkdir()
    with upstream.constant(folder / "upstream", cores.upstream) as port:
        return start_usual(stack, one, folder / "gateway", cores, port)


def check_stream(target: Target) -> None:
    """Every event has to come through, and the end."""
    status, text = ask(target, stream=True)
    events = text.count("data: {")
    if status != 200 or events < EVENTS - 1 or "data: [DONE]" not in text:
        raise Unmet(f"its stream is not whole: status {status}, {events} of {EVENTS} events, ends with {text[-200:]!r}")


@contextmanager
def named(one: Contender) -> Iterator[None]:
    """Whose fault it is."""
    try:
        yield
    except Unmet as problem:
        raise Unmet(f"{one.label}: {problem}") from problem


def say(number: int, name: str, what: str, figures: Figures) -> None:
    """Progress, to standard error."""
    errors = f"  {figures.errors} ERRORS" if figures.errors else ""
    line = f"round {number + 1}  {name:14} {what:16} {figures.per_s:9,.0f}/s  p50 {figures.p50:8.3f} ms{errors}"
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
