"""Reports as text and tables: pure functions of values, so that they can be looked at without a ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from farthing.cli.text import NAMELESS, UNKNOWN, count, dollars, duration, plural, share
from farthing.insight.profile import Pareto, Pattern
from farthing.ledger.figures import Figures
from farthing.types import TOKEN_CLASSES, Usage

SHORT = {"input": "input", "cache_read": "cached", "cache_write_5m": "write 5m", "cache_write_1h": "write 1h"}
EXAMPLE_SHOWN = 100
MEDIANS = {"each p50", "latency p50"}
ENDLESS = 10_000
"""Characters: to ask how wide a table would like to be."""
LEAST = (
    *("first token p95", "latency p95", "each p95", "write 1h", "write 5m", "cached", "first token", "latency p50"),
    *("output", "input", "each p50", "errors", "saved"),
)
"""Columns in the order in which they are left out."""


def headline(total: Figures, period: str) -> RenderableType:
    """The bill, what it would have been, what was saved, and what is not sure about it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_row("Period", Text(period))
    grid.add_row("Bill", Text(dollars(total.cost_nano_usd), style="bold"))
    grid.add_row("Without farthing", dollars(total.baseline_nano_usd))
    saved = share(total.saved_nano_usd, total.baseline_nano_usd)
    grid.add_row("Saved", f"{dollars(total.saved_nano_usd)} ({saved})")
    if would := total.would_save_nano_usd:
        grid.add_row("Could be saved", f"{dollars(would)} more ({share(would, total.cost_nano_usd)}) with mode = save")
    grid.add_row("Requests", f"{count(total.requests)}, {_cache(total)}, {plural(total.errors, 'error')}")
    grid.add_row("Provider calls", f"{count(total.provider_calls)}, {tokens(total.usage)}")
    return Group(grid, *(Text(f"! {warning}", style="bold red") for warning in warnings(total)))


def _cache(total: Figures) -> str:
    hits = total.hits_exact + total.hits_semantic
    said = f"{count(hits)} answered from the cache ({share(hits, total.requests)})"
    if would := total.would_hit_exact + total.would_hit_semantic:
        said += f", {count(would)} could have been ({share(would, total.requests)})"
    return said


def warnings(total: Figures) -> list[str]:
    """What the bill does not know for sure: said loudly whenever there is any."""
    found: list[str] = []
    if n := total.unpriced_calls:
        found.append(
            f"{plural(n, 'call')} unpriced: no price is known, the bill is higher than shown. "
            "`farthing requests --source unpriced` lists them; add a price to the file of [prices] file."
        )
    if n := total.estimated_calls:
        found.append(f"{plural(n, 'call')} estimated: the provider reported no usage, tokens were counted here.")
    if n := total.unsettled_calls:
        found.append(f"{plural(n, 'call')} unsettled: the ending is not known, the cost is not in the bill.")
    return found


def lines(title: str, rows: Sequence[Figures], total: Figures, *, full: bool = True) -> RenderableType:
    """Rows as a table. Of what ``total`` has beyond them one line is made. Not ``full``: fits a narrow terminal."""
    classes = [name for name in TOKEN_CLASSES if total.tokens.get(name)] if full else []
    cells = [dict(_cells(row, total, classes)) for row in rows]
    hidden = {"saved"} if not any(row.saved_nano_usd for row in rows) else set[str]()
    hidden |= set() if any(row.cost_p50_nano_usd is not None for row in rows) else MEDIANS
    hidden |= set() if full else {"each p95", "latency p95", "first token", "first token p95"}
    columns = [name for name in dict(_cells(total, total, classes)) if name not in hidden]
    requests = total.requests - sum(row.requests for row in rows)
    cost = total.cost_nano_usd - sum(row.cost_nano_usd for row in rows)
    rest = (count(requests), dollars(cost), share(cost, total.cost_nano_usd)) if requests > 0 or cost > 0 else None

    def build(shown: Sequence[str]) -> Table:
        table = _table(title)
        for name in shown:
            table.add_column(name, justify="right", no_wrap=True)
        for row, its in zip(rows, cells, strict=True):
            table.add_row(_name(row), *(its[name] for name in shown))
        if rest:
            table.add_row("… the rest", *rest, style="dim")
        return table

    return Fitting(build, columns, LEAST)


