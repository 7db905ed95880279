"""Lines of those who wait for room, and what they come to for a provider that lets little through."""

from heapq import heappop, heappush

import pytest

from farthing.limits.gate import Gates
from farthing.pipeline.trip import Guide, Limits, Trip
from farthing.pipeline.waiting import Lines
from farthing.upstream.headroom import Need
from farthing.upstream.health import Health
from farthing.upstream.ways import Way

WAY = Way("p", "m", "http://p", 0, "key", 0, "p http://p", "p http://p 0 m")
NEED = Need(10, 10)
EMPTY = [(b"x-ratelimit-limit-requests", b"60"), (b"x-ratelimit-remaining-requests", b"0")]


def test_who_comes_first_is_served_first_and_keeps_the_place():
    lines = Lines()
    first, second = lines.join("a", None), lines.join("a", None)
    assert (lines.ahead("a", first), lines.ahead("a", second), lines.ahead("a", None)) == (0, 1, 2)
    assert lines.join("a", first) == first
    assert lines.ahead("b", first) == 0
    lines.leave(first)
    assert lines.ahead("a", second) == 0


def test_who_goes_to_another_line_frees_the_place():
    lines = Lines()
    place = lines.join("b", lines.join("a", None))
    assert (lines.ahead("a", None), lines.ahead("b", None)) == (0, 1)
    lines.leave(place)
    assert lines.waiting == 0


@pytest.fixture
def guide():
    """The provider lets one a second through, and nothing is left."""
    health = Health()
    health.answered(health.begin(WAY, NEED, 0.0), EMPTY)
    return health, Guide(health, Gates({}, 1, lambda: 0.0), Limits(3, 60.0, 0.2))


def test_ten_who_wait_are_served_one_a_second_in_their_order(guide):
    """Who awoke used to stand behind all who had come after him: all ten went at once, when there was room for ten."""
    health, guide = guide
    trips = [Trip(None, [[WAY]], NEED, 60.0) for _ in range(10)]
    awake, went = [(0.0, number) for number in range(10)], []
    while awake:
        now, number = heappop(awake)
        if guide.ready(trips[number], now) is not None:
            guide.leave(trips[number])
            health.begin(WAY, NEED, now)
            went.append((number, now))
            continue
        wait, step = guide.soonest(trips[number], now)
        guide.join(trips[number], step.way)
        heappush(awake, (now + max(wait, 1e-6), number))
    assert went == [(number, pytest.approx(number + 1, abs=0.01)) for number in range(10)]
