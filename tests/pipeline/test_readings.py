"""A body that is remembered is read as if it were not."""

from __future__ import annotations

import msgspec
import pytest

from farthing.exchange import Exchange, Tally, Target
from farthing.ledger.records import Shape
from farthing.pipeline.readings import LONGEST, MOST, Readings
from farthing.types import Caller, Facts, Prompt
from farthing.wire.routes import wire_for

WIRE = wire_for("POST", "/v1/chat/completions", anthropic=False)
SHAPE = Shape("chat:")
PROMPT = Prompt("", ())


def exchange(body: bytes, *, model: str = "gpt-4o", canonical: bytes | None = b"{}") -> Exchange:
    return Exchange(
        id="fr_1", ts=0.0, begun=0.0, method="POST", path="/v1/chat/completions", headers=[], body=body, upload=None,
        wire=WIRE, facts=Facts(model), caller=Caller("acme"), target=Target("openai", "", "gpt-4o", None),
        credential=b"", mode="save", cache_wish=None, tally=Tally(prompt=PROMPT, canonical=canonical),
    )  # fmt: skip


def test_what_was_kept_is_found_by_the_same_bytes_on_the_same_wire():
    readings, one = Readings(), exchange(b'{"a": 1}')
    readings.keep(one, SHAPE)
    found = readings.get(WIRE, b'{"a": 1}')
    assert found is not None
    assert (found.facts, found.prompt, found.shape, found.canonical) == (one.facts, PROMPT, SHAPE, b"{}")
    assert readings.get(WIRE, b'{"a":1}') is None
    assert readings.get(wire_for("POST", "/v1/responses", anthropic=False), b'{"a": 1}') is None


@pytest.mark.parametrize(
    "one",
    [
        exchange(b"{}", model="openai/gpt-4o"),  # its body has another model's name than its facts
        exchange(b"{}", canonical=None),
        exchange(b"x" * (LONGEST + 1)),
    ],
)
def test_what_is_not_kept(one: Exchange):
    readings = Readings()
    readings.keep(one, SHAPE)
    assert readings.get(WIRE, one.body) is None


def test_memory_is_bounded_and_the_oldest_go_first():
    readings = Readings()
    bodies = [msgspec.json.encode(n) for n in range(MOST + 1)]
    for body in bodies:
        readings.keep(exchange(body), SHAPE)
    assert readings.get(WIRE, bodies[0]) is None
    assert readings.get(WIRE, bodies[1]) is not None
