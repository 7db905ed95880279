"""A second source of prices to check the first: a file of LiteLLM's form (``model_prices_and_context_window.json``).

Only compared, never billed by: it has no history, and models vanish from it. Prices there are dollars per token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import cast

import msgspec

from farthing.errors import PriceError
from farthing.prices.book import PriceBook, PriceLine

PROVIDERS: Mapping[str, str] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "xai": "x-ai",
    "groq": "groq",
    "cohere_chat": "cohere",
    "perplexity": "perplexity",
    "fireworks_ai": "fireworks",
    "together_ai": "together",
    "cerebras": "cerebras",
}
"""Its name for a provider → ours."""
CLASSES: Mapping[str, str] = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_token": "output",
}
MODES = frozenset({"chat", "completion", "responses", "embedding"})
_KEY = re.compile(rf"^({'|'.join(sorted(CLASSES, key=len, reverse=True))})(?:_above_(\d+)k_tokens)?$")
_MILLION = 10**6


class Entry(msgspec.Struct, frozen=True):
    """A model there: (more than so many prompt tokens, class) → dollars per million."""

    provider: str
    model: str
    prices: dict[tuple[int, str], Decimal]


class Apart(msgspec.Struct, frozen=True):
    """A price that is not the same in both. ``farthing`` is ``None`` if it knows none."""

    provider: str
    model: str
    price: str
    """The class, for long prompts with ``above``."""
    farthing: str | None
    other: str


class Checked(msgspec.Struct, frozen=True):
    """What came of comparing two sources."""

    compared: int
    """Models that both know."""
    apart: list[Apart]
    unknown: list[str]
    """Models that only the other source has a price for."""


def read(path: Path) -> list[Entry]:
    """The entries that can be compared. Raises ``PriceError``."""
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as problem:
        raise PriceError(f"{path}: cannot be read: {problem.strerror}") from problem
    except (ValueError, RecursionError) as problem:
        raise PriceError(f"{path}: not valid JSON: {problem}") from None
    if not isinstance(found, dict):
        raise PriceError(f"{path}: expected an object with a model a key, as LiteLLM's file has it")
    entries = list(_entries(cast("Mapping[str, object]", found)))
    if not entries:
        raise PriceError(f"{path}: no model with prices that can be compared; expected LiteLLM's form")
    return entries


def check(
    book: PriceBook, entries: Iterable[Entry], now: float, provider: str | None = None, match: str = ""
) -> Checked:
    """Every entry against the price that a call would get now."""
    apart: dict[Apart, None] = {}
    unknown: dict[str, None] = {}
    compared: set[str] = set()
    for one in entries:
        if provider not in (None, one.provider) or match.lower() not in one.model.lower():
            continue
        api = "anthropic" if one.provider == "anthropic" else "openai"
        line = book.explain(one.provider, one.model, now, api=api)
        if line.prices:
            compared.add(f"{one.provider}/{one.model}")
            apart.update(dict.fromkeys(_apart(one, line)))
        else:
            unknown[f"{one.provider}/{one.model}"] = None
    return Checked(len(compared), list(apart), list(unknown))


def _apart(one: Entry, line: PriceLine) -> Iterable[Apart]:
    """A price of 0 there for what has none here says the same: it is not billed."""
    for (above, name), usd in sorted(one.prices.items()):
        ours = _ours(line, above, name)
        if usd if ours is None else Decimal(ours) != usd:
            label = f"{name} above {above:,}" if above else name
            yield Apart(one.provider, one.model, label, ours, f"{usd.normalize():f}")


def _ours(line: PriceLine, above: int, name: str) -> str | None:
    """The price just above so many tokens: of the last step that has begun."""
    begun = [start for start in line.above if start <= above]
    return (line.above[max(begun)] if begun else line.prices).get(name)


def _entries(found: Mapping[str, object]) -> Iterable[Entry]:
    for name, value in found.items():
        if not isinstance(value, dict):
            continue
        fields = cast("Mapping[str, object]", value)
        provider = PROVIDERS.get(str(fields.get("litellm_provider")))
        if provider is None or fields.get("mode") not in MODES:
            continue
        prices = dict(_prices(fields))
        if prices:
            yield Entry(provider, name.rpartition("/")[2] if _is_prefixed(name, fields) else name, prices)


def _is_prefixed(name: str, fields: Mapping[str, object]) -> bool:
    """Whether the key is ``provider/model``; other slashes belong to the model's name."""
    first, slash, rest = name.partition("/")
    return bool(slash) and first == fields.get("litellm_provider") and "/" not in rest


def _prices(fields: Mapping[str, object]) -> Iterable[tuple[tuple[int, str], Decimal]]:
    for key, value in fields.items():
        match = _KEY.match(key)
        if match and isinstance(value, Decimal | int) and not isinstance(value, bool):
            usd = round(Decimal(value) * _MILLION, 9)
            yield (int(match[2] or 0) * 1000, CLASSES[match[1]]), usd
