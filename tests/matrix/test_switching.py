"""A loop of twenty turns, at every turn another family: what one of them said, the next one has to accept."""

from itertools import cycle, islice

import pytest
from tests.matrix import scenarios
from tests.matrix.clients import CLIENTS
from tests.matrix.families import FAMILIES
from tests.matrix.test_matrix import pytestmark  # noqa: F401 - the same of others' warnings

TURNS = 20
WAYS = [(name, wire) for name, kind in CLIENTS.items() for wire in kind.wires]
THINKING = {
    "chat": {"reasoning_effort": "medium"},
    "responses": {"reasoning": {"effort": "medium"}},
    "messages": {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4000},
}
THINKERS = {"openai": "gpt-5-mini", "anthropic": "claude-sonnet-4-5"}


def switched():
    """The families, those of one API and of the other in turn."""
    sides = [cycle([family for family in FAMILIES.values() if family.kind == kind]) for kind in ("openai", "anthropic")]
    return islice((next(sides[at % 2]) for at in range(TURNS)), TURNS)


def tour(house, client, wire, models, **more):
    """Perform it; every reply is what the simulated model said."""
    house.begin()
    talk = client.talk(wire, system=scenarios.SYSTEM, tools=scenarios.TOOLS, **more)
    talk.say(scenarios.TOUR, scenarios.PICTURE)
    for at, model in enumerate(models, 1):
        outcome = (talk.stream if at % 3 == 0 else talk.ask)(model)
        wanted = scenarios.leg(at) if at < TURNS else ()
        assert outcome.wanted == [(call.name, call.arguments) for call in wanted], at
        talk.give([(call, scenarios.said_of(call)) for call in outcome.calls]) if wanted else None
    assert outcome.text == scenarios.ADVICE
    return talk


@pytest.mark.parametrize(("name", "wire"), [pytest.param(*way, id="-".join(way)) for way in WAYS])
def test_the_family_changes_at_every_turn(name, wire, client, houses):
    house = houses["save"]
    families = list(switched())
    tour(house, client(name, house), wire, [family.model for family in families])
    rows = house.rows()
    assert [row.provider for row in rows] == [family.name for family in families]
    assert [row.cost_nano for row in rows] == [line.nano_usd for line in house.sim.invoice.lines]
    last = house.sim.received[-1].body.decode()
    assert last.count(scenarios.PICTURE) == 1
    assert all(f"leg {number} of find_trains" in last for number in range(1, TURNS))


@pytest.mark.parametrize(("name", "wire"), [way for way in WAYS if way[0] in ("openai", "anthropic", "curl")])
def test_models_that_think_take_turns(name, wire, client, houses):
    house = houses["save"]
    models = [f"{kind}/{THINKERS[kind]}" for kind in islice(cycle(("anthropic", "openai")), TURNS)]
    tour(house, client(name, house), wire, models, **THINKING[wire])
    assert all(line.tokens.reasoning for line in house.sim.invoice.lines if line.api == "openai")
