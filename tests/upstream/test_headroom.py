"""What is learned from a provider's headers, held against a provider."""

from __future__ import annotations

import random
from heapq import heappop, heappush
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.simulator.faults import Bucket
from farthing.upstream.headroom import Headroom, Meter, Need, Told, told


def test_both_providers_headers_are_read_and_what_is_unknown_is_not():
    openai = [(b"x-ratelimit-limit-requests", b"60"), (b"x-ratelimit-remaining-requests", b"59")]
    assert told(openai) == {"requests": Told(60, 59)}
    anthropic = [
        (b"anthropic-ratelimit-input-tokens-limit", b"1000"),
        (b"anthropic-ratelimit-input-tokens-remaining", b"0"),
        (b"anthropic-ratelimit-input-tokens-reset", b"2026-01-01T00:00:00Z"),
    ]
    assert told(anthropic) == {"input": Told(1000, 0)}
    azure = [(b"x-ratelimit-limit-tokens", b"0"), (b"x-ratelimit-remaining-tokens", b"-1")]
    assert told(azure) == {}
    assert told([(b"x-ratelimit-limit-tokens", b"many"), (b"x-ratelimit-remaining-tokens", b"10")]) == {}


def test_before_anything_is_known_everything_may_go():
    assert Headroom().ready_in(Need(10**9, 10**9), 0.0) == 0.0


def test_what_was_sent_since_is_taken_off_and_time_gives_it_back():
    meter = Meter()
    meter.learn(Told(60, 2), None, 0.0)
    assert meter.ready_in(1, 0.0) == 0.0
    meter.send(1, 0.0)
    meter.send(1, 0.0)
    assert 0 < meter.ready_in(1, 0.0) <= 1.0
    assert meter.ready_in(1, 1.0) == 0.0


def test_what_went_out_before_anything_was_known_counts_by_the_lowest_figure():
    meter = Meter()
    for remaining in (7, 3, 5):
        meter.learn(Told(60, remaining), None, 0.0)
    for _ in range(3):
        assert meter.ready_in(1, 0.0) == 0.0
        meter.send(1, 0.0)
    assert meter.ready_in(1, 0.0) > 0


def test_older_news_are_none():
    meter = Meter()
    first, second = meter.send(1, 0.0), meter.send(1, 1.0)
    meter.learn(Told(60, 0), second, 1.0)
    meter.learn(Told(60, 59), first, 0.0)
    assert meter.ready_in(1, 1.0) > 0


def test_others_who_use_the_same_key_are_noticed():
    meter = Meter()
    meter.learn(Told(60, 59), None, 0.0)
    assert meter.ready_in(1, 0.0) == 0.0
    meter.learn(Told(60, 0), meter.send(1, 1.0), 1.0)
    assert meter.ready_in(1, 1.0) > 0


def test_a_request_larger_than_the_whole_limit_is_the_provider_s_to_judge():
    meter = Meter()
    meter.learn(Told(600, 0), None, 0.0)
    assert meter.ready_in(600, 0.0) == 60.0
    assert meter.ready_in(10**15, 0.0) == 0.0, "it never fits, so there is nothing to wait for"
    meter.send(10**15, 0.0)
    assert meter.ready_in(600, 0.0) == 120.0, "and it uses up no more than a minute of the others"


def test_what_never_went_out_is_given_back_also_to_those_after_it():
    meter = Meter()
    meter.learn(Told(600, 600), None, 0.0)
    lost, kept = meter.send(600, 0.0), meter.send(100, 0.0)
    meter.take_back(lost)
    assert meter.ready_in(500, 0.0) == 0.0
    meter.learn(Told(600, 500), kept, 0.0)
    assert meter.ready_in(500, 0.0) == 0.0


@settings(deadline=None)
@given(st.integers(6, 600), st.integers(0, 2**32))
def test_headroom_uses_provider_headers(limit, seed):
    """Whoever goes by it meets no 429, whatever the order of the replies, and uses what there is."""
    dice, bucket, meter = random.Random(seed), Bucket(limit, 0.0), Meter()
    now, refused, taken, flying = 0.0, 0, 0, []
    while now < 120 and taken < 200:
        now += max(meter.ready_in(1, now), dice.choice([0.0, 0.0, 0.01, 0.5]))
        if meter.ready_in(1, now) > 0:
            continue
        mark = meter.send(1, now) if taken else None
        refused += bucket.take(1, now) > 1e-6
        taken += 1
        flying.append((Told(limit, bucket.left(now)), mark, now))
        if taken == 1 or dice.random() < 0.5:
            dice.shuffle(flying)
            meter.learn(*flying.pop())
    assert refused == 0
    assert taken >= min(200, int(limit / 60 * now * 0.3))


@pytest.mark.parametrize("jitter_s", [0.001, 0.01, 0.1])
def test_requests_that_overtake_one_another_do_not_meet_the_wall(jitter_s):
    """Twice as many want to go as may; each is on its way for a random time, and so is its reply."""
    dice, bucket, meter = random.Random(1), Bucket(750, 0.0), Meter()
    bucket.spend(750)
    turn, events, refused, taken = count(), [], 0, 0
    for number in range(25 * 120):
        heappush(events, (number / 25, next(turn), "wish", None))
    while events:
        now, _, what, news = heappop(events)
        if what == "wish" and meter.ready_in(1, now) <= 0:
            heappush(events, (now + dice.expovariate(1 / jitter_s), next(turn), "call", (meter.send(1, now), now)))
        elif what == "call":
            refused, taken = refused + (bucket.take(1, now) > 0), taken + 1
            later = now + 0.05 + dice.expovariate(1 / jitter_s)
            heappush(events, (later, next(turn), "reply", (Told(750, bucket.left(now)), *news)))
        elif what == "reply":
            meter.learn(*news)
    assert refused < taken * 0.01
    assert taken > 2 * 750 * 0.95
