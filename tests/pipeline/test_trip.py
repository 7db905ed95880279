"""Which way is next."""

from __future__ import annotations

import pytest

from farthing.errors import UpstreamError
from farthing.exchange import Exchange, Reply, Tally, Target
from farthing.limits.gate import Gates
from farthing.pipeline.trip import LEAN, NEVER, NO_MORE, Guide, Limits, Step, Trip
from farthing.policy.model import Rates
from farthing.types import Caller, Facts
from farthing.upstream.breaker import IN_A_ROW
from farthing.upstream.headroom import Need
from farthing.upstream.health import Health
from farthing.upstream.ways import Way
from farthing.wire.routes import wire_for

NEED = Need(10, 10)


def way(model: str = "gpt-4o", number: int = 0) -> Way:
    return Way("openai", model, "b", 3, "k", number, "openai b", f"{model} {number}")


def exchange() -> Exchange:
    return Exchange(
        id="fr_1", ts=0.0, begun=0.0, method="POST", path="/v1/chat/completions", headers=[], body=b"{}", upload=None,
        wire=wire_for("POST", "/v1/chat/completions", anthropic=False), facts=Facts("gpt-4o"), caller=Caller("acme"),
        target=Target("openai", "", "gpt-4o", "k"), credential=b"", mode="save", cache_wish=None, tally=Tally(),
    )  # fmt: skip


def trip(*groups: list[Way]) -> Trip:
    return Trip(exchange(), list(groups), NEED, 60.0)


def guide(
    health: Health | None = None, *, attempts: int = 3, budget: float = 1.0, rates: dict[str, Rates] | None = None
):
    return Guide(health or Health(), Gates(rates or {}, 1, lambda: 0.0), Limits(attempts, 60.0, budget))


def down(*ways: Way) -> Health:
    health = Health()
    for one in ways:
        for _ in range(IN_A_ROW):
            health.refused(health.begin(one, NEED, 0.0), [], None, 0.0)
    for one in ways:
        for _ in range(IN_A_ROW):
            health.ended(health.begin(one, NEED, 0.0))
    return health


def test_the_model_that_was_asked_for_comes_first():
    asked = trip([way(), way(number=1)], [way("other")])
    assert guide().ready(asked, 0.0) == Step(0, way())


def test_one_that_is_down_is_left_alone_while_there_is_another():
    health = down(way())
    assert guide(health).ready(trip([way(), way(number=1)]), 0.0) == Step(0, way(number=1))
    assert guide(health).ready(trip([way()], [way("other")]), 0.0) == Step(1, way("other"))
    assert guide(health).ready(trip([way()]), 0.0) == Step(0, way()), "never worse than not being there"


def test_a_way_that_failed_waits_its_time_and_one_that_was_not_tried_goes_before_it():
    asked = trip([way(), way(number=1)])
    asked.bar(Step(0, way()), "again", 2.0)
    assert guide().ready(asked, 5.0) == Step(0, way(number=1))
    asked.bar(Step(0, way(number=1)), "elsewhere", 2.0)
    assert guide().ready(asked, 1.0) is None
    assert guide().soonest(asked, 1.0) == (1.0, Step(0, way()))
    assert guide().ready(asked, 2.0) == Step(0, way())


def test_what_is_the_request_s_own_fault_ends_the_search():
    asked = trip([way()], [way("other")])
    asked.bar(Step(0, way()), "final", 1.0)
    assert guide().ready(asked, 9.0) is None
    assert guide().soonest(asked, 9.0) == (NEVER, None)


def test_a_fallback_s_refusal_does_not():
    asked = trip([way()], [way("other")])
    asked.bar(Step(1, way("other")), "final", 1.0)
    assert guide().ready(asked, 0.0) == Step(0, way())


def test_attempts_are_bounded_and_a_fallback_has_one():
    asked = trip([way()], [way("other")])
    asked.calls = [2, 1]
    assert guide(attempts=2).ready(asked, 0.0) is None
    asked.calls = [1, 1]
    assert guide(attempts=2).ready(asked, 0.0) == Step(0, way())


def test_repeats_cost_the_budget_and_new_ways_do_not():
    chooses = guide(budget=0.0)
    for _ in range(20):
        assert chooses.ready(trip([way()]), 0.0) is not None
    tried = 0
    for _ in range(20):
        asked = trip([way()])
        asked.bar(Step(0, way()), "again", 0.0)
        tried += chooses.ready(asked, 1.0) is not None
    assert tried == 10, "what was saved up"


def test_load_leans_to_another_way_only_if_it_is_much():
    health = Health()
    chooses = guide(health)
    for _ in range(LEAN):
        health.begin(way(), NEED, 0.0)
    assert chooses.ready(trip([way(), way(number=1)]), 0.0) == Step(0, way())
    health.begin(way(), NEED, 0.0)
    assert chooses.ready(trip([way(), way(number=1)]), 0.0) == Step(0, way(number=1))


def test_own_limits_are_waited_for_at_their_gate():
    chooses = guide(rates={"openai": Rates(requests_per_minute=60, burst="1s")})
    asked = trip([way()])
    gate = chooses.gate(asked, way())
    assert gate is not None
    assert chooses.ready(asked, 0.0) == Step(0, way())
    assert chooses.waits_at_gate(asked, way(), 0.0)
    asked.bar(Step(0, way()), "again", 5.0)
    assert not chooses.waits_at_gate(asked, way(), 0.0), "it waits for its own time first"


def test_the_last_word():
    asked = trip([way()])
    reply = Reply(429, [(b"x-should-retry", b"true")])
    asked.failed = (reply, None)
    asked.calls = [1]
    assert asked.last_word().headers == [(b"x-should-retry", b"true")]
    asked.calls = [3]
    assert asked.last_word().headers == [NO_MORE]
    asked.failed = (None, UpstreamError("gone"))
    with pytest.raises(UpstreamError, match="gone"):
        asked.last_word()


def test_larger_models_take_over_for_good():
    asked = trip([way()], [way("small")])
    asked.take([[way("large")]], "does not fit its window")
    assert guide().ready(asked, 0.0) == Step(1, way("large"))
    asked.bar(Step(1, way("large")), "elsewhere", 0.0)
    assert guide().ready(asked, 0.0) is None
