from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.prices.rates import CLASSES, PER_THOUSAND, Fallback, card, dollars, rate
from farthing.types import Usage

money = st.decimals(min_value=0, max_value=1000, places=6, allow_nan=False)
counts = st.dictionaries(st.sampled_from(CLASSES), st.integers(0, 10_000_000))
price_lists = st.fixed_dictionaries(dict.fromkeys(CLASSES, money))
multipliers = st.sampled_from([Decimal(1), Decimal("0.5"), Decimal("1.7"), Decimal("0.125")])


def flat(prices):
    return {name: ((0, usd),) for name, usd in prices.items()}


def oracle(prices, counts, multiplier=Decimal(1)):
    """Exact nano-dollars."""
    total = Fraction(0)
    for name, count in counts.items():
        per = 1_000 if name in PER_THOUSAND else 1_000_000
        factor = Fraction(1) if name in PER_THOUSAND else Fraction(multiplier)
        total += Fraction(prices[name]) * factor * count / per
    return total * 10**9


@given(price_lists, counts, multipliers)
def test_cost_is_the_exact_sum_rounded_once(prices, counts, multiplier):
    cost = card("v", flat(prices), (), multiplier).price(Usage(**counts)).cost_nano
    assert cost == round(oracle(prices, counts, multiplier))  # Fraction rounds half to even
    assert cost >= 0


@given(price_lists, counts, counts)
def test_a_split_call_costs_the_same_but_for_rounding(prices, one, two):
    made = card("v", flat(prices), ())
    both = {name: one.get(name, 0) + two.get(name, 0) for name in CLASSES}
    parts = made.price(Usage(**one)).cost_nano + made.price(Usage(**two)).cost_nano
    assert abs(made.price(Usage(**both)).cost_nano - parts) <= 1


@given(price_lists, counts, st.randoms())
def test_the_order_of_classes_does_not_matter(prices, counts, random):
    names = list(prices)
    random.shuffle(names)
    shuffled = {name: prices[name] for name in names}
    assert card("v", flat(prices), ()).price(Usage(**counts)) == card("v", flat(shuffled), ()).price(Usage(**counts))


@given(price_lists, counts, st.integers(1, 1_000))
def test_cost_grows_in_proportion(prices, counts, times):
    # 1,000,000 units of a price with six decimals are whole nano-dollars: no rounding at all
    made = card("v", flat(prices), ())
    unit = {name: count * 1_000_000 for name, count in counts.items()}
    cost = made.price(Usage(**unit)).cost_nano
    assert made.price(Usage(**{name: count * times for name, count in unit.items()})).cost_nano == cost * times


@given(price_lists, counts, st.sampled_from(CLASSES), st.integers(0, 1_000))
def test_more_usage_never_costs_less(prices, counts, name, more):
    made = card("v", flat(prices), ())
    greater = {**counts, name: counts.get(name, 0) + more}
    assert made.price(Usage(**greater)).cost_nano >= made.price(Usage(**counts)).cost_nano


@given(st.integers(0, 300), st.integers(0, 300))
def test_steps_count_the_whole_prompt(input_tokens, cached):
    prices = {
        "input": ((0, Decimal(1)), (100, Decimal(2)), (200, Decimal(4))),
        "cache_read": ((0, Decimal("0.1")), (200, Decimal("0.4"))),
        "output": ((0, Decimal(3)),),
    }
    priced = card("v", prices, ()).price(Usage(input=input_tokens, cache_read=cached, output=7))
    prompt = input_tokens + cached
    own = 4 if prompt > 200 else 2 if prompt > 100 else 1
    assert priced.cost_nano == input_tokens * own * 1000 + cached * (400 if prompt > 200 else 100) + 7 * 3000


def test_rounding_is_half_to_even():
    made = card("v", flat({"input": Decimal("0.0005")}), ())
    assert [made.price(Usage(input=n)).cost_nano for n in (1, 2, 3, 5)] == [0, 1, 2, 2]


def test_fallbacks_fill_what_is_missing_and_nothing_else():
    likes = (
        Fallback("cache_read", like="input"),
        Fallback("output", like="input"),
        Fallback("cache_write_1h", like="input", times=Decimal(2)),
    )
    made = card("v", flat({"input": Decimal(3), "output": Decimal(9)}), likes)
    cost = {
        name: made.price(Usage(**{name: 1})).cost_nano
        for name in ("cache_read", "output", "cache_write_1h", "output_audio")
    }
    assert cost == {"cache_read": 3_000, "output": 9_000, "cache_write_1h": 6_000, "output_audio": None}


def test_a_fallback_follows_the_tier_and_the_step():
    prices = {"input": ((0, Decimal(2)), (100, Decimal(4)))}
    made = card("v", prices, (Fallback("cache_read", like="input"),), Decimal("0.5"))
    assert made.price(Usage(cache_read=100)).cost_nano == 100_000
    assert made.price(Usage(cache_read=200)).cost_nano == 400_000


def test_a_card_without_prices_is_unpriced():
    priced = card("v", {}, (Fallback("web_searches", usd=Decimal(10)),)).price(Usage(web_searches=1))
    assert (priced.cost_nano, priced.source) == (None, "unpriced")


@pytest.mark.parametrize("name", ["input", "web_searches", "requests"])
@given(usd=money)
def test_dollars_undo_rate(name, usd):
    assert Decimal(dollars(rate(usd, name), name)) == usd
