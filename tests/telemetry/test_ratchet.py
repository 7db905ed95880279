"""Counters never go down, whatever the ledger corrects, and there is a bound to how many there are."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.telemetry.ratchet import DAY, OTHER, advanced

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOW = 20_000 * DAY + 3_600.0
TODAY = 20_000 * DAY


def sums(*rows, dim="model"):
    """Rows of key, requests, cost."""
    return {dim: {key: {"requests": requests, "cost": cost} for key, requests, cost in rows}}


def told(state, dim="model"):
    return {key: (named.get("requests", 0), named.get("cost", 0)) for key, named in state.shown[dim].items()}


def test_the_first_look_shows_all_there_is():
    state = advanced(None, {TODAY - 400 * DAY: sums(("a", 1, 10)), TODAY: sums(("a", 2, 5), ("b", 1, 1))}, NOW, 9)
    assert told(state) == {"a": (3, 15), "b": (1, 1)}
    assert list(state.days) == [TODAY]


def test_what_has_come_since_is_added():
    state = advanced(None, {TODAY: sums(("a", 2, 5))}, NOW, 9)
    state = advanced(state, {TODAY: sums(("a", 3, 8)), TODAY + DAY: sums(("a", 1, 1))}, NOW + DAY, 9)
    assert told(state) == {"a": (4, 9)}


def test_days_that_nobody_looked_at_are_not_lost():
    state = advanced(None, {TODAY: sums(("a", 2, 5))}, NOW, 9)
    late = {start: sums(("a", 1, 1)) for start in range(TODAY + DAY, TODAY + 11 * DAY, DAY)}
    state = advanced(state, {TODAY: sums(("a", 2, 5)), **late}, NOW + 10 * DAY, 9)
    assert told(state) == {"a": (12, 15)}


def test_what_the_ledger_takes_back_stays_in_a_counter_which_goes_on_from_there():
    costs = [10, 7, 9, 12]
    state, seen = None, []
    for cost in costs:
        state = advanced(state, {TODAY: sums(("a", 1, cost))}, NOW, 9)
        seen.append(told(state)["a"][1])
    assert seen == [10, 10, 12, 15]


def test_a_saving_may_fall():
    state = None
    for saved in (10, -3):
        state = advanced(state, {TODAY: {"lever": {"cache": {"saved": saved}}}}, NOW, 9)
    assert state.shown["lever"]["cache"]["saved"] == -3


def test_late_keys_share_a_series_and_early_ones_keep_theirs():
    state = advanced(None, {TODAY: sums(("a", 1, 1), ("b", 5, 5), ("c", 3, 3))}, NOW, 2)
    assert told(state) == {"b": (5, 5), "c": (3, 3), OTHER: (1, 1)}
    state = advanced(state, {TODAY: sums(("a", 90, 90), ("b", 5, 5), ("c", 3, 3), ("d", 9, 9))}, NOW, 2)
    assert told(state) == {"b": (5, 5), "c": (3, 3), OTHER: (99, 99)}


@pytest.mark.parametrize("seed", range(20))
def test_counters_never_go_down(seed):
    """Whatever the ledger says from one look to the next."""
    random = Random(seed)
    for _ in range(50):
        state, now, most = None, NOW, random.randint(1, 5)
        for _ in range(6):
            now += random.randint(0, 3) * DAY
            before = {} if state is None else state.shown.get("model", {})
            state = advanced(state, anything(random, None if state is None else state.since), now, most)
            after = state.shown.get("model", {})
            assert all(after[key][name] >= amount for key, named in before.items() for name, amount in named.items())
            assert len(after) <= most + 1


def anything(random, since):
    """Sums of some days from ``since`` on."""
    starts = [TODAY + day * DAY for day in range(-5, 3) if random.random() < 0.5]
    return {
        start: sums(*((key, random.randint(0, 9), random.randint(0, 99)) for key in "abcd" if random.random() < 0.6))
        for start in starts
        if since is None or start >= since
    }


@unhurried
@given(st.lists(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), max_size=5), max_size=6))
def test_without_corrections_they_are_the_sums(looks):
    state, total = None, {}
    for added in looks:
        for key, amount in added:
            total[key] = total.get(key, 0) + amount
        state = advanced(state, {TODAY: sums(*((key, amount, 0) for key, amount in total.items()))}, NOW, 2)
        assert sum(named.get("requests", 0) for named in state.shown.get("model", {}).values()) == sum(total.values())