class Fitting:
    """A table that leaves out what matters least where the terminal is narrow, rather than cut every figure."""

    def __init__(self, build: Callable[[Sequence[str]], Table], columns: Sequence[str], least: Sequence[str]) -> None:
        self._build, self._columns, self._least = build, columns, least

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The widest of them that fits; rich asks for it."""
        shown, endless = list(self._columns), options.update(width=ENDLESS)
        table = self._build(shown)
        for name in self._least:
            if Measurement.get(console, endless, table).maximum <= options.max_width:
                break
            if name in shown:
                shown.remove(name)
                table = self._build(shown)
        yield table


def levers(title: str, rows: Sequence[Figures], total: Figures) -> RenderableType:
    """What each lever saved."""
    table = _table(title)
    for name in ("requests", "saved", "of baseline", "could have saved"):
        table.add_column(name, justify="right")
    for row in rows:
        would = dollars(row.would_save_nano_usd) if row.would_save_nano_usd else ""
        part = share(row.saved_nano_usd, total.baseline_nano_usd)
        table.add_row(_name(row), count(row.requests), dollars(row.saved_nano_usd), part, would)
    return table


def _table(title: str) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("", overflow="fold", max_width=44)
    return table


def _name(row: Figures) -> Text:
    return Text(row.key if isinstance(row.key, str) else NAMELESS)


def _cells(row: Figures, total: Figures, classes: Sequence[str]) -> Iterable[tuple[str, RenderableType]]:
    """Column → cell."""
    is_sure = not row.unpriced_calls and not row.unsettled_calls
    yield "requests", count(row.requests)
    bill = dollars(row.cost_nano_usd) + ("" if is_sure else " + ?")
    yield "cost", Text(bill, style="bold" if is_sure else "bold red")
    yield "share", share(row.cost_nano_usd, total.cost_nano_usd)
    yield "saved", dollars(row.saved_nano_usd)
    yield "each p50", dollars(row.cost_p50_nano_usd)
    yield "each p95", dollars(row.cost_p95_nano_usd)
    yield from ((SHORT.get(name, name), count(row.tokens.get(name, 0))) for name in classes)
    yield "errors", Text(count(row.errors), style="red" if row.errors else "")
    yield "latency p50", duration(row.latency_p50_us)
    yield "latency p95", duration(row.latency_p95_us)
    yield "first token", duration(row.ttft_p50_us)
    yield "first token p95", duration(row.ttft_p95_us)


def patterns(pareto: Pareto, found: Sequence[Pattern]) -> RenderableType:
    """How concentrated the bill is, and the dearest query types with examples."""
    parts: list[RenderableType] = [Text(pareto.sentence, style="bold")]
    for number, pattern in enumerate(found, 1):
        parts.append(Text(f"{number}. {pattern.key}", style="bold cyan"))
        parts.extend(Padding(Text(line, overflow="fold"), (0, 0, 0, 3), expand=False) for line in _pattern(pattern))
    return Group(*parts)


def _pattern(pattern: Pattern) -> Iterable[str]:
    requests = plural(pattern.requests, "request")
    yield (
        f"{dollars(pattern.cost_nano)}, {pattern.share:.0%} of the bill: "
        f"{requests} at {dollars(pattern.cost_per_request_nano)}, {tokens(pattern.mean)} each"
    )
    yield "; ".join(pattern.drivers)
    for example in pattern.examples:
        text = " ".join(example.text.split())
        short = text if len(text) <= EXAMPLE_SHOWN else text[: EXAMPLE_SHOWN - 1] + "…"
        yield f"for example {example.id} {dollars(example.cost_nano)}" + (f": {short}" if short else "")


def tokens(usage: Usage) -> str:
    """``1,200 input, 300 output tokens``: the classes that are not 0."""
    counts = ((name, number) for name, number in msgspec.structs.asdict(usage).items() if number)
    found = ", ".join(f"{count(number)} {SHORT.get(name, name.replace('_', ' '))}" for name, number in counts)
    return f"{found} tokens" if found else UNKNOWN
