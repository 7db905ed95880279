"""Single requests as tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from farthing.cli.tables import Fitting, tokens
from farthing.cli.text import UNKNOWN, dollars, duration
from farthing.cli.when import shown
from farthing.ledger.listing import Found
from farthing.ledger.records import Call, Settled
from farthing.money import usd

COLUMNS: tuple[str, ...] = (
    "id",
    "time (UTC)",
    "tenant",
    "user",
    "feature",
    "model",
    "status",
    "cache",
    "cost",
    "latency",
)
RIGHT = frozenset({"status", "cost", "latency"})
WHOLE = frozenset({"id", "time (UTC)", *RIGHT})
LEAST = ("latency", "feature", "user", "cache", "tenant", "time (UTC)", "model")
"""Columns in the order in which they are left out where the terminal is narrow."""


def table(found: Sequence[Found]) -> RenderableType:
    """One line a request; whole ids, whatever else has to be left out."""
    rows = [dict(zip(COLUMNS, _cells(one), strict=True)) for one in found]

    def build(shown: Sequence[str]) -> Table:
        made = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name in shown:
            made.add_column(name, justify="right" if name in RIGHT else "left", overflow="fold", no_wrap=name in WHOLE)
        for row in rows:
            made.add_row(*(row[name] for name in shown))
        return made

    return Fitting(build, COLUMNS, LEAST)


def _cells(one: Found) -> Iterable[RenderableType]:
    request, caller = one.request, one.request.caller
    yield Text(request.id)
    yield shown(request.ts)
    yield from (Text(name or UNKNOWN) for name in (caller.tenant, caller.user, caller.feature, request.model))
    yield _status(one)
    yield request.cache
    yield _cost(request)
    yield duration(request.latency_us)


def _status(one: Found) -> Text:
    request = one.request
    if one.state != "settled":
        return Text(one.state, style="yellow")
    is_bad = bool(request.error) or (request.status or 0) >= 400
    return Text(str(request.status or request.error or UNKNOWN), style="red" if is_bad else "")


def _cost(request: Settled) -> Text:
    if request.cost_nano is not None:
        return Text(dollars(request.cost_nano))
    doubtful = {call.cost_source for call in request.calls} & {"unpriced", "unsettled"}
    return Text(", ".join(sorted(doubtful)) or UNKNOWN, style="bold red")


def detail(one: Found, named: Mapping[str, str]) -> RenderableType:
    """Everything known of one request; money to the last nano-dollar."""
    request = one.request
    parts: list[RenderableType] = [Text(request.id, style="bold"), _facts(_request_facts(one, named))]
    for call in request.calls:
        title = f"{call.purpose}: {call.model or 'no model'} at {call.provider}"
        parts += [Text(title, style="bold cyan"), _facts(_call_facts(call))]
    return Group(*parts)


def _facts(facts: Iterable[tuple[str, object]]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value is not None and value != "":
            grid.add_row(name, Text(str(value)))
    return Padding(grid, (0, 0, 0, 2), expand=False)


def _request_facts(one: Found, named: Mapping[str, str]) -> Iterable[tuple[str, object]]:
    request, caller = one.request, one.request.caller
    yield "Time (UTC)", shown(request.ts)
    yield "State", None if one.state == "settled" else one.state
    yield "Tenant", caller.tenant
    yield "User", caller.user
    yield "Feature", caller.feature
    yield "Session", caller.session
    yield "Tags", ", ".join(f"{name}={value}" for name, value in caller.tags)
    yield "Query type", named.get(one.query_type, one.query_type)
    yield "Question", request.shape.example if request.shape else None
    yield "Path", request.path
    yield "Model", request.model
    yield "Served by", request.served_model if request.served_model != request.model else None
    yield "Status", request.status
    yield "Error", request.error
    yield "Cache", request.cache
    yield "Cache would say", request.would_cache
    yield "Route", request.route
    yield "Cost", _exact(request.cost_nano)
    yield "As the app sent it", _exact(request.baseline_nano)
    yield from ((f"Saved by {lever or 'no single lever'}", _exact(amount)) for lever, amount in request.saved)
    yield from ((f"{lever} would save", _exact(amount)) for lever, amount in request.would_save)
    yield "Took", _times(request.latency_us, request.ttft_us)
    yield "farthing's share", None if request.overhead_us is None else duration(request.overhead_us)


def _call_facts(call: Call) -> Iterable[tuple[str, object]]:
    yield "Cost", f"{_exact(call.cost_nano)} ({call.cost_source})"
    yield "Price", call.price_version
    yield "Tokens", UNKNOWN if call.usage is None else tokens(call.usage)
    yield "Usage as reported", call.raw_usage
    yield "Model reported", call.model_reported if call.model_reported != call.model else None
    yield "Service tier", call.service_tier
    yield "Status", call.status
    yield "Error", call.error
    yield "Ended with", call.finish_reason
    yield "Took", _times(call.latency_us, call.ttft_us)
    yield "Provider's id", call.provider_request_id


def _exact(nano: int | None) -> str:
    return "unknown" if nano is None else f"${usd(nano)}"


def _times(latency_us: int | None, ttft_us: int | None) -> str | None:
    if latency_us is None:
        return None
    return duration(latency_us) + ("" if ttft_us is None else f", first token after {duration(ttft_us)}")
