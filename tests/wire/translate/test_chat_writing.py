"""Chat requests, written for OpenAI and its like."""

import json

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from farthing.wire.translate.chat_request import read, write
from farthing.wire.translate.chat_turns_out import call_id_for_mistral
from farthing.wire.translate.conversation import (
    Choice,
    Conversation,
    Document,
    Format,
    Image,
    Message,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Traits,
)

from . import strategies as some

PLAIN = Traits()
SCHEMA = msgspec.Raw(b'{"type":"object"}')
SHAPE = Format("json_schema", "person", SCHEMA, "Who.", strict=True)
TOOL = Tool("look", "Looks.", SCHEMA, strict=True)
ASK = (Message("user", (Text("hi"),)),)


def asked(*messages, **fields) -> Conversation:
    return Conversation("m", messages or ASK, **fields)


def body(conversation, **traits) -> dict:
    return json.loads(write(conversation, Traits(**traits)).body)


def messages(*turns, **traits) -> list:
    return body(asked(*turns), **traits)["messages"]


def dropped(conversation, **traits) -> tuple[str, ...]:
    return write(conversation, Traits(**traits)).dropped


def test_the_least_is_the_least():
    assert body(asked()) == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert write(asked(), PLAIN).dropped == ()


def test_the_usual_fields():
    said = body(asked(max_output=9, temperature=0.5, top_p=0.9, stop=("a", "b"), user="mara", stream=True))
    assert said == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["a", "b"],
        "user": "mara",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_the_system_s_words_are_one_message():
    conversation = asked(system=(Text("A", "5m"), Text("B")))
    assert body(conversation)["messages"][0] == {"role": "system", "content": "A\n\nB"}
    assert body(conversation, developer_role=True)["messages"][0]["role"] == "developer"
    assert dropped(conversation) == ("cache_control",)


def test_words_alone_are_a_string_and_with_pictures_they_are_parts():
    assert messages(Message("user", (Text("a"), Text("b")), "mara")) == [
        {"role": "user", "content": "a\n\nb", "name": "mara"}
    ]
    seen = Message("user", (Text("a"), Image("image/png", "iV", detail="low"), Image(url="https://example.com/a.png")))
    assert messages(seen)[0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iV", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    assert messages(Message("user", ())) == [{"role": "user", "content": ""}]


def test_documents():
    shown = Message(
        "user",
        (
            Document("application/pdf", "JV", name="a.pdf"),
            Document("application/pdf", "JV"),
            Document(url="https://example.com/a.pdf"),
            Document(text="plain"),
        ),
    )
    assert messages(shown)[0]["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JV"}},
        {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JV"}},
        {"type": "file", "file": {"filename": "document.pdf", "file_data": "https://example.com/a.pdf"}},
        {"type": "text", "text": "plain"},
    ]


def test_results_stand_right_after_the_calls_and_pictures_in_them_follow():
    said = messages(
        Message("assistant", (Text("Let me "), Text("see."), ToolCall("c1", "look", "{}"), ToolCall("c2", "find", ""))),
        Message(
            "user",
            (
                ToolResult("c1", (Text("a"), Image("image/png", "iV"), Text("b"))),
                ToolResult("c2", (), is_error=True),
                Text("and?"),
            ),
        ),
    )
    assert said == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
                {"id": "c2", "type": "function", "function": {"name": "find", "arguments": ""}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "a\n\nb"},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iV"}},
                {"type": "text", "text": "and?"},
            ],
        },
    ]


def test_what_the_model_said():
    said = messages(
        Message("assistant", (Reasoning("hm"), Refusal("No."))),
        Message("assistant", (ToolCall("c", "f", "{}"),)),
        Message("assistant", ()),
    )
    assert said[0] == {"role": "assistant", "content": None, "refusal": "No."}
    assert said[1]["content"] is None
    assert said[2] == {"role": "assistant", "content": ""}


def test_what_is_left_out_is_listed_once():
    conversation = asked(
        Message("assistant", (Reasoning("hm"), Text("a", "5m"), Reasoning("hm"))),
        Message("user", (ToolResult("c", (Text("x", "5m"),), is_error=True, cache="1h"),)),
        top_k=4,
        tools=(replace(TOOL, cache="5m"),),
        dropped=("seed",),
    )
    assert dropped(conversation) == ("seed", "thinking", "cache_control", "is_error", "top_k")


@pytest.mark.parametrize(
    ("call_id", "kind", "written"),
    [
        ("call_1", "any", "call_1"),
        ("x" * 40, "any", "x" * 40),
        ("D681PevKs", "mistral", "D681PevKs"),
    ],
)
def test_ids_that_fit_stay(call_id, kind, written):
    assert ids(call_id, kind) == [written, written]


def ids(call_id, kind) -> list[str]:
    turns = (Message("assistant", (ToolCall(call_id, "f", "{}"),)), Message("user", (ToolResult(call_id, ()),)))
    calling, result = messages(*turns, call_ids=kind)
    return [calling["tool_calls"][0]["id"], result["tool_call_id"]]


@some.often
@given(some.names.map(lambda name: f"toolu_{name * 9}"))
def test_ids_that_do_not_fit_are_replaced_in_both_places(call_id):
    call, result = ids(call_id, "mistral")
    assert call == result == call_id_for_mistral(call_id)
    assert len(call) == 9
    assert call.isalnum()
    call, result = ids(f"{call_id}-{'x' * 40}", "any")
    assert call == result
    assert len(call) <= 40


