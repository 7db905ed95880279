from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger.histogram import parts
from farthing.ledger.records import Settled
from farthing.ledger.rollup import (
    CALL_MEASURES,
    GRAIN,
    HISTOGRAM_GRAIN,
    MEASURES,
    REQUEST_MEASURES,
    TOKENS,
    Key,
    answered_by,
    billed_as,
    is_error,
    saving,
    shares,
)
from farthing.ledger.sums import Sums
from farthing.types import Caller, Usage

from .conftest import NOW, call, settled
from .strategies import requests, unhurried

typed = st.lists(st.tuples(requests(), st.sampled_from(["", "q1", "q2"])), max_size=8)


def summed(sums: Sums, dim: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for key, vector in sums.sums().days.items():
        if key[0] == dim:
            found.update(dict(zip(MEASURES, vector, strict=True)))
    return found


@unhurried
@given(typed, st.randoms())
def test_sums_do_not_depend_on_the_order(entries: list[tuple[Settled, str]], random: Random) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert Sums(shuffled).sums() == Sums(entries).sums()
    assert Sums(shuffled).histograms() == Sums(entries).histograms()


@unhurried
@given(typed)
def test_every_dimension_sums_to_the_raw_rows(entries: list[tuple[Settled, str]]) -> None:
    calls = [one for request, _ in entries for one in request.calls]
    raw = {
        "requests": len(entries),
        "errors": sum(is_error(request) for request, _ in entries),
        "saved": sum(saving(request) for request, _ in entries),
        "calls": len(calls),
        "cost": sum(one.cost_nano or 0 for one in calls),
        "unpriced": sum(one.cost_source == "unpriced" for one in calls),
        "unsettled": sum(one.cost_source == "unsettled" for one in calls),
        **{name: sum(getattr(one.usage or Usage(), name) for one in calls) for name in TOKENS},
    }
    for dim in GRAIN.keys() - {"lever"}:
        found = summed(Sums(entries), dim)
        assert {name: found[name] for name in raw} == raw, dim


@unhurried
@given(typed)
def test_by_model_the_sums_are_those_of_the_invoice(entries: list[tuple[Settled, str]]) -> None:
    invoice: Counter[str] = Counter()
    for request, _ in entries:
        for one in request.calls:
            invoice[billed_as(one)[0]] += one.cost_nano or 0
    found: Counter[str] = Counter()
    for (dim, _, _, key), vector in Sums(entries).sums().days.items():
        if dim == "model":
            found[key] += vector[MEASURES.index("cost")]
    assert +found == +invoice


@unhurried
@given(typed)
def test_lever_shares_sum_exactly(entries: list[tuple[Settled, str]]) -> None:
    total = sum(saving(request) for request, _ in entries)
    assert summed(Sums(entries), "lever")["saved"] == total
    assert all(sum(amount for _, amount in shares(request)) == saving(request) for request, _ in entries)


@unhurried
@given(typed)
def test_every_request_is_in_each_histogram_once(entries: list[tuple[Settled, str]]) -> None:
    for place, name in enumerate(("cost_nano", "latency_us", "ttft_us", "overhead_us")):
        known = sum(getattr(request, name) is not None for request, _ in entries)
        for dim in HISTOGRAM_GRAIN:
            found = [parts(counts)[place] for key, counts in Sums(entries).histograms().items() if key[0] == dim]
            assert sum(sum(counts.values()) for counts in found) == known


def test_nothing_is_claimed_while_a_cost_is_unknown() -> None:
    one = settled(calls=(call(cost_nano=None, cost_source="unpriced"),), cost_nano=None, saved=(("recall", 7),))
    assert (saving(one), shares(one)) == (0, [])


def test_a_share_that_no_lever_owns_up_to_is_shown() -> None:
    one = settled(cost_nano=10, baseline_nano=100, saved=(("recall", 60),))
    assert shares(one) == [("recall", 60), ("", 30)]


def test_a_hit_is_counted_under_the_model_that_it_was_served_from() -> None:
    hit = settled(cache="exact", calls=(), cost_nano=0, saved=(("recall", 500_000),))
    assert answered_by(hit) == ("gpt-4o-2024-08-06", "openai")
    assert answered_by(settled(calls=(), served_model=None)) == ("gpt-4o", "openai")


def test_a_judge_stands_under_its_own_model() -> None:
    judge = call(id="c2", purpose="judge", model_reported="gpt-4o-mini", cost_nano=7, usage=Usage(input=3))
    found = Sums([(settled(calls=(call(), judge), cost_nano=500_007), "")]).sums().hours
    hour = int(NOW) // 3_600 * 3_600
    by_model = {key[3]: dict(zip(MEASURES, vector, strict=True)) for key, vector in found.items() if key[0] == "model"}
    assert {key[1] for key in found if key[0] == "model"} == {hour}
    assert [by_model["gpt-4o-mini"][name] for name in ("requests", "calls", "cost", "input")] == [0, 1, 7, 3]
    assert [by_model["gpt-4o-2024-08-06"][name] for name in ("requests", "calls", "cost")] == [1, 1, 500_000]


@pytest.mark.parametrize(
    ("status", "error", "bad"),
    [
        (200, None, False),
        (429, "rate_limit_error", True),
        (200, "cut", True),
        (200, "client_gone", False),
        (None, "client_gone", False),
        (500, "client_gone", True),
    ],
)
def test_a_client_that_hangs_up_is_no_error(status: int | None, error: str | None, bad: bool) -> None:
    assert is_error(settled(status=status, error=error)) is bad


def test_times_are_cut_at_whole_hours_and_days() -> None:
    midnight = 20_000 * 86_400.0
    early, late = settled(ts=midnight - 1e-6), settled(ts=midnight)
    hours, days = Sums([(early, ""), (late, "")]).sums()
    assert {key[1] for key in hours if key[0] == "total"} == {midnight - 3_600, midnight}
    for dim in ("total", "user"):
        assert {key[1] for key in days if key[0] == dim} == {midnight - 86_400, midnight}
    assert not [key for key in hours if key[0] == "user"], "they are many"


@unhurried
@given(typed)
def test_days_are_the_sums_of_their_hours(entries: list[tuple[Settled, str]]) -> None:
    hours, days = Sums(entries).sums()
    found: dict[Key, list[int]] = {}
    for (dim, start, tenant, key), vector in hours.items():
        day = found.setdefault((dim, start // 86_400 * 86_400, tenant, key), [0] * len(MEASURES))
        day[:] = map(sum, zip(day, vector, strict=True))
    assert {key: tuple(vector) for key, vector in found.items() if any(vector)} == {
        key: vector for key, vector in days.items() if key[0] != "user"
    }


def test_a_sum_beyond_64_bits_is_refused() -> None:
    sums = Sums([(settled(cost_nano=0, baseline_nano=2**62), "")] * 2)
    with pytest.raises(OverflowError):
        sums.sums()


def test_a_negative_count_of_tokens_is_added_as_it_is() -> None:
    """A provider may report anything."""
    odd = settled(calls=(call(usage=Usage(input=-7, output=3, reasoning=-1)),))
    [vector] = [vector for key, vector in Sums([(odd, "")]).sums().days.items() if key[0] == "total"]
    found = dict(zip(MEASURES, vector, strict=True))
    assert [found[name] for name in ("input", "output", "reasoning", "requests", "cost")] == [-7, 3, -1, 1, 500_000]


def test_a_zero_usage_is_a_call_without_tokens() -> None:
    [vector] = [
        vector
        for key, vector in Sums([(settled(calls=(call(usage=Usage()),)), "")]).sums().days.items()
        if key[0] == "total"
    ]
    found = dict(zip(MEASURES, vector, strict=True))
    assert (found["calls"], found["input"]) == (1, 0)
    assert len(vector) == len(REQUEST_MEASURES) + len(CALL_MEASURES)


def test_tenants_are_apart() -> None:
    other = msgspec.structs.replace(settled("fr_2"), caller=Caller("globex"))
    assert {key[2] for key in Sums([(settled(), ""), (other, "")]).sums().hours} == {"acme", "globex"}
