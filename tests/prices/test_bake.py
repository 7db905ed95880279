"""The baked catalogue against genai-prices itself, an independent implementation on the same data."""

from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version

import msgspec
import pytest

from farthing.prices import bake, catalog
from farthing.prices.book import PriceBook
from farthing.types import Usage

data = pytest.importorskip("genai_prices.data")
from genai_prices.types import Usage as TheirUsage  # noqa: E402

TIMES = [
    datetime(2025, 8, 1, 2, tzinfo=UTC),
    datetime(2026, 7, 30, 0, tzinfo=UTC),
    datetime(2026, 11, 24, 17, tzinfo=UTC),
]
COUNTS = {"input": 201_007, "cache_read": 70_001, "cache_write_5m": 3_333, "output": 1_234}


def test_the_catalogue_is_what_the_data_say():
    baked = bake.bake(str(catalog.load().taken))
    decoded = msgspec.json.decode(baked.encode(), type=catalog.Catalog)
    assert {shelf.id for shelf in decoded.shelves} == {provider.id for provider in data.providers}
    shipped = (bake.TARGET).read_text(encoding="utf-8")
    if decoded.source == catalog.load().source:  # else it waits to be baked anew
        assert baked == shipped
    assert decoded.source == f"genai-prices {version('genai-prices')}"


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "mistral", "x-ai", "groq"])
@pytest.mark.parametrize("when", TIMES, ids=str)
def test_costs_agree_with_genai_prices(provider, when):
    book = PriceBook.load()
    if book.source != f"genai-prices {version('genai-prices')}":
        pytest.skip("the catalogue was baked from another version")
    theirs = next(one for one in data.providers if one.id == provider)
    compared = 0
    for model in theirs.models:
        name = model.id.lower()
        if theirs.find_model(name) is not model:
            continue
        prices = {key for key, value in vars(model.get_prices(when)).items() if value is not None}
        counts = {key: n for key, n in COUNTS.items() if KEYS[key] in prices}
        if "input" not in counts:
            continue
        prompt = sum(n for key, n in counts.items() if key != "output")
        usage = TheirUsage(
            input_tokens=prompt,
            output_tokens=counts.get("output", 0),
            cache_read_tokens=counts.get("cache_read", 0),
            cache_write_tokens=counts.get("cache_write_5m", 0),
        )
        expected = model.get_prices(when).calc_price(usage)["total_price"] * 10**9
        cost = book.price(provider, "openai", name, Usage(**counts), when.timestamp()).cost_nano
        assert cost is not None, name
        assert abs(cost - expected) <= Decimal("0.5"), name
        compared += 1
    assert compared > 15


KEYS = {
    "input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "output": "output_mtok",
}
