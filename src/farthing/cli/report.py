"""``farthing report``: what was spent, by whom and for what, and what was saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click
import msgspec

from farthing.cli.common import clock, config_option, console, csv_text, json_line, policy_of, store_option
from farthing.cli.ledger import names, reading
from farthing.cli.when import moment, shown
from farthing.errors import ConfigError
from farthing.insight.profile import Example, Spend, expensive_patterns, pareto
from farthing.ledger.figures import By, Figures, Report
from farthing.ledger.listing import QueryType, query_types
from farthing.ledger.query import report as read
from farthing.ledger.query import reports as read_all
from farthing.ledger.store import Store

if TYPE_CHECKING:
    from rich.console import RenderableType

BY: tuple[By, ...] = get_args(By)
OVERVIEW: tuple[By, ...] = ("feature", "query_type", "user", "model", "provider", "tenant", "day")
FEW = 5
"""Rows of each table of the overview."""
PERCENTILES: Mapping[By, int | None] = {
    **{by: FEW if by in {"feature", "query_type", "model"} else 0 for by in OVERVIEW},
    "lever": 0,
}
"""Rows of each table of the overview that show percentiles: they are most of the work."""
MANY = 50
"""Rows of one table, for people."""
PLURAL = {"query_type": "query types", "day": "days", "status": "statuses"}


class Scope(msgspec.Struct, frozen=True):
    """What a report is about: from ``since`` to before ``until``, seconds since the epoch; ``None``: no limit."""

    since: float | None = None
    until: float | None = None
    tenant: str | None = None

    def read(self, store: Store, by: By | None = None, limit: int | None = None) -> Report:
        """Raises ``StoreError``."""
        return read(store, by, self.since, self.until, self.tenant, limit)

    def __str__(self) -> str:
        start = "the beginning" if self.since is None else shown(self.since)
        end = "now" if self.until is None else shown(self.until)
        return f"{start} to {end} (UTC)" + (f", tenant {self.tenant}" if self.tenant is not None else "")


@click.command()
@click.option("--by", type=click.Choice(BY), help="One dimension in full instead of the overview.")
@click.option("--since", metavar="TIME", help="2026-11-25, 2026-11-25T08:00, 7d or 24h (ago), today … in UTC.")
@click.option("--until", metavar="TIME", help="Likewise; not included. Default: now.")
@click.option("--tenant", help="Only this tenant.")
@click.option("--limit", type=click.IntRange(1), help=f"At most so many rows (tables: {MANY}).")
@click.option("--json", "form", flag_value="json", help="Print JSON for machines.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV for spreadsheets.")
@store_option
@config_option
def report(
    by: By | None,
    since: str | None,
    until: str | None,
    tenant: str | None,
    limit: int | None,
    form: str | None,
    store: str | None,
    config: Path | None,
) -> None:
    """What was spent, by whom and for what, and what was saved."""
    now = clock()
    scope = Scope(moment("--since", since, now), moment("--until", until, now), tenant)
    if scope.since is not None and scope.since >= (now if scope.until is None else scope.until):
        raise ConfigError(f"--since: {since!r} is not before {repr(until) if until else 'now'}")
    with reading(policy_of(config, store), clock) as ledger:
        if form is not None:
            found = scope.read(ledger, by, limit)
            named = names(query_types(ledger, tenant)) if by == "query_type" else {}
            click.echo(as_csv(found, by, named) if form == "csv" else json_line(as_json(found, named)))
            return
        parts = overview(ledger, scope) if by is None else single(ledger, scope, by, limit or MANY)
    out = console()
    for part in parts:
        out.print(part)


def as_json(found: Report, named: Mapping[str, str]) -> object:
    """The contract's report; rows of query types also have their ``name``."""
    if not named:
        return found
    rows = [{**msgspec.to_builtins(row), "name": named.get(_key(row), _key(row))} for row in found.rows]
    return {"total": found.total, "rows": rows}


