import json

import pytest

from farthing.types import Prompt, Turn
from farthing.wire.routes import wire_for


def prompt_of(path, **body):
    return wire_for("POST", path).prompt(json.dumps(body).encode())


def test_chat():
    prompt = prompt_of(
        "/v1/chat/completions",
        messages=[
            {"role": "system", "content": "Be short."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                    {"type": "text", "text": "this?"},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "a cat"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"role": "function", "name": "old", "content": "9"},
            {"role": "user", "content": ["sure?"]},
        ],
        tools=[{"type": "function", "function": {"name": "look"}}, {"type": "custom", "custom": {"name": "free"}}],
        tool_choice={"type": "function", "function": {"name": "look"}},
        response_format={"type": "json_schema", "json_schema": {"name": "x"}},
    )
    assert prompt == Prompt(
        system="Be short.\nBe kind.",
        turns=(
            Turn("user", "What is\nthis?"),
            Turn("assistant", 'look {"a":1}'),
            Turn("tool", "a cat"),
            Turn("assistant", "no"),
            Turn("tool", "9"),
            Turn("user", "sure?"),
        ),
        tools=("look", "free"),
        tool_choice="look",
        response_format="json_schema",
        attachments=1,
    )
    assert prompt.question == "sure?"


def test_chat_words_for_choice_and_format():
    prompt = prompt_of("/v1/chat/completions", messages=[], tool_choice="required", response_format={"type": "text"})
    assert prompt == Prompt(system="", turns=(), tool_choice="required")


def test_responses_with_a_string():
    prompt = prompt_of("/v1/responses", input="hi", instructions="Be short.", text={"format": {"type": "json_object"}})
    assert prompt == Prompt(system="Be short.", turns=(Turn("user", "hi"),), response_format="json_object")


def test_responses_with_items():
    prompt = prompt_of(
        "/v1/responses",
        input=[
            {"role": "developer", "content": "Be kind."},
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "Look"}, {"type": "input_image", "image_url": "x"}],
            },
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "function_call", "call_id": "1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": [{"type": "input_text", "text": "a cat"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A cat."}]},
            {"type": "item_reference", "id": "x"},
        ],
        tools=[{"type": "function", "name": "look"}, {"type": "web_search"}],
        tool_choice={"type": "function", "name": "look"},
    )
    assert prompt == Prompt(
        system="Be kind.",
        turns=(Turn("user", "Look"), Turn("assistant", "look {}"), Turn("tool", "a cat"), Turn("assistant", "A cat.")),
        tools=("look", "web_search"),
        tool_choice="look",
        attachments=1,
    )


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_messages(path):
    prompt = prompt_of(
        path,
        system=[{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "x"},
                    {"type": "text", "text": "Let me look."},
                    {"type": "tool_use", "id": "1", "name": "look", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "1",
                        "content": [{"type": "text", "text": "sun"}, {"type": "image", "source": {}}],
                    },
                    {"type": "text", "text": "and now?"},
                    {"type": "document", "source": {}},
                ],
            },
        ],
        tools=[{"name": "look", "input_schema": {}}, {"type": "web_search_20250305", "name": "web_search"}],
        tool_choice={"type": "any"},
        output_config={"format": {"type": "json_schema", "schema": {}}},
    )
    assert prompt == Prompt(
        system="Be short.",
        turns=(
            Turn("user", "Weather?"),
            Turn("assistant", 'Let me look.\nlook {"a":1}'),
            Turn("tool", "sun"),
            Turn("user", "and now?"),
        ),
        tools=("look", "web_search"),
        tool_choice="any",
        response_format="json_schema",
        attachments=2,
    )


def test_messages_with_a_string_for_system_and_a_bare_result():
    content = [{"type": "tool_result", "tool_use_id": "1", "content": "sun"}]
    prompt = prompt_of("/v1/messages", system="S", messages=[{"role": "user", "content": content}])
    assert prompt == Prompt(system="S", turns=(Turn("tool", "sun"),))


def test_embeddings():
    assert prompt_of("/v1/embeddings", input="a").turns == (Turn("user", "a"),)
    assert prompt_of("/v1/embeddings", input=["a", "b"]).turns == (Turn("user", "a"), Turn("user", "b"))
    assert prompt_of("/v1/embeddings", input=[[1, 2], [3]]).turns == ()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/messages", "/v1/x"])
@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"{}", b'{"messages":5,"input":5,"tools":5}', b'{"messages":[5,{}],"input":[5,{}]}']
)
def test_what_is_not_understood_is_left_out(path, body):
    prompt = wire_for("POST", path).prompt(body)
    assert prompt.system == ""
    assert all(turn.text == "" for turn in prompt.turns)
