"""What ``benchmarks/translate.py`` translates is the same conversation on every wire."""

import sys
from pathlib import Path

import pytest

from farthing.wire.translate.bridge import CHAT, MESSAGES, RESPONSES
from farthing.wire.translate.crossing import conversation as read


@pytest.fixture
def bodies(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[1] / "benchmarks"), *sys.path])
    from translating import conversation

    made = {CHAT: conversation.chat, MESSAGES: conversation.messages, RESPONSES: conversation.responses}
    return {wire: conversation.body(make()) for wire, make in made.items()}


def test_the_three_bodies_say_the_same(bodies):
    said = {wire: read(wire, body) for wire, body in bodies.items()}
    for one in said.values():
        assert [(turn.role, len(turn.parts)) for turn in one.messages] == [
            (turn.role, len(turn.parts)) for turn in said[CHAT].messages
        ]
        assert "".join(part.text for part in one.system) == said[CHAT].system[0].text
        assert [tool.name for tool in one.tools] == [tool.name for tool in said[CHAT].tools]
        assert (one.max_output, one.temperature, one.needs) == (800, 0.2, {"tools"})
    assert all(10_000 < len(body) < 11_000 for body in bodies.values())
