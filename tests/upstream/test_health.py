"""What is remembered of the ways to the providers."""

from __future__ import annotations

import pytest

from farthing.upstream.breaker import IN_A_ROW
from farthing.upstream.headroom import Need
from farthing.upstream.health import MOST, Health
from farthing.upstream.ways import Way

NEED = Need(100, 100)


def way(model: str = "gpt-4o", *, base: str = "https://one.example/v1", number: int = 0) -> Way:
    return Way("openai", model, base, 3, "k", number, f"openai {base}", f"openai {base} {number} {model}")


def told(remaining: int) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-ratelimit-limit-requests", b"60"),
        (b"x-ratelimit-remaining-requests", b"%d" % remaining),
    ]


def test_of_what_nothing_is_known_everything_is_expected():
    assert Health().ready_in(way(), NEED, 0.0) == 0.0
    assert not Health().is_down(way())


def test_who_does_not_answer_answers_none_of_its_models_and_no_key():
    health = Health()
    for _ in range(IN_A_ROW):
        ticket = health.begin(way("gpt-4o"), NEED, 0.0)
        health.silent(ticket, 0.0)
        health.ended(ticket)
    for other in (way("gpt-4o"), way("gpt-5"), way(number=1)):
        assert health.ready_in(other, NEED, 0.0) > 0
        assert health.is_down(other)
    assert health.ready_in(way(base="https://two.example/v1"), NEED, 0.0) == 0.0


def test_a_refusal_is_about_this_key_and_model():
    health = Health()
    health.refused(health.begin(way(), NEED, 0.0), [], 20.0, 0.0)
    assert health.ready_in(way(), NEED, 5.0) == health.told_in(way(), NEED, 5.0) == 15.0
    assert health.ready_in(way("gpt-5"), NEED, 5.0) == 0.0
    assert health.ready_in(way(number=1), NEED, 5.0) == 0.0
    health.answered(health.begin(way(), NEED, 20.0), [])
    assert not health.is_down(way())


def test_failures_alone_are_not_what_the_provider_said():
    """The only way is gone all the same."""
    health = Health()
    for _ in range(IN_A_ROW):
        health.refused(health.begin(way(), NEED, 0.0), [], None, 0.0)
    assert health.ready_in(way(), NEED, 0.0) > 0
    assert health.told_in(way(), NEED, 0.0) == 0.0


def test_room_is_learned_from_answers_and_from_refusals():
    for end in ("answered", "refused"):
        health = Health()
        ticket = health.begin(way(), NEED, 0.0)
        if end == "answered":
            health.answered(ticket, told(0))
        else:
            health.refused(ticket, told(0), None, 0.0)
        assert health.told_in(way(), NEED, 0.0) == pytest.approx(1.0)
        assert health.told_in(way(), NEED, 0.0, 2) == pytest.approx(3.0), "two wait already"


def test_room_is_given_back_for_what_the_provider_never_saw_or_would_not_have():
    for end in ("never went", "declined"):
        health, other = Health(), way("gpt-5")
        health.answered(health.begin(other, NEED, 0.0), told(60))
        for _ in range(60):
            ticket = health.begin(other, NEED, 0.0)
            if end == "declined":
                health.declined(ticket, [])
            health.ended(ticket, went=end == "declined")
        assert health.ready_in(other, NEED, 0.0) == 0.0
        health.declined(health.begin(other, NEED, 0.0), told(0))
        assert health.ready_in(other, NEED, 0.0) > 0, "what it tells of its limits holds"


def test_a_probe_whose_client_left_makes_room_for_another():
    health = Health()
    for _ in range(IN_A_ROW):
        health.silent(health.begin(way(), NEED, 0.0), 0.0)
    later = health.ready_in(way(), NEED, 0.0)
    probe = health.begin(way(), NEED, later)
    assert health.ready_in(way(), NEED, later) > 0
    health.left(probe)
    health.ended(probe)
    assert health.ready_in(way(), NEED, later) == 0.0


def test_what_is_under_way_is_counted():
    health = Health()
    tickets = [health.begin(way(), NEED, 0.0) for _ in range(3)]
    assert health.in_flight(way()) == 3
    for ticket in tickets:
        health.ended(ticket)
    assert health.in_flight(way()) == 0


def test_memory_is_bounded_but_nothing_that_matters_is_forgotten():
    health = Health()
    health.refused(health.begin(way("bad"), NEED, 0.0), [], 60.0, 0.0)
    for number in range(2 * MOST):  # names of models come from clients
        ticket = health.begin(way(f"model-{number}"), NEED, 0.0)
        health.answered(ticket, [])
        health.ended(ticket)
    assert len(health._ways) <= MOST
    assert health.ready_in(way("bad"), NEED, 1.0) == 59.0
