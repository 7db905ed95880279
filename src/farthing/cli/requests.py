"""``farthing requests``: single requests, and what each of their provider calls cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
import msgspec

from farthing.cli.common import clock, config_option, console, json_line, json_option, policy_of, store_option
from farthing.cli.ledger import names, reading
from farthing.cli.when import moment
from farthing.errors import FarthingError
from farthing.insight import contract
from farthing.ledger.listing import Filter, Found, query_types
from farthing.ledger.listing import request as read_one
from farthing.ledger.listing import requests as read_many
from farthing.types import CacheState, CostSource

if TYPE_CHECKING:
    from farthing.ledger.store import Store

DEFAULT_LIMIT = 20

FILTERS: tuple[Callable[[Any], Any], ...] = (
    click.option("--tenant", help="Only this tenant's."),
    click.option("--user", help="Only this user's."),
    click.option("--feature", help="Only this feature's."),
    click.option("--session", help="Only this session's."),
    click.option("--model", help="Only of this model, as asked for or as served."),
    click.option("--provider", help="Only of this provider."),
    click.option("--query-type", help="Only of this query type: its name or id."),
    click.option("--status", type=int, help="Only with this HTTP status."),
    click.option("--failed/--no-failed", default=None, help="Only those that failed, or did not."),
    click.option("--cache", type=click.Choice(get_args(CacheState)), help="Only with this answer of the cache."),
    click.option(
        "--source", type=click.Choice(get_args(CostSource)), help="Only with a call whose cost comes from there."
    ),
    click.option("--since", metavar="TIME", help="2026-11-25, 7d or 24h (ago), today … in UTC."),
    click.option("--until", metavar="TIME", help="Likewise; not included."),
)


def filtered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of ``Filter``."""
    return reduce(lambda inner, option: option(inner), reversed(FILTERS), command)


@click.command()
@click.argument("request_id", metavar="[ID]", required=False)
@click.option("--limit", type=click.IntRange(1), default=DEFAULT_LIMIT, show_default=True, help="At most so many.")
@filtered
@json_option
@store_option
@config_option
def requests(
    request_id: str | None, limit: int, as_json: bool, store: str | None, config: Path | None, **where: object
) -> None:
    """List requests, newest first, or show the one with this ID and its provider calls."""
    now = clock()
    span = {name: moment(f"--{name}", text, now) for name in ("since", "until") if isinstance(text := where[name], str)}
    with reading(policy_of(config, store), clock) as ledger:
        named = names(query_types(ledger))
        if request_id is not None:
            found = [_one(ledger, request_id)]
        else:
            found = read_many(ledger, limit, _filter({**where, **span}, named))
    if as_json:
        for one in found:
            click.echo(json_line(as_json_value(one, named)))
    else:
        _show(found, named, in_full=request_id is not None)


def as_json_value(one: Found, named: Mapping[str, str]) -> contract.Json:
    """The contract's object for a request."""
    return contract.request(one.request, named.get(one.query_type, one.query_type) or None, one.state)


def _show(found: list[Found], named: Mapping[str, str], *, in_full: bool) -> None:
    from farthing.cli import listing

    if in_full:
        console().print(listing.detail(found[0], named))
    elif found:
        console().print(listing.table(found))
    else:
        click.echo("No requests match.")


def _one(ledger: Store, request_id: str) -> Found:
    found = read_one(ledger, request_id)
    if found is None:
        raise FarthingError(f"there is no request {request_id!r} in the ledger; it may be older than the retention")
    return found


def _filter(where: Mapping[str, object], named: Mapping[str, str]) -> Filter:
    """The options as a filter; a query type is asked for by its name or its id."""
    wanted = where["query_type"]
    query_type = next((id_ for id_, name in named.items() if name == wanted), wanted)
    return msgspec.convert({**where, "query_type": query_type}, Filter)
