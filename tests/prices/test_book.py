"""Expectations are list prices, worked out by hand: dollars per million tokens times tokens, in nano-dollars."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from farthing.prices.book import PriceBook
from farthing.prices.rates import CLASSES
from farthing.types import Usage


def at(year, month, day, hour=12, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()


NOW = at(2026, 11, 24)


@pytest.fixture(scope="module")
def book():
    return PriceBook.load()


@pytest.fixture
def local(tmp_path):
    def load(text):
        path = tmp_path / "prices.toml"
        path.write_text(text, encoding="utf-8")
        return PriceBook.load(path)

    return load


# provider, api, model, dollars per million: input, cached read, write 5m, write 1h, output
LIST_PRICES = [
    ("openai", "openai", "gpt-4o", "2.5", "1.25", None, None, "10"),
    ("openai", "openai", "gpt-4o-2024-08-06", "2.5", "1.25", None, None, "10"),
    ("openai", "openai", "gpt-4o-mini-2024-07-18", "0.15", "0.075", None, None, "0.6"),
    ("openai", "openai", "gpt-4-turbo-2024-04-09", "10", "10", None, None, "30"),
    ("openai", "openai", "gpt-4.1-mini", "0.4", "0.1", None, None, "1.6"),
    ("openai", "openai", "gpt-5-mini", "0.25", "0.025", None, None, "2"),
    ("openai", "openai", "gpt-5-nano-2025-08-07", "0.05", "0.005", None, None, "0.4"),
    ("openai", "openai", "gpt-6.1-sol", "2", "0.1", "2.5", None, "10"),
    ("openai", "openai", "text-embedding-3-small", "0.02", None, None, None, None),
    ("openai", "openai", "text-embedding-3-large", "0.13", None, None, None, None),
    ("anthropic", "anthropic", "claude-3-5-sonnet-20241022", "3", "0.3", "3.75", "6", "15"),
    ("anthropic", "anthropic", "claude-3-5-haiku-latest", "0.8", "0.08", "1", "1.6", "4"),
    ("anthropic", "anthropic", "claude-3-haiku-20240307", "0.25", "0.03", "0.3", "0.5", "1.25"),
    ("anthropic", "anthropic", "claude-sonnet-4-5-20250929", "3", "0.3", "3.75", "6", "15"),
    ("anthropic", "anthropic", "claude-haiku-4-5", "1", "0.1", "1.25", "2", "5"),
    ("anthropic", "anthropic", "claude-opus-5-5", "4", "0.2", "5", "8", "20"),
]


@pytest.mark.parametrize("row", LIST_PRICES, ids=lambda row: row[2])
def test_list_prices(book, row):
    provider, api, model, *prices = row
    classes = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    for name, usd in zip(classes, prices, strict=True):
        if usd is not None:
            # 2,000 tokens at so many dollars per million
            cost = book.price(provider, api, model, Usage(**{name: 2_000}), NOW).cost_nano
            assert cost == Decimal(usd) * 2_000_000, name


def test_cached_read_is_not_billed_as_input(book):
    usage = Usage(input=1_000, cache_read=9_000, output=100)
    # 1,000 at 2.50 + 9,000 at 1.25 + 100 at 10.00 per million
    assert book.price("openai", "openai", "gpt-4o", usage, NOW).cost_nano == 2_500_000 + 11_250_000 + 1_000_000


def test_cache_write_billed_once(book):
    usage = Usage(input=10, cache_write_5m=10_000, cache_write_1h=1_000, output=1)
    # 10 at 3 + 10,000 at 3.75 + 1,000 at 6 + 1 at 15 per million; not 3.00 for the written ones as well
    cost = book.price("anthropic", "anthropic", "claude-3-5-sonnet-20241022", usage, NOW).cost_nano
    assert cost == 30_000 + 37_500_000 + 6_000_000 + 15_000


def test_reasoning_is_billed_once(book):
    usage = Usage(input=10, output=1_000, reasoning=900)
    assert book.price("openai", "openai", "gpt-5-mini", usage, NOW).cost_nano == 2_500 + 2_000_000


def test_unknown_price_is_unpriced(book):
    priced = book.price("acme", "openai", "acme-large-9", Usage(input=1_000_000), NOW)
    assert (priced.cost_nano, priced.source) == (None, "unpriced")
    assert "acme/acme-large-9" in priced.version
    assert book.price("openai", "openai", None, Usage(input=1), NOW).cost_nano is None
    assert book.price("openai", "openai", "x" * 100_000, Usage(input=1), NOW).cost_nano is None


def test_price_entry_without_prices_is_unpriced(book):
    priced = book.price("openrouter", "openai", "deepseek/deepseek-r1:free", Usage(input=5, output=5), NOW)
    assert (priced.cost_nano, priced.source) == (None, "unpriced")
    assert "no prices" in priced.version


def test_charges_that_usage_does_not_show_leave_a_model_unpriced(book):
    priced = book.price("perplexity", "openai", "sonar-deep-research", Usage(input=5, output=5), NOW)
    assert priced.cost_nano is None


def test_a_fee_per_request_is_billed(book):
    # sonar: $1 per million tokens, $12 per thousand requests
    assert (
        book.price("perplexity", "openai", "sonar", Usage(input=100, output=100), NOW).cost_nano == 12_000_000 + 200_000
    )


def test_zero_usage_is_zero(book):
    priced = book.price("openai", "openai", "gpt-4o", Usage(), NOW)
    assert (priced.cost_nano, priced.source) == (0, "usage")


def test_negative_usage_is_unpriced(book):
    assert book.price("openai", "openai", "gpt-4o", Usage(input=-5, output=9), NOW).cost_nano is None


def test_long_context_tier(book):
    # Haiku 5.5: 0.10/0.50 up to 100,000 prompt tokens, 0.50/2.50 above, for all tokens of the call
    def cost(**classes):
        return book.price("anthropic", "anthropic", "claude-haiku-5-5", Usage(**classes), NOW)

    assert cost(input=100_000, output=10).cost_nano == 10_000_000 + 5_000
    long = cost(input=100_001, output=10)
    assert long.cost_nano == 50_000_500 + 25_000
    assert long.version.endswith(">100000")
    # cached and written tokens count to the size of the prompt: 60,000 at 0.5 + 30,000 at 0.05 + 20,000 at 0.625
    mixed = cost(input=60_000, cache_read=30_000, cache_write_5m=20_000)
    assert mixed.cost_nano == 30_000_000 + 1_500_000 + 12_500_000
    # output does not
    assert cost(input=1, output=200_000).cost_nano == 100 + 100_000_000


def test_tier_per_request_not_per_session(book):
    one = book.price("openai", "openai", "gpt-6.1-sol", Usage(input=200_000), NOW).cost_nano
    both = book.price("openai", "openai", "gpt-6.1-sol", Usage(input=400_000), NOW).cost_nano
    assert one == 400_000_000  # 0.2 million at 2.00
    assert both == 1_600_000_000  # 0.4 million at 4.00: more than 272,000
    assert both > one + one


@pytest.mark.parametrize("tier", [None, "default", "standard", "auto", "on_demand", "Standard"])
def test_ordinary_service_tiers_cost_the_list_price(book, tier):
    assert book.price("openai", "openai", "gpt-4o", Usage(input=1_000), NOW, tier).cost_nano == 2_500_000


def test_service_tier_from_response(book):
    usage = Usage(input=1_000, cache_read=100, output=1_000)

    def cost(provider, model, tier):
        return book.price(provider, provider, model, usage, NOW, tier).cost_nano

    # gpt-5-mini 0.25 / 0.025 / 2.00; flex half; priority 0.45 / 0.045 / 3.60
    assert cost("openai", "gpt-5-mini", "default") == 250_000 + 2_500 + 2_000_000
    assert cost("openai", "gpt-5-mini", "flex") == 125_000 + 1_250 + 1_000_000
    assert cost("openai", "gpt-5-mini", "priority") == 450_000 + 4_500 + 3_600_000
    # no table of its own: half of everything
    assert cost("openai", "gpt-4o", "flex") == 1_250_000 + 62_500 + 5_000_000
    assert cost("anthropic", "claude-3-5-sonnet-20241022", "batch") == 1_500_000 + 15_000 + 7_500_000


def test_tiers_before_their_table_are_half_price_too(book):
    cost = book.price("openai", "openai", "gpt-5-mini", Usage(input=1_000), at(2025, 12, 1), "flex").cost_nano
    assert cost == 125_000


def test_unknown_service_tier_is_unpriced(book):
    for model, tier in (("gpt-4o", "scale"), ("gpt-4-turbo", "priority"), ("gpt-4o", "ultrafast")):
        priced = book.price("openai", "openai", model, Usage(input=1), NOW, tier)
        assert priced.cost_nano is None
        assert f"tier {tier}" in priced.version


def test_flex_on_groq_is_no_cheaper(book):
    model, usage = "llama-3.3-70b-versatile", Usage(input=1_000_000)
    plain = book.price("groq", "openai", model, usage, NOW).cost_nano
    assert plain == 590_000_000
    assert book.price("groq", "openai", model, usage, NOW, "flex").cost_nano == plain


def test_web_searches_are_billed_and_never_halved(book):
    for model in ("claude-3-5-sonnet-20241022", "claude-3-haiku-20240307"):
        priced = book.price("anthropic", "anthropic", model, Usage(web_searches=3), NOW, "batch")
        assert priced.cost_nano == 30_000_000  # $10 per thousand


def test_every_usage_class_has_a_price_path(local):
    """No class is ever free: it has a price or makes the call unpriced."""
    fields = set(Usage.__struct_fields__) - {"reasoning"}
    assert fields == set(CLASSES)
    prices = "\n".join(f"{name} = {n}" for n, name in enumerate(CLASSES, 1))
    book = local(
        f'[[price]]\nprovider = "acme"\nmodel = "all"\n{prices}\n[[price]]\nprovider = "acme"\nmodel = "few"\noutput = 1\n'
    )
    for n, name in enumerate(CLASSES, 1):
        cost = book.price("acme", "openai", "all", Usage(**{name: 7}), NOW).cost_nano
        assert cost == 7 * n * (1_000_000 if name == "web_searches" else 1_000)
        if name not in {"output", "output_image"}:
            assert book.price("acme", "openai", "few", Usage(**{name: 7}), NOW).cost_nano is None


def test_audio_without_a_price_is_not_billed_as_text(book):
    usage = Usage(input=10, input_audio=100)
    priced = book.price("openai", "openai", "gpt-4o-audio-preview", usage, NOW)
    assert priced.cost_nano is None
    assert priced.version.endswith("no price for input_audio")
    # gpt-audio lists it: 2.50 text, 32.00 audio
    assert book.price("openai", "openai", "gpt-audio", usage, NOW).cost_nano == 25_000 + 3_200_000


def test_images_in_a_prompt_cost_as_text(book):
    assert book.price("openai", "openai", "gpt-4o", Usage(input_image=765), NOW).cost_nano == 765 * 2_500


@pytest.mark.parametrize(
    "model",
    ["claude-3-5-sonnet-20241022", "claude-3-haiku-20240307", "claude-2.1", "gpt-4-turbo", "gpt-3.5-turbo-0301"],
)
def test_retired_model_still_priced(book, model):
    api = "anthropic" if "claude" in model else "openai"
    for when in (at(2024, 6, 1), NOW):
        assert book.price(api, api, model, Usage(input=1, output=1), when).cost_nano is not None


def test_history_keeps_its_price(book):
    # gpt-5.6-luna was 1.00 until 2026-07-30 (UTC), then 0.20
    def price(ts):
        return book.price("openai", "openai", "gpt-5.6-luna", Usage(input=1_000), ts)

    before, after = price(at(2026, 7, 29, 23, 59)), price(at(2026, 7, 30, 0, 0))
    assert (before.cost_nano, after.cost_nano) == (1_000_000, 200_000)
    assert before.version != after.version
    assert after.version.endswith("openai/gpt-5.6-luna@2026-07-30")


def test_prices_by_the_hour(book):
    # deepseek-chat: 0.27 from 00:30 to 16:30 UTC, half of it else
    def cost(hour, minute):
        return book.price(
            "deepseek", "openai", "deepseek-chat", Usage(input=1_000), at(2025, 6, 1, hour, minute)
        ).cost_nano

    assert [cost(0, 29), cost(0, 30), cost(16, 29), cost(16, 30)] == [135_000, 270_000, 270_000, 135_000]


def test_hours_do_not_reach_back_before_their_price(book):
    # the V4 peak hours came with the prices of 2026-08-17
    cost = book.price("deepseek", "openai", "deepseek-v4-pro", Usage(input=1_000), at(2026, 8, 1, 2)).cost_nano
    assert cost == 435_000


def test_stream_and_plain_cost_equal(book):
    """The cost depends on usage alone, and two readings of the same usage are one price."""
    plain = Usage(input=1_234, cache_read=5_678, output=90, reasoning=0)
    streamed = Usage(output=90, cache_read=5_678, input=1_234)
    assert book.price("openai", "openai", "gpt-4o", plain, NOW) == book.price(
        "openai", "openai", "gpt-4o", streamed, NOW
    )


@pytest.mark.parametrize(
    ("provider", "api", "model", "entry"),
    [
        ("my-proxy", "openai", "gpt-4o", "openai/gpt-4o"),
        ("my-proxy", "openai", "claude-3-5-sonnet-20241022", "anthropic/claude-3-5-sonnet"),
        ("my-proxy", "anthropic", "claude-3-5-sonnet-latest", "anthropic/claude-3-5-sonnet"),
        ("my-proxy", "openai", "anthropic/claude-3-5-sonnet-20241022", "anthropic/claude-3-5-sonnet"),
        ("my-proxy", "openai", "openrouter/openai/gpt-4o", "openrouter/openai/gpt-4o"),
        ("my-proxy", "openai", "text-embedding-3-small", "openai/text-embedding-3-small"),
        ("my-proxy", "openai", "GPT-4o", "openai/gpt-4o"),
        ("my-proxy", "openai", "gpt-5.2-20251211", "openai/gpt-5.2"),
        ("my-proxy", "openai", "models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("openai", "openai", "openai/gpt-4o", "openai/gpt-4o"),
        ("openai", "openai", "gemini-1.5-flash-002", "google/gemini-1.5-flash"),
        ("openai", "openai", "deepseek-chat", "deepseek/deepseek-chat"),
        ("openai-eu", "openai", "gpt-4o", "openai/gpt-4o"),
        ("openrouter", "openai", "openai/gpt-4o", "openrouter/openai/gpt-4o"),
        ("azure", "openai", "gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("groq", "openai", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
        ("bedrock", "anthropic", "anthropic.claude-3-haiku-20240307-v1:0", "aws/"),
    ],
)
def test_names_find_their_entry(book, provider, api, model, entry):
    priced = book.price(provider, api, model, Usage(input=1), NOW)
    assert priced.cost_nano is not None, priced.version
    assert f" {entry}" in priced.version


def test_a_resellers_price_is_not_guessed_from_anothers(book):
    assert book.price("groq", "openai", "gpt-4o", Usage(input=1), NOW).cost_nano is None
    assert book.price("my-proxy", "openai", "ft:somebody/gpt-4o:acme", Usage(input=1), NOW).cost_nano is None


def test_context_window(book):
    assert book.context_window("openai", "openai", "gpt-4o") == 128_000
    assert book.context_window("openai", "openai", "no-such-model") is None


def test_import_opens_no_socket():
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse; socket.create_connection = refuse\n"
        "from farthing.prices.book import PriceBook\n"
        "from farthing.types import Usage\n"
        "assert PriceBook.load().price('openai', 'openai', 'gpt-4o', Usage(input=1), 0.0).cost_nano == 2500\n"
        "heavy = {'genai_prices', 'pydantic', 'httpx', 'httpx2', 'numpy', 'quicktok'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_explain_shows_prices_in_dollars(book):
    line = book.explain("anthropic", "claude-haiku-5-5", NOW, api="anthropic")
    assert line.prices == {
        "input": "0.1",
        "cache_read": "0.01",
        "cache_write_5m": "0.125",
        "cache_write_1h": "0.2",
        "output": "0.5",
        "input_image": "0.1",
        "output_image": "0.5",
        "web_searches": "10",
    }
    assert line.above[100_000]["output"] == "2.5"
    assert (line.provider, line.model) == ("anthropic", "claude-haiku-5-5")
    assert line.context_window == 1_000_000
    assert book.explain("openai", "gpt-4o", NOW, service_tier="flex").prices["input"] == "1.25"
    unknown = book.explain("acme", "x", NOW)
    assert unknown.prices == {}
    assert "no price" in unknown.version


def test_entries_lists_and_filters(book, local):
    lines = list(book.entries(NOW, "openai", "GPT-4O-MINI"))
    assert {line.provider for line in lines} == {"openai"}
    assert "gpt-4o-mini" in {line.model for line in lines}
    assert all("gpt-4o-mini" in line.model for line in lines)
    text = '[[price]]\nprovider = "acme"\nmodel = "big"\naliases = ["huge"]\ninput = 1.5\nuntil = 2027-01-01\n'
    mine = local(text)
    first = next(mine.entries(NOW, match="hug"))
    assert (first.provider, first.model, first.prices["input"]) == ("acme", "big", "1.5")
    assert next(mine.entries(at(2027, 1, 2), "acme"), None) is None


def test_every_entry_of_the_catalogue_can_be_listed(book):
    lines = list(book.entries(NOW))
    assert len(lines) > 2_000
    assert {"openai", "anthropic", "google", "deepseek", "groq"} <= {line.provider for line in lines}


def test_settings_say_whose_list_holds_for_a_provider():
    at_groq = PriceBook.load(sellers={"work": "groq"}).explain("work", "gpt-4o", 1_795_600_000.0)
    assert at_groq.prices == {}, "what Groq does not list is unpriced there"
    assert "openai/gpt-4o" in PriceBook.load().explain("work", "gpt-4o", 1_795_600_000.0).version