def as_csv(found: Report, by: By | None, named: Mapping[str, str]) -> str:
    """The same columns as the JSON, tokens one column a class."""
    rows: list[dict[str, object]] = []
    for row in found.rows if by else [found.total]:
        flat = cast("dict[str, object]", msgspec.to_builtins(row))
        tokens = cast("dict[str, int]", flat.pop("tokens"))
        name = {"name": named.get(_key(row), "")} if named else {}
        rows.append({"key": None, **name, **flat, **{f"tokens_{kind}": number for kind, number in tokens.items()}})
    wide = max(rows, key=len, default={"key": None})
    return csv_text(list({column: None for row in [wide, *rows] for column in row}), rows)


def overview(ledger: Store, scope: Scope) -> Sequence[RenderableType]:
    """The headline, the dearest patterns, and the first rows of every dimension that says something."""
    from farthing.cli import tables

    types = query_types(ledger, scope.tenant)
    total, found = read_all(ledger, PERCENTILES, scope.since, scope.until, scope.tenant)
    parts: list[RenderableType] = [tables.headline(total, str(scope))]
    if not total.requests:
        return [*parts, "Nothing has been recorded in this period."]
    parts += ["", _patterns(found["query_type"], types)]
    for by in OVERVIEW:
        rows = found[by][-FEW:] if by == "day" else found[by][:FEW]
        if any(row.key for row in rows) and (len(rows) > 1 or by in {"feature", "model"}):
            parts += ["", tables.lines(_title(by, rows), _named(rows, by, types), total, full=False)]
    if rows := found["lever"]:
        parts += ["", tables.levers("Savings by lever", rows, total)]
    return parts


def single(ledger: Store, scope: Scope, by: By, limit: int) -> Sequence[RenderableType]:
    """The headline and one table."""
    from farthing.cli import tables

    found = scope.read(ledger, by, limit)
    parts: list[RenderableType] = [tables.headline(found.total, str(scope)), ""]
    if by == "lever":
        return [*parts, tables.levers("Savings by lever", found.rows, found.total)]
    types = query_types(ledger, scope.tenant) if by == "query_type" else []
    if by == "query_type":
        rows = read_all(ledger, {by: 0}, scope.since, scope.until, scope.tenant)[1][by]
        parts += [_patterns(rows, types), ""]
    elif by not in {"day", "hour", "status"} and len(found.rows) < limit:
        parts += [pareto(spends(found.rows, {}), _things(by)).sentence, ""]
    return [*parts, tables.lines(_title(by, []), _named(found.rows, by, types), found.total)]


def spends(rows: Iterable[Figures], named: Mapping[str, str]) -> list[Spend]:
    """What the profile needs of a report's rows."""
    return [
        Spend(named.get(_key(row), _key(row)) or "(none)", row.cost_nano_usd, row.requests, row.usage) for row in rows
    ]


def _patterns(rows: Sequence[Figures], types: Sequence[QueryType]) -> RenderableType:
    from farthing.cli import tables

    named = names(types)
    found = spends(rows, named)
    dearest = sorted(types, key=lambda one: one.example_cost_nano or 0)
    examples = {
        named[one.id]: [Example(one.example_id, one.example, one.example_cost_nano)]
        for one in dearest
        if one.example_id
    }
    return tables.patterns(pareto(found), expensive_patterns(found, examples))


def _named(rows: Sequence[Figures], by: By, types: Sequence[QueryType]) -> Sequence[Figures]:
    if by != "query_type":
        return rows
    named = names(types)
    return [msgspec.structs.replace(row, key=named.get(_key(row), row.key)) for row in rows]


def _key(row: Figures) -> str:
    return row.key if isinstance(row.key, str) else ""


def _things(by: By) -> str:
    return PLURAL.get(by, f"{by}s")


def _title(by: By, rows: Sequence[Figures]) -> str:
    if by == "day" and rows:
        return f"The last {len(rows)} days"
    return f"By {by.replace('_', ' ')}"
