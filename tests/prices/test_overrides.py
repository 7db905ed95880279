from datetime import UTC, datetime
from pathlib import Path

import pytest

from farthing.errors import PriceError
from farthing.prices.book import PriceBook
from farthing.types import Usage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
PRICE = '[[price]]\nprovider = "acme"\nmodel = "big"\n'


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "prices.toml"
        path.write_text(text, encoding="utf-8")
        return PriceBook.load(path)

    return load


def cost(book, provider, model, tier=None, ts=NOW, **classes):
    return book.price(provider, "openai", model, Usage(**classes), ts, tier).cost_nano


def test_the_users_price_wins(load):
    book = load('[[price]]\nprovider = "openai"\nmodel = "GPT-4o"\ninput = 2.0\noutput = "8.5"\n')
    priced = book.price("openai", "openai", "gpt-4o", Usage(input=1_000, output=1_000), NOW)
    assert priced.cost_nano == 2_000_000 + 8_500_000
    assert priced.version == "override prices.toml openai/gpt-4o"
    assert cost(book, "openai", "gpt-4o-mini", input=1_000) == 150_000
    assert cost(book, "my-proxy", "gpt-4o", input=1_000) == 2_500_000  # another endpoint


def test_a_price_for_every_provider(load):
    book = load('[[price]]\nprovider = "*"\nmodel = "big"\ninput = 1\n')
    assert cost(book, "here", "big", input=1_000) == cost(book, "there", "BIG", input=1_000) == 1_000_000


def test_a_free_model_is_free_not_unpriced(load):
    priced = load(PRICE + "input = 0\noutput = 0\n").price("acme", "openai", "big", Usage(input=9, output=9), NOW)
    assert (priced.cost_nano, priced.source) == (0, "usage")


def test_aliases_and_dates(load):
    book = load(
        PRICE
        + 'aliases = ["big-latest"]\nfrom = 2026-01-01\nuntil = 2026-07-01\ninput = 4\n'
        + PRICE
        + "from = 2026-07-01\ninput = 3\n"
    )

    def when(month, day):
        return datetime(2026, month, day, tzinfo=UTC).timestamp()

    assert cost(book, "acme", "big", ts=when(1, 1) - 1, input=1_000) is None
    assert cost(book, "acme", "big", ts=when(1, 1), input=1_000) == 4_000_000
    assert cost(book, "acme", "big-latest", ts=when(7, 1) - 1, input=1_000) == 4_000_000
    assert cost(book, "acme", "big", ts=when(7, 1), input=1_000) == 3_000_000
    assert cost(book, "acme", "big-latest", ts=when(7, 1), input=1_000) is None
    assert book.price("acme", "openai", "big", Usage(), NOW).version == "override prices.toml acme/big@2026-07-01"


def test_outside_its_dates_the_built_in_price_holds(load):
    book = load('[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\nfrom = 2027-01-01\ninput = 1\n')
    assert cost(book, "openai", "gpt-4o", input=1_000) == 2_500_000


def test_long_context_and_tiers_of_ones_own(load):
    book = load(PRICE + "input = 1\noutput = 2\ntiers = { batch = 0.4 }\n[[price.above]]\ntokens = 1000\ninput = 3\n")
    assert cost(book, "acme", "big", input=1_000, output=10) == 1_020_000
    assert cost(book, "acme", "big", input=1_001, output=10) == 3_003_000 + 20_000
    assert cost(book, "acme", "big", "batch", input=1_000) == 400_000
    assert cost(book, "acme", "big", "flex", input=1_000) is None


def test_a_multiplier_for_a_tier(load):
    book = load(
        '[[tier]]\nprovider = "openai"\nname = "priority"\nmultiplier = 1.7\nmodel = "gpt-4-turbo"\n'
        '[[tier]]\nprovider = "openai"\nname = "flex"\nmultiplier = 0.6\n'
    )
    assert cost(book, "openai", "gpt-4-turbo", "priority", input=1_000) == 17_000_000
    assert cost(book, "openai", "gpt-4", "priority", input=1_000) is None
    assert cost(book, "openai", "gpt-5-mini", "flex", input=1_000) == 150_000  # before the published table


def test_a_fallback_of_ones_own(load):
    book = load('[[fallback]]\nclass = "input_audio"\nlike = "input"\ntimes = 4\nmodel = "gpt-4o-audio"\n')
    assert cost(book, "openai", "gpt-4o-audio-preview", input_audio=1_000) == 10_000_000
    assert cost(book, "openai", "gpt-4o", input_audio=1_000) is None


