"""What another model's answer has left in a conversation does not break the next turn; all else keeps its bytes."""

import json

import pytest

from farthing.wire.translate.conversation import Reasoning
from farthing.wire.translate.mending import mended
from farthing.wire.translate.responses_sealed import sealed

MESSAGES, RESPONSES = "anthropic.messages", "openai.responses"
CALL = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "42"}]}
ASK = {"role": "user", "content": "Look."}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


def loop(*blocks, thinking=BUDGET, after=(RESULT,)):
    turn = {"role": "assistant", "content": list(blocks)}
    return json.dumps({"thinking": thinking, "model": "claude", "messages": [ASK, turn, *after]}).encode()


def test_thinking_goes_where_the_calls_are_another_model_s():
    body, left_out = mended(MESSAGES, loop({"type": "text", "text": "Let me."}, CALL))
    assert json.loads(body)["thinking"] == {"type": "disabled"}
    assert left_out == ("thinking",)
    assert body.replace(b'{"type":"disabled"}', json.dumps(BUDGET).encode()) == loop(
        {"type": "text", "text": "Let me."}, CALL
    )


@pytest.mark.parametrize(
    "body",
    [
        loop(THOUGHT, CALL),
        loop({"type": "redacted_thinking", "data": "x"}, CALL),
        loop(CALL, thinking={"type": "disabled"}),
        loop(CALL, thinking={"type": "adaptive", "note": "budget_tokens"}),
        loop({"type": "text", "text": 'say "tool_use" and "budget_tokens"'}),
        b'{"budget_tokens": "tool_use"',
        b'{"thinking":{"type":"enabled","budget_tokens":1},"messages":"tool_use"}',
    ],
)
def test_what_is_sound_or_cannot_be_read_keeps_its_bytes(body):
    assert mended(MESSAGES, body)[0] is body


def test_seals_are_for_farthing_only():
    ours = {"type": "reasoning", "encrypted_content": sealed(Reasoning("hm", "sig")), "summary": []}
    theirs = {"type": "reasoning", "encrypted_content": "gAAAA", "summary": []}
    said = {"role": "user", "content": "What is farthing.1. about?"}
    body = json.dumps({"model": "gpt", "input": [said, ours, theirs], "store": False}).encode()
    out, left_out = mended(RESPONSES, body)
    assert json.loads(out) == {"model": "gpt", "input": [said, theirs], "store": False}
    assert left_out == ("reasoning",)


@pytest.mark.parametrize("body", [b'{"input":"hello"}', b'{"input":"\\"farthing.1."}', b'{"input":"farthing.1."}'])
def test_words_about_seals_are_none(body):
    assert mended(RESPONSES, body)[0] in (body, body.strip())
    assert json.loads(mended(RESPONSES, body)[0]) == json.loads(body)
