"""What the gateway writes into its log, in both forms, whatever is asked of it."""

import io
import itertools
import json
import logging
from pathlib import Path

import pytest

from farthing.limits.keys import KeyRing
from farthing.logs import log_to_stderr

CHAT = "/v1/chat/completions"
SECRET_TEXT = "our merger with Globex"
OWN, ENVIRONMENT = "sk-own-5f1c9a", "sk-environment-77aa01"
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": SECRET_TEXT}], "user": "ada@example.com"}


@pytest.fixture
def log_of():
    """The log, from now on."""
    root, farthing = logging.getLogger(), logging.getLogger("farthing")
    before = root.handlers[:], root.level, farthing.level, logging.raiseExceptions

    def log_of(form, level="debug"):
        stream = io.StringIO()
        log_to_stderr(form, level, stream)
        return stream

    yield log_of
    root.handlers[:], level, own, logging.raiseExceptions = before
    root.setLevel(level)
    farthing.setLevel(own)


@pytest.mark.parametrize("form", ["text", "json"])
async def test_neither_keys_nor_bodies_are_in_the_log(start, sim, saying, log_of, form):
    stream = log_of(form)
    environ = {"OPENAI_API_KEY": ENVIRONMENT, "ANTHROPIC_API_KEY": ENVIRONMENT}
    _, nonsense = await saying(SECRET_TEXT.encode() + b"\r\n\r\n")

    async def broken(exchange):
        raise ValueError(exchange.body)

    for provider in (sim, "http://127.0.0.1:1/v1", nonsense):
        house = await start(provider, environ=environ, server={"log_requests": True})
        _, virtual = KeyRing(Path(house.policy.store.keys)).create(
            tenant="acme", name="", role="app", clock=lambda: 1.0
        )
        bodies = (QUESTION, QUESTION | {"stream": True}, b'{"' + SECRET_TEXT.encode(), {"model": SECRET_TEXT[:3]})
        for bearer, body in itertools.product((OWN, virtual, "fk-unknown-31d0c4"), bodies):
            await house.ask("POST", f"{CHAT}?q={SECRET_TEXT}", body, authorization=f"Bearer {bearer}")
        house.app.runtime._handler = broken
        await house.ask("POST", CHAT, QUESTION, authorization=f"Bearer {OWN}")
        text = stream.getvalue()
        assert [one for one in (OWN, ENVIRONMENT, virtual, "fk-unknown", SECRET_TEXT, "ada@") if one in text] == []
    assert "Traceback" in text
    assert "ValueError" in text
    assert text.count("request POST") >= 12


async def test_a_request_s_line_is_the_ledger_s_row(start, sim, log_of):
    stream = log_of("json", "info")
    house = await start(sim, server={"log_requests": True})
    reply = await house.say(headers={"x_farthing_tenant": "acme", "x_farthing_feature": "support"})
    (event,) = map(json.loads, stream.getvalue().splitlines())
    (call,) = house.row.calls
    assert event["logger"] == "farthing.requests"
    assert event["message"] == f"request POST {CHAT}"
    assert (event["id"], event["tenant"], event["status"]) == (house.row.id, "acme", 200)
    assert event["cost_usd"] == reply.get("x-farthing-cost-usd")
    assert event["input_tokens"] == call.usage.prompt_tokens
    assert event["latency_ms"] == house.row.latency_us / 1000


async def test_there_is_no_line_a_request_unless_it_is_asked_for(house, log_of):
    stream = log_of("text")
    await house.say()
    assert stream.getvalue() == ""