BAD = [
    ("[[price]\n", "not valid TOML"),
    ("prices = 3\n", "unknown key 'prices'; allowed: price, tier, fallback"),
    ("price = 3\n", "price: expected a list of tables"),
    ("price = [3]\n", "price[1]: expected a table, got int"),
    ('[[price]]\nmodel = "big"\ninput = 1\n', "price[1].provider: expected a non-empty string; it is missing"),
    ('[[price]]\nprovider = ""\nmodel = "big"\ninput = 1\n', "price[1].provider: expected a non-empty string"),
    (PRICE, "it has no price; give at least one of input, cache_read"),
    (PRICE + "imput = 1\n", "unknown key 'imput'; allowed: provider, model"),
    (PRICE + "input = -1\n", "price[1].input: expected a number from 0"),
    (PRICE + "input = true\n", "price[1].input: expected a number"),
    (PRICE + 'input = "free"\n', "price[1].input: expected a number"),
    (PRICE + "input = nan\n", "price[1].input: expected a number"),
    (PRICE + "input = inf\n", "price[1].input: expected a number"),
    (PRICE + "input = 1e9\n", "price[1].input: expected a number from 0 to 1000000"),
    (PRICE + "input = 0.0000000001\n", "at most 9 decimals"),
    (PRICE + "input = 1\naliases = 'x'\n", "price[1].aliases: expected a list"),
    (PRICE + "input = 1\naliases = ['']\n", "price[1].aliases: expected a list"),
    (PRICE + "input = 1\nfrom = '2026-01-01'\n", "price[1].from: expected a date such as 2026-07-01"),
    (PRICE + "input = 1\nfrom = 2026-01-01T00:00:00Z\n", "price[1].from: expected a date"),
    (PRICE + "input = 1\nfrom = 2026-07-01\nuntil = 2026-07-01\n", "price[1].until: expected a day after"),
    (PRICE + "input = 1\ntiers = 0.5\n", "price[1].tiers: expected a table"),
    (PRICE + "input = 1\ntiers = { batch = -1 }\n", "price[1].tiers.batch: expected a number"),
    (PRICE + "input = 1\n[[price.above]]\ninput = 2\n", "above[1].tokens: expected a whole number over 0"),
    (PRICE + "input = 1\n[[price.above]]\ntokens = 9\noutput = 2\n", "above[1].output: expected a base price"),
    (PRICE + "input = 1\n[[price.above]]\ntokens = 9\n[[price.above]]\ntokens = 9\n", "a whole number over 9"),
    ('[[tier]]\nprovider = "a"\nname = "flex"\n', "tier[1].multiplier: expected a number from 0 to 100"),
    ('[[tier]]\nprovider = "a"\nname = "flex"\nmultiplier = 0.0001\n', "at most 3 decimals"),
    ('[[fallback]]\nclass = "inputs"\nlike = "input"\n', "fallback[1].class: expected one of input"),
    ('[[fallback]]\nclass = "input"\nlike = "in"\n', "fallback[1].like: expected one of input"),
    ('[[fallback]]\nclass = "input_audio"\n', "give either `like`"),
    ('[[fallback]]\nclass = "input_audio"\nlike = "input"\nusd = 1\n', "give either `like`"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message[:50] for _, message in BAD])
def test_bad_price_file_is_refused_loudly(load, text, message):
    with pytest.raises(PriceError) as caught:
        load(text)
    assert "prices.toml" in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_or_unreadable_file_is_refused(tmp_path):
    with pytest.raises(PriceError, match="cannot be read"):
        PriceBook.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PriceError, match="cannot be read"):
        PriceBook.load(tmp_path / "bytes.toml")


def test_an_empty_file_changes_nothing(load):
    assert cost(load(""), "openai", "gpt-4o", input=1_000) == 2_500_000


def test_the_example_of_the_documentation_works(load):
    page = Path(__file__).parents[2] / "docs" / "prices.md"
    example = page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    book = load(example)
    assert cost(book, "acme", "big-latest", input=1_000) == 1_200_000 + 5_000_000
    assert cost(book, "acme", "big-1", input=200_001) == 200_001 * 2_400 + 5_000_000
    assert cost(book, "openai", "gpt-4-turbo", "priority", input=1_000) == 17_000_000
    assert cost(book, "openai", "gpt-4o-audio-preview", input_audio=1_000) == 40_000_000
