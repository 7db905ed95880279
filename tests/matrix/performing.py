"""How each scenario is performed with a client, and what has to come of it."""

import pytest
from tests.matrix import scenarios
from tests.matrix.clients.base import Outcome
from tests.matrix.families import MODELS
from tests.matrix.scenarios import RESULTS

from farthing.simulator import Faults


class Cell:
    """One client, on one wire, before one family."""

    def __init__(self, client, wire, family, house):
        self.client, self.wire, self.family, self.house = client, wire, family, house

    def talk(self, **given):
        talk = self.client.talk(self.wire, **{"system": scenarios.SYSTEM} | given)
        talk.as_they_are = self.family.has_own_errors and self.family.is_native(self.wire)
        return talk

    def check(self, outcome: Outcome, text, wanted=(), finish="stop"):
        """The answer is what the simulated model said, and its usage is what it is billed for."""
        line = self.house.sim.invoice.lines[-1]
        assert outcome.text == text
        assert outcome.wanted == [(call.name, call.arguments) for call in wanted]
        assert len({call.id for call in outcome.calls}) == len(wanted)
        assert outcome.finish == finish
        assert (outcome.prompt, outcome.output) == (line.tokens.prompt_tokens, line.tokens.output)
        assert outcome.model in (line.model, None)


def plain(cell):
    talk = cell.talk()
    talk.say(scenarios.PLAIN)
    cell.check(talk.ask(cell.family.model), scenarios.TEXT)


def stream(cell):
    talk = cell.talk()
    talk.say(scenarios.PLAIN)
    outcome = talk.stream(cell.family.model)
    cell.check(outcome, scenarios.TEXT)
    assert outcome.pieces > 3


def tools(cell):
    for way in ("ask", "stream"):
        talk = cell.talk(tools=scenarios.TOOLS)
        talk.say(scenarios.ONE_TOOL)
        cell.check(getattr(talk, way)(cell.family.model), "", [scenarios.BERN], "tools")


def parallel(cell):
    for way in ("ask", "stream"):
        talk = cell.talk(tools=scenarios.TOOLS)
        talk.say(scenarios.TWO_TOOLS)
        outcome = getattr(talk, way)(cell.family.model)
        cell.check(outcome, "Let me look at both.", [scenarios.BERN, scenarios.MALMO], "tools")


def structured(cell):
    talk = cell.talk()
    talk.say(scenarios.STRUCTURED)
    outcome = talk.parse(cell.family.model, scenarios.Ticket)
    assert scenarios.Ticket(**outcome.parsed) == scenarios.FILED
    assert outcome.finish == "stop"
    assert not outcome.calls


def image(cell):
    talk = cell.talk()
    talk.say(scenarios.LOOK, scenarios.PICTURE)
    cell.check(talk.ask(cell.family.model), scenarios.SEEN)
    received = cell.house.sim.received[-1].body.decode()
    assert received.count(scenarios.PICTURE) == 1
    assert "image/png" in received


def loop(cell):
    """Two tools at once, another one, the answer; and a question after that."""
    talk = cell.talk(tools=scenarios.TOOLS)
    talk.say(scenarios.TRIP)
    wanted = [([scenarios.BERN, scenarios.MALMO], "Let me see."), ([scenarios.TRAIN], "")]
    for (calls, text), way in zip(wanted, ("ask", "stream"), strict=True):
        outcome = getattr(talk, way)(cell.family.model)
        cell.check(outcome, text, calls, "tools")
        talk.give([(call, RESULTS[call.name, call.arguments["city"]]) for call in outcome.calls])
    cell.check(talk.ask(cell.family.model), scenarios.ADVICE)
    talk.say(scenarios.PLAIN)
    cell.check(talk.stream(cell.family.model), scenarios.TEXT)


FAULTS = {
    "limited": Faults(p_limited=1.0),
    "server": Faults(p_error=1.0),
    "missing": None,
}


def error(cell):
    errors = cell.client.errors(cell.wire)
    for kind, faults in FAULTS.items():
        cell.house.faults(**({MODELS[cell.family.kind]: faults} if faults else {}))
        model = cell.family.model if faults else f"{cell.family.name}/no-such-model"
        talk = cell.talk()
        talk.say(scenarios.PLAIN)
        with pytest.raises(errors[kind]):
            talk.ask(model)
    cell.house.faults(**{MODELS[cell.family.kind]: Faults(stream_error_after=6)})
    talk = cell.talk()
    talk.say(scenarios.PLAIN)
    with pytest.raises(errors["broken"]):
        talk.stream(cell.family.model)


SCENARIOS = {each.__name__: each for each in (plain, stream, tools, parallel, structured, image, loop, error)}
