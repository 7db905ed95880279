from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.limits.rates import Bucket, Load, Meter, ready_in
from farthing.policy.model import Rates

GAPS = st.floats(0, 30)
AMOUNTS = st.integers(1, 400)


@given(st.lists(st.tuples(GAPS, AMOUNTS), min_size=1, max_size=60), st.integers(1, 3000), st.floats(0, 60))
def test_never_more_than_the_limit_in_any_window(calls, per_minute, burst_s):
    """Whatever comes when, as soon as it may go: a window holds what flowed in, and one burst (or one large call)."""
    bucket, now, taken = Bucket(per_minute, burst_s), 0.0, []
    for gap, amount in calls:
        now += gap
        now += bucket.ready_in(now, amount)
        bucket.take(now, amount)
        taken.append((now, amount))
    sums = [0, *accumulate(amount for _, amount in taken)]
    at_once = max(burst_s * per_minute / 60, *(amount for _, amount in taken), 1)
    for first, (begin, _) in enumerate(taken):
        for last in range(first, len(taken)):
            allowed = at_once + (taken[last][0] - begin) * per_minute / 60
            assert sums[last + 1] - sums[first] <= allowed + 1e-6


@given(st.lists(st.tuples(GAPS, AMOUNTS), max_size=20), AMOUNTS, AMOUNTS)
def test_a_corrected_estimate_is_as_if_it_had_been_right(calls, estimate, actual):
    guessed, knew, now = Bucket(600, 10), Bucket(600, 10), 0.0
    for gap, amount in calls:
        now += gap
        for bucket in (guessed, knew):
            bucket.take(now, amount)
    guessed.take(now, estimate)
    guessed.take(now, actual - estimate)
    knew.take(now, actual)
    assert guessed.ready_in(now, 1) == pytest.approx(knew.ready_in(now, 1))


def test_60_a_minute_are_one_a_second():
    bucket = Bucket(60, 1)
    assert bucket.ready_in(0, 1) == 0
    bucket.take(0, 1)
    assert bucket.ready_in(0, 1) == 1
    assert bucket.ready_in(0.25, 1) == 0.75
    assert bucket.ready_in(1, 1) == 0


def test_a_limit_lower_than_one_burst_lets_one_go():
    bucket = Bucket(3, 1)
    bucket.take(0, 1)
    assert bucket.ready_in(0, 1) == 20


def test_a_call_larger_than_a_burst_goes_and_the_rest_is_owed():
    bucket = Bucket(600, 1)
    assert bucket.ready_in(0, 50) == 0
    bucket.take(0, 50)
    assert bucket.ready_in(0, 1) == pytest.approx(4.1)
    assert bucket.ready_in(0, 50) == pytest.approx(5)
    assert bucket.ready_in(0, 1, ahead=20) == pytest.approx(6.1)


def test_it_does_not_fill_beyond_a_burst():
    bucket = Bucket(60, 2)
    bucket.take(0, -50)
    assert [bucket.ready_in(1000, 1), bucket.is_full(1000)] == [0, True]
    bucket.take(1000, 2)
    assert [bucket.ready_in(1000, 1), bucket.is_full(1000), bucket.is_full(1002)] == [1, False, True]


def test_a_meter_waits_for_the_scarcer_of_requests_and_tokens():
    meter = Meter(Rates(requests_per_minute=60, tokens_per_minute=6000, burst="1s", burst_tokens="1s"), 1)
    assert [meter.lasts_s(10), meter.lasts_s(500)] == [1, 5]
    meter.take(0, Load(1, 300))
    assert meter.ready_in(0, 1) == pytest.approx(2.01)
    assert meter.ready_in(0, 1, Load(5, 0)) == 6
    meter.take(0, Load(-1, -300))
    assert [meter.ready_in(0, 1), meter.is_full(0)] == [0, True]


def test_workers_share_by_dividing():
    meter = Meter(Rates(requests_per_minute=240, tokens_per_minute=None, burst="1s"), 4)
    meter.take(0, Load(1, 10**9))
    assert meter.ready_in(0, 10**9) == 1


def test_all_limits_hold_at_once():
    meters = [Meter(Rates(requests_per_minute=60), 1), Meter(Rates(requests_per_minute=6), 1)]
    for meter in meters:
        meter.take(0, Load(1, 0))
    assert ready_in(meters, 0, 0) == 10
    assert ready_in([], 0, 0) == 0
