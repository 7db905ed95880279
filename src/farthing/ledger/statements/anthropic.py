"""Anthropic: ``GET /v1/organizations/usage_report/messages`` and ``/v1/organizations/cost_report``.

Fields as in the Admin API's reference. Amounts of the cost report are *cents*, as decimal strings; it is by the day and
has no Priority Tier. ``uncached_input_tokens`` excludes what was read from and written to the cache.
"""

from __future__ import annotations

from farthing.errors import StatementError
from farthing.ledger.statements.model import CENT, OWN_CLASSES, Item, Statement, nano_of
from farthing.ledger.statements.reading import Json, bounds, mapping, number, objects, text, time_of

CLASSES = {**OWN_CLASSES, "web_searches": ("web_searches",)}
NO_PRIORITY = "calls in the Priority Tier are not in Anthropic's cost report"
WIRES = ("anthropic.messages",)


def is_anthropic(page: Json) -> bool:
    """Whether it is a page of one of these."""
    data = page.get("data")
    return isinstance(data, list) and "has_more" in page and page.get("object") != "page"


def read(name: str, page: Json) -> Statement:
    """A page. Raises ``StatementError``."""
    buckets = [
        (where, *(time_of(one.get(key), f"{where}.{key}") for key in ("starting_at", "ending_at")), one)
        for where, one in objects(page["data"], f"{name}: data")
    ]
    placed = [
        (place, since, until, result)
        for where, since, until, one in buckets
        for place, result in objects(one.get("results"), f"{where}.results")
    ]
    if not placed:
        raise StatementError(f"{name}: the page has no results, and so does not say what it is about")
    more, span = bool(page["has_more"]), bounds((since, until) for _, since, until, _ in buckets)
    if all("amount" in result for *_, result in placed):
        return Statement(
            name=name,
            form="Anthropic cost report",
            provider="anthropic",
            items=tuple(_cost(*one) for one in placed),
            span=span,
            more=more,
            remarks=(NO_PRIORITY,),
        )
    return Statement(
        name=name,
        form="Anthropic usage report",
        provider="anthropic",
        items=tuple(_usage(*one) for one in placed),
        classes=CLASSES,
        wires=WIRES,
        span=span,
        more=more,
    )


def _usage(where: str, since: float, until: float, one: Json) -> Item:
    if "output_tokens" not in one:
        raise StatementError(f"{where}: neither usage nor an amount")
    written, tools = mapping(one.get("cache_creation")), mapping(one.get("server_tool_use"))
    told = {
        "input": number(one, "uncached_input_tokens", where),
        "cache_read": number(one, "cache_read_input_tokens", where),
        "cache_write_5m": number(written, "ephemeral_5m_input_tokens", f"{where}.cache_creation"),
        "cache_write_1h": number(written, "ephemeral_1h_input_tokens", f"{where}.cache_creation"),
        "output": number(one, "output_tokens", where),
        "web_searches": number(tools, "web_search_requests", f"{where}.server_tool_use"),
    }
    return Item(
        since=since,
        until=until,
        model=text(one, "model"),
        key=text(one, "api_key_id"),
        tier=text(one, "service_tier"),
        tokens={name: count or 0 for name, count in told.items()},
    )


def _cost(where: str, since: float, until: float, one: Json) -> Item:
    currency = str(one.get("currency", "USD")).upper()
    if currency != "USD":
        raise StatementError(f"{where}.currency: {currency!r} cannot be compared; allowed: USD")
    nano, slack = nano_of(one["amount"], f"{where}.amount", unit=CENT)
    fee = text(one, "cost_type")
    return Item(
        since=since,
        until=until,
        model=text(one, "model") or (fee if fee not in {None, "tokens", "web_search"} else None),
        tier=text(one, "service_tier"),
        cost_nano=nano,
        slack_nano=slack,
    )