def test_two_ids_stay_two():
    assert len({call_id_for_mistral(f"toolu_{at}") for at in range(10_000)}) == 10_000


def test_tools_and_choice():
    conversation = asked(tools=(TOOL, Tool("find")), choice=Choice("tool", "find"), parallel=False)
    said = body(conversation)
    function = {"name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": True}
    assert said["tools"] == [
        {"type": "function", "function": function},
        {"type": "function", "function": {"name": "find"}},
    ]
    assert said["tool_choice"] == {"type": "function", "function": {"name": "find"}}
    assert said["parallel_tool_calls"] is False
    for mode, word in (("auto", "auto"), ("none", "none"), ("any", "required")):
        assert body(replace(conversation, choice=Choice(mode)))["tool_choice"] == word
    without = body(replace(conversation, tools=()))
    assert without.keys() == {"model", "messages"}, "a choice without tools is an error"


def test_limits():
    assert body(asked(max_output=9), limit_field="max_tokens")["max_tokens"] == 9
    assert body(asked(max_output=32_000), max_output=16_384)["max_completion_tokens"] == 16_384
    assert dropped(asked(max_output=32_000), max_output=16_384) == ("max_tokens>16384",)
    assert "max_completion_tokens" not in body(asked(), max_output=16_384), "nobody asked for one"


def test_models_that_take_no_sampling():
    conversation = asked(temperature=0.0, top_p=1.0)
    assert body(conversation, sampling=False).keys() == {"model", "messages"}
    assert dropped(conversation, sampling=False) == ("temperature", "top_p")
    assert body(conversation)["temperature"] == 0


@pytest.mark.parametrize(
    ("thinking", "kind", "effort", "lost"),
    [
        (Thinking("minimal"), "effort", "minimal", ()),
        (Thinking(budget=1_024), "effort", "low", ()),
        (Thinking(budget=8_192), "budget", "medium", ()),
        (Thinking(budget=60_000), "adaptive", "high", ()),
        (Thinking("none"), "effort", "none", ()),
        (Thinking(), "effort", None, ()),
        (Thinking("high"), "none", None, ("reasoning_effort",)),
        (Thinking("none"), "none", None, ()),
    ],
)
def test_thinking(thinking, kind, effort, lost):
    conversation = asked(thinking=thinking)
    assert body(conversation, thinking=kind).get("reasoning_effort") == effort
    assert dropped(conversation, thinking=kind) == lost


def test_a_schema_as_a_field_as_a_tool_or_in_words():
    conversation = asked(format=SHAPE)
    assert body(conversation)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "person", "description": "Who.", "schema": {"type": "object"}, "strict": True},
    }
    written = write(conversation, Traits(json_schema="tool"))
    said = json.loads(written.body)
    assert written.answer_tool == "person"
    assert said["tool_choice"] == {"type": "function", "function": {"name": "person"}}
    assert said["tools"][0]["function"]["parameters"] == {"type": "object"}
    assert "response_format" not in said
    in_words = body(conversation, json_schema="none")
    assert in_words["response_format"] == {"type": "json_object"}
    assert in_words["messages"][0]["content"].endswith('{"type":"object"}')
    unnamed = replace(conversation, format=Format("json_schema", schema=SCHEMA))
    assert body(unnamed)["response_format"]["json_schema"] == {"name": "answer", "schema": {"type": "object"}}


@pytest.mark.parametrize("kind", ["native", "tool", "none"])
def test_json_without_a_schema_stays_what_it_is(kind):
    conversation = asked(format=Format("json_object"))
    assert body(conversation, json_schema=kind)["response_format"] == {"type": "json_object"}


def test_what_an_endpoint_refuses_is_left_out_and_listed():
    conversation = asked(user="mara", stop=("a",))
    assert body(conversation, without=frozenset({"user", "logit_bias"})).keys() == {"model", "messages", "stop"}
    assert dropped(conversation, without=frozenset({"user", "stop"})) == ("stop", "user")


EVERYTHING = some.conversations(some.dialogues(some.texts | some.images | some.documents))


@some.often
@given(EVERYTHING)
def test_what_is_written_is_read_again(conversation):
    assert some.normal(read(write(conversation, PLAIN).body)) == some.normal(as_chat_says_it(conversation))


@some.often
@given(EVERYTHING)
def test_once_in_chat_s_words_it_stays_byte_for_byte(conversation):
    once = write(conversation, PLAIN).body
    assert write(read(once), PLAIN).body == once


def as_chat_says_it(conversation: Conversation) -> Conversation:
    """Neighbouring texts are one; who streams is told the usage."""
    system = (Text("\n\n".join(text.text for text in conversation.system)),) if conversation.system else ()
    turns = tuple(replace(message, parts=told(message)) for message in conversation.messages)
    return replace(conversation, system=system, messages=turns, include_usage=conversation.stream)


def told(message: Message) -> tuple:
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    results = [
        replace(part, parts=joined(part.parts, "\n\n")) for part in message.parts if isinstance(part, ToolResult)
    ]
    others = tuple(part for part in message.parts if not isinstance(part, ToolCall | ToolResult))
    return (*results, *joined(others, "" if message.role == "assistant" else "\n\n"), *calls)


def joined(parts: tuple, gap: str) -> tuple:
    if parts and all(isinstance(part, Text) for part in parts):
        return (Text(gap.join(part.text for part in parts)),)
    return parts
