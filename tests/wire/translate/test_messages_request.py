"""Requests to Anthropic's messages API, read and written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from farthing.errors import BadRequest
from farthing.wire.translate.conversation import (
    Choice,
    Conversation,
    Document,
    Image,
    Message,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Traits,
)
from farthing.wire.translate.messages_request import read, write

from . import strategies as some

PLAIN = Traits(max_output=8192)
ASK = (Message("user", (Text("How are you?"),)),)


def asked(**fields) -> Conversation:
    return Conversation("m", fields.pop("messages", ASK), **fields)


def body(conversation, traits=PLAIN) -> dict:
    return json.loads(write(conversation, traits).body)


def request(**fields) -> bytes:
    return json.dumps(
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]} | fields
    ).encode()


def said(*blocks, role="user") -> bytes:
    return request(messages=[{"role": role, "content": list(blocks)}])


everything = some.conversations(
    some.dialogues(
        some.texts
        | some.images
        | st.builds(Document, text=some.words, name=st.none() | some.words)
        | st.builds(Document, url=st.just("https://example.com/a.pdf")),
        shown=some.texts | some.images,
        thought=some.signed,
        more=True,
    )
)


@some.often
@given(everything, st.none() | st.integers(1, 500))
def test_what_anthropic_can_say_crosses_unchanged(conversation, top_k):
    conversation = replace(conversation, top_k=top_k)
    assert some.normal(read(write(conversation, PLAIN).body)) == some.normal(conversation)
    assert write(conversation, PLAIN).dropped == ()


def test_a_request_by_hand():
    found = read(
        request(
            system="Be kind.",
            temperature=0.5,
            top_p=0.9,
            top_k=5,
            stop_sequences=["END"],
            metadata={"user_id": "u-1"},
            stream=True,
            tools=[{"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True}],
            tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        )
    )
    assert found == Conversation(
        "m",
        (Message("user", (Text("hi"),)),),
        system=(Text("Be kind."),),
        tools=(Tool("f", "d", found.tools[0].parameters, strict=True),),
        choice=Choice("tool", "f"),
        parallel=False,
        max_output=9,
        temperature=0.5,
        top_p=0.9,
        top_k=5,
        stop=("END",),
        stream=True,
        user="u-1",
        needs=frozenset({"tools"}),
    )
    assert bytes(found.tools[0].parameters) == b'{"type": "object"}'


def test_parallel_calls_and_their_results():
    calls = [{"type": "tool_use", "id": name, "name": "f", "input": {"x": 1.0}} for name in ("a", "b")]
    answers = [
        {"type": "tool_result", "tool_use_id": "a", "content": "fine"},
        {"type": "tool_result", "tool_use_id": "b", "is_error": True, "content": [{"type": "text", "text": "broken"}]},
        {"type": "text", "text": "Go on."},
    ]
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": calls},
        {"role": "user", "content": answers},
    ]
    found = read(request(messages=turns))
    assert found.messages[1:] == (
        Message("assistant", (ToolCall("a", "f", '{"x": 1.0}'), ToolCall("b", "f", '{"x": 1.0}'))),
        Message(
            "user",
            (ToolResult("a", (Text("fine"),)), ToolResult("b", (Text("broken"),), is_error=True), Text("Go on.")),
        ),
    )
    assert json.loads(write(found, PLAIN).body)["messages"][1]["content"] == calls


def test_pictures_and_documents():
    source = {"type": "base64", "media_type": "image/png", "data": "aGk="}
    found = read(
        said(
            {"type": "image", "source": source},
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
            {"type": "document", "source": source | {"media_type": "application/pdf"}, "title": "t"},
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                "context": "c",
            },
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}] * 2}},
        )
    )
    assert found.messages[0].parts == (
        Image("image/png", "aGk="),
        Image(url="https://x/y.png"),
        Document("application/pdf", "aGk=", name="t"),
        Text("c"),
        Document(text="words"),
        Document(text="a\n\na"),
    )
    assert found.needs == {"images", "documents"}


def test_cache_control_survives_translation():
    five, hour = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
    schema = {"type": "object", "properties": {}}
    result = {"type": "text", "text": "r", "cache_control": five}
    sent = {
        "model": "m",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "s", "cache_control": hour}],
        "tools": [{"name": "f", "input_schema": schema, "cache_control": hour}],
        "messages": [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}, "cache_control": five}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "a", "content": [result]}],
            },
        ],
    }
    found = read(json.dumps(sent).encode())
    assert found.system[0].cache == found.tools[0].cache == "1h"
    assert json.loads(write(found, PLAIN).body) == sent


@given(st.lists(some.ttls, min_size=4, max_size=4), st.sampled_from(["5m", "1h"]))
def test_breakpoints_cross_wherever_they_stand(marks, lasting):
    tool, system, asked, answered = (mark and lasting for mark in marks)
    turns = (
        Message("user", (Image(url="u", cache=asked),)),
        Message("assistant", (Text("a"), ToolCall("c", "f", "{}"))),
        Message("user", (ToolResult("c", (Text("r"),), cache=answered),)),
    )
    found = Conversation("m", turns, system=(Text("s", system),), tools=(Tool("f", cache=tool),), max_output=9)
    again = read(write(found, PLAIN).body)
    assert (again.messages, again.system, again.tools[0].cache) == (turns, found.system, tool)


def test_a_breakpoint_at_the_top_stands_after_the_last_part():
    found = read(request(cache_control={"type": "ephemeral", "ttl": "1h"}))
    assert found.messages[-1].parts == (Text("hi", "1h"),)


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]}, {"server_tools"}),
        ({"mcp_servers": [{"type": "url"}]}, {"server_tools"}),
        ({"container": "c"}, {"stored_state"}),
        ({"inference_geo": "eu"}, {"residency"}),
        ({"stop_sequences": list("abcde")}, {"many_stops"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, {"thinking"}),
        ({"output_format": {"type": "json_schema", "schema": {"type": "object"}}}, {"json_schema"}),
    ],
)
def test_what_not_every_model_can_do_is_a_need(fields, needs):
    assert read(request(**fields)).needs == needs


@pytest.mark.parametrize(
    ("block", "needs"),
    [
        ({"type": "thinking", "thinking": "t", "signature": "s"}, {"signed_thinking"}),
        ({"type": "redacted_thinking", "data": "d"}, {"signed_thinking"}),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, {"images", "files"}),
        ({"type": "document", "source": {"type": "file", "file_id": "f"}}, {"documents", "files"}),
        (
            {"type": "document", "source": {"type": "text", "data": "x"}, "citations": {"enabled": True}},
            {"documents", "citations"},
        ),
        ({"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}}, {"unknown_parts"}),
        ({"type": "web_search_tool_result", "tool_use_id": "a", "content": {"type": "x"}}, {"unknown_parts"}),
        (
            {"type": "tool_use", "id": "a", "name": "f", "input": {}, "caller": {"type": "code_execution_20250825"}},
            {"tools", "server_tools"},
        ),
        (
            {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "tool_reference", "tool_name": "x"}]},
            {"tools", "unknown_parts"},
        ),
    ],
)
def test_parts_that_not_every_model_takes_are_a_need(block, needs):
    assert read(said(block)).needs == needs


def test_cosmetic_fields_are_named():
    found = read(
        request(service_tier="auto", speed="fast", brand_new={"x": 1}, metadata={"user_id": "u", "feature": "f"})
    )
    assert found.dropped == ("brand_new", "metadata", "service_tier", "speed")
    assert found.user == "u"


def test_system_messages_at_the_start_are_the_system_prompt():
    turns = [{"role": "system", "content": "b"}, {"role": "user", "content": "hi"}]
    found = read(request(system="a", messages=turns))
    assert found.system == (Text("a"), Text("b"))
    assert found.needs == frozenset()
    assert read(request(messages=turns[::-1])).needs == {"unknown_parts"}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Thinking(budget=2048)),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, Thinking("max")),
        ({"thinking": {"type": "disabled"}}, Thinking("none")),
        ({"output_config": {"effort": "low"}}, Thinking("low")),
        ({}, None),
    ],
)
def test_thinking_is_read(given, meant):
    assert read(request(**given)).thinking == meant


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "is empty"),
        (b"[]", "JSON object"),
        (b'{"model": "m"', "not valid JSON"),
        (b'{"model": "m"}', "'messages' is missing"),
        (request(max_tokens="9"), "'max_tokens' has to be a whole number"),
        (request(tool_choice={"type": "some"}), "tool_choice.type"),
        (request(tool_choice={"type": "tool"}), "tool_choice.name"),
        (b'{"metadata":' + b"[" * 9999, "has to be object"),
        (request(tools=[{"description": "d"}]), r"tools\[0\].name"),
        (said({"type": "text"}), "'text' is missing"),
        (said({"type": "text", "text": 3}), r"content\[0\].text"),
        (said(role="robot"), "role"),
    ],
)
def test_a_mistake_is_named(given, words):
    with pytest.raises(BadRequest, match=words):
        read(given)


def test_half_an_emoji_does_not_stop_a_request():
    assert read(request(system="x\ud83d")).system == (Text("x\ufffd"),)
