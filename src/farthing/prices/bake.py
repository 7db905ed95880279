"""Turns the data of an installed ``genai-prices`` into ``catalog.json``: ``python -m farthing.prices.bake [FILE]``.

Importing genai-prices takes 260 ms and 30 MB in every process; the baked file takes a hundredth of that and shows in a
diff what moved. Needs the development dependencies; nothing else in farthing imports genai-prices.
"""

from __future__ import annotations

import json
import re
import sys
import time
from decimal import ROUND_HALF_EVEN, Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_prices import types as gp

TARGET = Path(__file__).with_name("catalog.json")

CLASSES = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_read_audio",
    "output_audio_mtok": "output_audio",
    "input_image_mtok": "input_image",
    "output_image_mtok": "output_image",
    "web_searches_kcount": "web_searches",
    "requests_kcount": "requests",
}
UNCOUNTED = {"output_citation_mtok", "output_reasoning_mtok"}
"""Tokens billed apart that a reply's usage does not show apart: such a price cannot be applied and is left out."""

OPS = {
    "ClauseEquals": ("=", "equals"),
    "ClauseStartsWith": ("^", "starts_with"),
    "ClauseEndsWith": ("$", "ends_with"),
    "ClauseContains": ("*", "contains"),
    "ClauseRegex": ("~", "regex"),
}
STANDARD = {"default", "standard"}


def clause(match: gp.MatchLogic | None) -> list[Any] | None:
    """A condition on a name, as ``[operator, text]`` or ``[operator, "", [conditions]]``."""
    if match is None:
        return None
    kind = type(match).__name__
    if kind in OPS:
        op, field = OPS[kind]
        text = str(getattr(match, field))
        if op != "~":
            return [op, text.lower()]
        re.compile(text)
        return [op, text]
    parts: list[gp.MatchLogic] = getattr(match, "or_", None) or getattr(match, "and_")  # noqa: B009
    return ["|" if kind == "ClauseOr" else "&", "", [clause(part) for part in parts]]


def amount(value: Decimal) -> str:
    """US dollars with at most nine decimals, without the noise of what once was a float (0.18000000000000002)."""
    rounded = value.quantize(Decimal("1e-9"), ROUND_HALF_EVEN)
    return f"{rounded.normalize():f}"


def prices(price: gp.ModelPrice) -> dict[str, Any]:
    """Class → dollars, or → ``[[0, dollars], [more than so many tokens, dollars], …]``."""
    given: dict[str, Any] = {key: value for key, value in vars(price).items() if value is not None}
    if UNCOUNTED & given.keys():
        return {}
    found: dict[str, Any] = {}
    for key, name in CLASSES.items():
        value = given.get(key)
        if value is None:
            continue
        if isinstance(value, Decimal):
            found[name] = amount(value)
        else:
            steps = [[0, amount(value.base)], *([tier.start, amount(tier.price)] for tier in value.tiers)]
            found[name] = steps
    return found


def when(constraint: object) -> dict[str, Any]:
    """The first day (UTC) or the daily hours (seconds of the UTC day) of a price."""
    if constraint is None:
        return {}
    if (start := getattr(constraint, "start_date", None)) is not None:
        return {"since": start.isoformat()}
    begin, end = (getattr(constraint, name) for name in ("start_time", "end_time"))
    return {"window": [begin.hour * 3600 + begin.minute * 60, end.hour * 3600 + end.minute * 60]}


def tier(selector: dict[str, str]) -> str | None:
    """The service tier that a variant stands for; ``None`` for what a reply does not tell."""
    if len(selector) != 1:
        return None
    (key, value), *_ = selector.items()
    return value if key in {"service_tier", "processing", "speed"} and value not in STANDARD else None


def model(info: gp.ModelInfo) -> dict[str, Any]:
    plain = info.prices if isinstance(info.prices, list) else None
    pairs: list[tuple[object, gp.ModelPrice]]
    pairs = [(item.constraint, item.prices) for item in plain] if plain is not None else [(None, info.prices)]  # type: ignore[list-item]
    periods: list[dict[str, Any]] = []
    since: str | None = None
    for constraint, price in pairs:
        period = when(constraint)
        # Hours listed after a start date belong to it: the source cannot say both in one condition.
        since = period.get("since", since)
        if "window" in period and since is not None:
            period["since"] = since
        periods.append(period | {"prices": prices(price)})
    for variant in info.price_variants or ():
        name = tier(variant.when)
        if name is not None:  # without prices of its own it says: as standard
            periods.append(when(variant.constraint) | {"tier": name, "prices": prices(variant.prices)})
    entry: dict[str, Any] = {"id": info.id, "match": clause(info.match)}
    if info.context_window is not None:
        entry["context"] = info.context_window
    return entry | {"periods": periods}


def bake(taken: str | None = None) -> str:
    """The catalogue as JSON, one model a line; ``taken``: the day on which it is taken over, without it today."""
    from genai_prices.data import providers

    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    shelves: list[str] = []
    for provider in sorted(providers, key=lambda one: one.id):
        head: dict[str, Any] = {"id": provider.id}
        if provider.provider_match is not None:
            head["match"] = clause(provider.provider_match)
        if provider.model_match is not None:
            head["serves"] = clause(provider.model_match)
        if provider.fallback_model_providers:
            head["borrows"] = provider.fallback_model_providers
        models = ",\n".join(text(model(info)) for info in provider.models)
        shelves.append(f'{text(head)[:-1]},"models":[\n{models}\n]}}')
    taken = taken or time.strftime("%Y-%m-%d", time.gmtime())
    source = text(f"genai-prices {version('genai-prices')}")
    return f'{{"source":{source},"taken":"{taken}","shelves":[\n' + ",\n".join(shelves) + "\n]}\n"


def main(arguments: list[str]) -> None:
    target = Path(arguments[0]) if arguments else TARGET
    target.write_text(bake(), encoding="utf-8")
    sys.stdout.write(f"wrote {target}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
