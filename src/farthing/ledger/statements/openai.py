"""OpenAI: ``GET /v1/organization/usage/completions`` (also ``embeddings``) and ``/v1/organization/costs``.

Fields as in the official client's types (openai-python 3.57, ``types/admin/organization``). ``input_tokens`` holds
cached and written tokens, and the dollars of costs are numbers.
"""

from __future__ import annotations

from farthing.errors import StatementError
from farthing.ledger.statements.model import Item, Statement, nano_of
from farthing.ledger.statements.reading import Json, bounds, mapping, number, objects, text, time_of

USAGE = {
    "organization.usage.completions.result": ("OpenAI usage", ("openai.chat", "openai.responses")),
    "organization.usage.embeddings.result": ("OpenAI usage of embeddings", ("openai.embeddings",)),
}
COSTS = "organization.costs.result"
AT_ALL = ("input", "input_audio", "input_image")
WRITTEN = ("cache_write_5m", "cache_write_1h")
READ = ("cache_read", "cache_read_audio")
OUTPUT = ("output", "output_audio", "output_image")

Placed = tuple[str, float, float, Json]
"""Where, its bucket, a result."""


def is_openai(page: Json) -> bool:
    """Whether it is a page of one of these."""
    return page.get("object") == "page" and isinstance(page.get("data"), list)


def read(name: str, page: Json) -> Statement:
    """A page. Raises ``StatementError``."""
    buckets = [(where, *_bucket(one, where), one) for where, one in objects(page["data"], f"{name}: data")]
    placed = [
        (place, since, until, result)
        for where, since, until, one in buckets
        for place, result in objects(one.get("results", one.get("result")), f"{where}.results")
    ]
    kinds = {str(result.get("object")) for *_, result in placed}
    more, span = bool(page.get("has_more")), bounds((since, until) for _, since, until, _ in buckets)
    if kinds == {COSTS}:
        items = tuple(_cost(*one) for one in placed)
        return Statement(name=name, form="OpenAI costs", provider="openai", items=items, span=span, more=more)
    if not kinds:
        raise StatementError(f"{name}: the page has no results, and so does not say what it is about")
    if len(kinds) > 1 or not kinds <= USAGE.keys():
        raise StatementError(
            f"{name}: {', '.join(sorted(kinds))} cannot be compared; allowed: {COSTS}, {', '.join(USAGE)}"
        )
    form, wires = USAGE[kinds.pop()]
    written = any(result.get("input_cache_write_tokens") is not None for *_, result in placed)
    classes: dict[str, tuple[str, ...]] = {
        "input": AT_ALL if written else (*AT_ALL, *WRITTEN),
        "cache_read": READ,
        "output": OUTPUT,
    }
    if written:
        classes["cache_write"] = WRITTEN
    items = tuple(_usage(*one) for one in placed)
    return Statement(
        name=name, form=form, provider="openai", items=items, classes=classes, wires=wires, span=span, more=more
    )


def _bucket(one: Json, where: str) -> tuple[float, float]:
    return time_of(one.get("start_time"), f"{where}.start_time"), time_of(one.get("end_time"), f"{where}.end_time")


def _usage(where: str, since: float, until: float, one: Json) -> Item:
    whole = number(one, "input_tokens", where) or 0
    cached = number(one, "input_cached_tokens", where) or 0
    written = number(one, "input_cache_write_tokens", where) or 0
    if whole < cached + written:
        raise StatementError(f"{where}: {cached} cached and {written} written tokens are more than {whole} of input")
    return Item(
        since=since,
        until=until,
        model=text(one, "model"),
        key=text(one, "api_key_id"),
        tier="batch" if one.get("batch") is True else text(one, "service_tier"),
        requests=number(one, "num_model_requests", where),
        tokens={
            "input": whole - cached - written,
            "cache_read": cached,
            "cache_write": written,
            "output": number(one, "output_tokens", where) or 0,
        },
    )


def _cost(where: str, since: float, until: float, one: Json) -> Item:
    amount = mapping(one.get("amount"))
    currency = str(amount.get("currency", "usd")).lower()
    if currency != "usd":
        raise StatementError(f"{where}.amount.currency: {currency!r} cannot be compared; allowed: usd")
    nano, slack = nano_of(amount.get("value", 0), f"{where}.amount.value")
    line = text(one, "line_item")
    return Item(
        since=since,
        until=until,
        model=None if line is None else line.rsplit(",", 1)[0].strip(),  # "gpt-4o-2024-08-06, cached input"
        key=text(one, "api_key_id"),
        cost_nano=nano,
        slack_nano=slack,
    )
