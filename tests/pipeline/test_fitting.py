"""Which model can take which request."""

from __future__ import annotations

import json

import pytest

from farthing.exchange import Exchange, Tally, Target
from farthing.pipeline.fitting import LONG, Fit
from farthing.policy.model import BUILT_IN
from farthing.prices.capabilities import Capabilities
from farthing.types import Caller, Facts, Usage
from farthing.upstream.ways import Way
from farthing.wire.routes import wire_for

TOOL = {"type": "function", "function": {"name": "look", "parameters": {}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}


def way(model: str | None = "other") -> Way:
    return Way("openai", model, "b", 3, "k", 0, "openai b", "w")


def exchange(
    text: object = "Hello", *, path: str = "/v1/chat/completions", max_output: int | None = None, **fields: object
):
    anthropic = path == "/v1/messages"
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]} | fields).encode()
    return Exchange(
        id="fr_1", ts=0.0, begun=0.0, method="POST", path=path, headers=[], body=body, upload=None,
        wire=wire_for("POST", path, anthropic=anthropic), facts=Facts("m", bool(fields.get("stream")), max_output=max_output), caller=Caller("acme"),
        target=Target("openai", "", "m", "k"), credential=b"", mode="save", cache_wish=None, tally=Tally(),
    )  # fmt: skip


def fit(window: int | None = None, **traits: object) -> Fit:
    return Fit(lambda _provider, _model: Capabilities(**{"context": window} | traits), BUILT_IN)


@pytest.mark.parametrize(
    ("asked", "lacking"),
    [
        (exchange(tools=[TOOL]), {"tools": False}),
        (exchange([IMAGE, {"type": "text", "text": "What is this?"}]), {"images": False}),
        (exchange(response_format=SCHEMA), {"json_schema": "none"}),
    ],
)
def test_capabilities_gate_first(asked: Exchange, lacking: dict[str, bool]):
    assert fit().fits(asked, way())
    assert not fit(**lacking).fits(asked, way())
    assert fit(**lacking).fits(exchange(), way()), "who asks for nothing special"


@pytest.mark.parametrize(
    ("asked", "lacking"),
    [
        (exchange(response_format={"type": "json_object"}), {"json_object": False}),
        (exchange(stream=True), {"streaming": False}),
        (exchange(max_output=9), {"apis": ("responses",)}),
    ],
)
def test_what_the_model_has_no_way_for_is_not_sent_to_it(asked: Exchange, lacking: dict[str, object]):
    assert fit(apis=("chat", "messages")).fits(asked, way())
    assert not fit(**lacking).fits(asked, way())


def test_thinking_signature_pins_model():
    thought = [{"type": "thinking", "thinking": "Hm", "signature": "abc"}]
    asked = exchange(path="/v1/messages", messages=[{"role": "assistant", "content": thought}])
    assert not fit().fits(asked, way())


def test_the_window_has_to_be_large_enough_for_prompt_and_reply():
    text = "word " * 5_000
    assert fit(None).fits(exchange(text), way())
    assert fit(20_000).fits(exchange(text), way())
    assert not fit(2_000).fits(exchange(text), way())
    assert not fit(20_000).fits(exchange(text, max_output=19_000), way())


def test_a_reply_longer_than_the_model_can_write_is_not_asked_for():
    assert fit(max_output=4_096).fits(exchange(max_output=4_096), way())
    assert not fit(max_output=4_096).fits(exchange(max_output=4_097), way())


def test_only_what_is_surely_too_long_is_not_tried():
    text = "word " * 5_000  # about 5,000 tokens
    assert fit(2_000).is_too_long(exchange(text), way())
    assert not fit(4_900).is_too_long(exchange(text), way())
    assert not fit(None).is_too_long(exchange(text), way())


def test_bills_make_estimates_better():
    asked, knows = exchange("word " * 5_000), fit(8_000)
    assert len(asked.body) > LONG
    assert not knows.is_too_long(asked, way("m"))
    knows.learn(asked, Usage(input=15_000), 0.0)
    assert knows.is_too_long(asked, way("m"))
    assert not knows.is_too_long(asked, way("another")), "each model has its own tokenizer"


def across(provider: str = "anthropic", wire: str = "anthropic.messages") -> Way:
    return Way(provider, "other", "b", 0, "k", 0, f"{provider} b", "w", "anthropic", wire)


SOUND = [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]
FILE = [{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}}]


def test_what_the_other_api_cannot_say_keeps_its_models_from_being_chosen():
    assert fit().fits(exchange(seed=1), across())
    assert not fit().fits(exchange(n=2), across())
    assert not fit().fits(exchange(SOUND), across())
    assert not fit().fits(exchange(messages="no array"), across()), "whoever it was meant for says what is wrong"


def test_what_the_model_behind_it_cannot_do_does_so_too():
    assert fit().fits(exchange(FILE), across())
    assert not fit(documents=False).fits(exchange(FILE), across())
    assert not fit(thinking="none").fits(exchange(reasoning_effort="high"), across())
