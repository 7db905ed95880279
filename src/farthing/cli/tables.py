"""Reports as text and tables: pure functions of values, so that they can be looked at without a ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from farthing.cli.text import NAMELESS, UNKNOWN, count, dollars, duration, plural, share
from farthing.insight.profile import Pareto, Pattern
from farthing.types import TOKEN_CLASSES, Usage

SHORT = {"input": "input", "cache_read": "cached", "cache_write_5m": "write 5m", "cache_write_1h": "write 1h"}
EXAMPLE_SHOWN = 100


class Line(msgspec.Struct, frozen=True):
    """One row of a report: money in nano-dollars, times in microseconds, ``None`` where nothing is known.

    ``cost_p50`` and the like are of single requests; ``errors`` and ``cache_hits`` count requests.
    """

    key: str | None
    requests: int = 0
    provider_calls: int = 0
    cost_nano: int = 0
    baseline_nano: int = 0
    saved_nano: int = 0
    unpriced_calls: int = 0
    estimated_calls: int = 0
    unsettled_calls: int = 0
    errors: int = 0
    cache_hits: int = 0
    tokens: Usage = Usage()
    cost_p50: int | None = None
    cost_p95: int | None = None
    latency_p50: int | None = None
    latency_p95: int | None = None
    ttft_p50: int | None = None
    ttft_p95: int | None = None


def headline(total: Line, period: str, would_save: Sequence[tuple[str, int]] = ()) -> RenderableType:
    """The bill, what it would have been, what was saved, and what is not sure about it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_row("Period", Text(period))
    grid.add_row("Bill", Text(dollars(total.cost_nano), style="bold"))
    grid.add_row("Without farthing", dollars(total.baseline_nano))
    grid.add_row("Saved", f"{dollars(total.saved_nano)} ({share(total.saved_nano, total.baseline_nano)})")
    if would := [(lever, amount) for lever, amount in would_save if amount]:
        levers = ", ".join(f"{lever} {dollars(amount)}" for lever, amount in would)
        grid.add_row("Could be saved", f"{dollars(sum(amount for _, amount in would))} ({levers}) with mode = save")
    hits = f"{count(total.cache_hits)} answered from the cache ({share(total.cache_hits, total.requests)})"
    grid.add_row("Requests", f"{count(total.requests)}, {hits}, {plural(total.errors, 'error')}")
    grid.add_row("Provider calls", count(total.provider_calls))
    return Group(grid, *(Text(f"! {warning}", style="bold red") for warning in warnings(total)))


def warnings(total: Line) -> list[str]:
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


def lines(title: str, rows: Sequence[Line], total: Line, shown: int | None = None) -> RenderableType:
    """Rows as a table; of more than ``shown`` the rest is one line."""
    few = rows if shown is None else rows[:shown]
    classes = [name for name in TOKEN_CLASSES if getattr(total.tokens, name)]
    saves = any(row.saved_nano for row in rows)
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("", overflow="fold", max_width=44)
    names = ["requests", "cost", "share", *(["saved"] if saves else []), "each p50", "p95"]
    for name in [*names, *(SHORT.get(name, name) for name in classes), "errors", "latency p50", "p95", "first token"]:
        table.add_column(name, justify="right")
    for row in few:
        table.add_row(*_cells(row, total, classes, saves=saves))
    if rest := len(rows) - len(few):
        cost = sum(row.cost_nano for row in rows[len(few) :])
        table.add_row(f"… {rest} more", "", dollars(cost), share(cost, total.cost_nano), style="dim")
    return table


def _cells(row: Line, total: Line, classes: Sequence[str], *, saves: bool) -> Iterable[RenderableType]:
    doubts = sum((row.unpriced_calls, row.unsettled_calls))
    yield Text(NAMELESS if row.key is None else row.key)
    yield count(row.requests)
    yield Text(f"{dollars(row.cost_nano)}{' + ?' if doubts else ''}", style="bold red" if doubts else "bold")
    yield share(row.cost_nano, total.cost_nano)
    if saves:
        yield dollars(row.saved_nano)
    yield from (dollars(row.cost_p50), dollars(row.cost_p95))
    yield from (count(getattr(row.tokens, name)) for name in classes)
    yield Text(count(row.errors), style="red" if row.errors else "")
    yield from (duration(row.latency_p50), duration(row.latency_p95), duration(row.ttft_p50))


def patterns(pareto: Pareto, found: Sequence[Pattern]) -> RenderableType:
    """How concentrated the bill is, and the dearest query types with examples."""
    parts: list[RenderableType] = [Text(pareto.sentence, style="bold")]
    for number, pattern in enumerate(found, 1):
        parts.append(Text(f"{number}. {pattern.key}", style="bold cyan"))
        parts.extend(Padding(Text(line, overflow="fold"), (0, 0, 0, 3)) for line in _pattern(pattern))
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
