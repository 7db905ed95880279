from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.limits.fair import MOST_GONE, Lane, Turns
from farthing.limits.rates import Load

CALLS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 50)), max_size=80)


def serve(lane, turns):
    place = lane.first()
    turns.served(place.tenant, place.tokens)
    lane.remove(place)
    return place


def lane_of(calls):
    turns = Turns()
    lane = Lane(turns)
    for item, (tenant, tokens) in enumerate(calls):
        lane.push(tenant, tokens, item)
    return lane, turns


@given(CALLS)
def test_order_within_a_tenant(calls):
    lane, turns = lane_of(calls)
    served = [serve(lane, turns) for _ in calls]
    for tenant in "abcd":
        mine = [place.item for place in served if place.tenant == tenant]
        assert mine == sorted(mine)
    assert sorted(place.item for place in served) == list(range(len(calls)))
    with pytest.raises(IndexError):
        lane.first()


@given(CALLS)
def test_each_tenant_gets_its_share_give_or_take_a_request(calls):
    """While two wait, what they got differs by no more than one call of each (the bound of start-time fair queueing)."""
    lane, turns = lane_of(calls)
    largest = {tenant: max((n for who, n in calls if who == tenant), default=0) for tenant in "abcd"}
    left = {tenant: sum(1 for who, _ in calls if who == tenant) for tenant in "abcd"}
    got = dict.fromkeys("abcd", 0)
    for _ in calls:
        place = serve(lane, turns)
        got[place.tenant] += place.tokens
        left[place.tenant] -= 1
        busy = [tenant for tenant in "abcd" if left[tenant]]
        for one in busy:
            for other in busy:
                assert got[one] - got[other] <= largest[one] + largest[other]


@given(CALLS, st.data())
def test_who_leaves_is_skipped_and_costs_nobody_a_turn(calls, data):
    """The order is the one in which the others would have gone alone."""
    gone = set(data.draw(st.lists(st.sampled_from(range(len(calls))), unique=True))) if calls else set()
    lane, turns = lane_of([])
    places = [lane.push(tenant, tokens, item) for item, (tenant, tokens) in enumerate(calls)]
    for item in sorted(gone, key=lambda item: (item * 7919) % 101):
        lane.remove(places[item])
    rest = [item for item in range(len(calls)) if item not in gone]
    alone, others = lane_of([calls[item] for item in rest])
    assert [serve(lane, turns).item for _ in rest] == [rest[serve(alone, others).item] for _ in rest]
    assert lane.waiting == 0


def test_a_thousand_of_one_tenant_do_not_keep_another_waiting():
    lane, turns = lane_of([("crowd", 1)] * 1000)
    for _ in range(300):
        serve(lane, turns)
    lane.push("single", 1, "mine")
    assert "mine" in [serve(lane, turns).item for _ in range(2)]


def test_who_was_away_has_saved_nothing_up():
    lane, turns = lane_of([("steady", 1)] * 100)
    for _ in range(50):
        serve(lane, turns)
    for item in range(50):
        lane.push("late", 1, item)
    order = [serve(lane, turns).tenant for _ in range(20)]
    assert max(len(list(run)) for _, run in groupby(order)) <= 2


def test_a_tenant_of_large_calls_makes_fewer():
    lane, turns = lane_of([("large", 10)] * 20 + [("small", 1)] * 200)
    served = [serve(lane, turns).tenant for _ in range(110)]
    assert 9 <= served.count("large") <= 11


def test_what_is_ahead_is_one_s_own_and_as_much_of_every_other():
    lane, _ = lane_of([("a", 5)] * 3 + [("b", 100)] * 10 + [("c", 1)])
    assert lane.ahead("new") == Load(0, 0)
    assert lane.ahead("c") == Load(3, 3)
    assert lane.ahead("a") == Load(3 + 3 + 1, 15 + 15 + 1)
    assert [lane.of("b"), lane.of("new"), lane.waiting] == [10, 0, 14]


def test_tenants_that_no_longer_wait_are_forgotten():
    turns = Turns()
    lane = Lane(turns)
    for number in range(50 * MOST_GONE):
        lane.push("always", 1, None)
        lane.push(f"passing{number}", 1, None)
        serve(lane, turns)
        serve(lane, turns)
    assert len(turns._due) <= 3 * MOST_GONE
    turns.forget()
    assert turns.of("always") == 0
