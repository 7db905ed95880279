"""The breaker on a clock of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.upstream.breaker import AGAIN_S, FIRST_S, IN_A_ROW, LONGEST_S, PROBE_S, Breaker


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(IN_A_ROW):
        breaker.failed(at, at)
    return breaker


def test_it_opens_after_failures_in_a_row():
    breaker = Breaker()
    for _ in range(5 * IN_A_ROW):
        breaker.failed(0.0, 0.0)
        breaker.succeeded()
    assert breaker.ready_in(0.0) == 0.0
    assert opened().ready_in(0.0) == FIRST_S
    assert not opened().is_closed


def test_half_open_one_goes_ahead_and_the_others_wait():
    breaker = opened()
    assert breaker.ready_in(FIRST_S) == 0.0
    breaker.begin(FIRST_S)
    assert breaker.ready_in(FIRST_S) == AGAIN_S
    breaker.succeeded()
    assert breaker.is_closed
    assert breaker.ready_in(FIRST_S) == 0.0


def test_a_probe_that_fails_opens_it_for_longer_and_one_that_is_lost_does_not_keep_others_away():
    breaker = opened()
    breaker.begin(FIRST_S)
    breaker.failed(0.6, FIRST_S)
    assert breaker.ready_in(0.6) == pytest.approx(2 * FIRST_S - 0.1)
    breaker.begin(2.0)
    breaker.left()
    assert breaker.ready_in(2.0) == 0.0
    breaker.begin(2.0)
    assert breaker.ready_in(2.0 + PROBE_S) == 0.0


def test_failures_of_what_went_before_it_opened_tell_nothing_new():
    """Fifty were under way when the provider died: they must not add up to a long sentence."""
    breaker = opened(10.0)
    for _ in range(50):
        breaker.failed(10.4, 9.0)
    assert breaker.ready_in(10.4) == pytest.approx(FIRST_S - 0.4)


def test_a_provider_that_says_nothing_is_asked_as_often_as_one_that_says_no():
    """Each probe takes as long as the patience for silence: the time until the next one runs from its beginning."""
    breaker, now = opened(), 0.0
    for _ in range(9):
        now += breaker.ready_in(now)
        breaker.begin(now)
        breaker.failed(now + 2.0, began=now)
    assert breaker.ready_in(now + 2.0) == pytest.approx(LONGEST_S - 2.0)


@given(st.integers(1, 60))
def test_it_is_never_open_for_long(rounds):
    """A recovery is seen within five seconds."""
    breaker, now = opened(), 0.0
    for _ in range(rounds):
        now += breaker.ready_in(now)
        breaker.begin(now)
        breaker.failed(now, now)
        assert 0 < breaker.ready_in(now) <= LONGEST_S < 5


def test_the_provider_says_for_how_long():
    breaker = Breaker()
    breaker.failed(0.0, 0.0, wait_s=20.0)
    assert breaker.ready_in(5.0) == breaker.told_in(5.0) == 15.0
    breaker.failed(6.0, 0.0, wait_s=2.0)
    assert breaker.told_in(6.0) == 14.0
    breaker.succeeded()
    assert breaker.told_in(6.0) == 0.0
    assert opened().told_in(0.0) == 0.0
