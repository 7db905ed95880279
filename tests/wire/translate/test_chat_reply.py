"""Chat replies in one piece."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from farthing.types import Usage
from farthing.wire.translate.answer import Answer, Started
from farthing.wire.translate.chat_reply import read, write
from farthing.wire.translate.chat_words import usage_of, usage_words
from farthing.wire.translate.chat_writer import Writer
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall

from . import strategies as some


def reply(message, finish="stop", **fields) -> bytes:
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return json.dumps({"id": "r1", "model": "m", "created": 7, "choices": [choice]} | fields).encode()


def message(*parts, functions=False) -> dict:
    answer = Answer("r1", "m", parts, "tool_calls")
    return json.loads(write(answer, functions=functions))["choices"][0]["message"]


def test_a_reply_as_openai_sends_it():
    answer = Answer("r1", "m", (Text("Hi"),), "stop", usage=Usage(input=5, output=2), service_tier="default")
    assert json.loads(write(answer, created=9)) == {
        "id": "r1",
        "object": "chat.completion",
        "created": 9,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "total_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        "service_tier": "default",
    }
    assert json.loads(write(replace(answer, created=3), created=9))["created"] == 3


def test_a_reply_is_read():
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    body = reply({"role": "assistant", "content": "Hi", "refusal": None}, usage=usage, service_tier="flex")
    answer = Answer("r1", "m", (Text("Hi"),), "stop", usage=Usage(input=5, output=2), created=7, service_tier="flex")
    assert read(body) == answer


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ({"content": None, "refusal": "No."}, (Refusal("No."),)),
        ({"content": "5", "reasoning_content": "hm"}, (Reasoning("hm"), Text("5"))),
        ({"content": "5", "reasoning": "hm"}, (Reasoning("hm"), Text("5"))),
        (
            {
                "content": "5",
                "reasoning_content": "hm",
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "x"},
                ],
            },
            (Reasoning("hm", "s"), Reasoning("", redacted="x"), Text("5")),
        ),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "5"},
                ]
            },
            (Reasoning("hm"), Text("5")),
        ),
        ({"content": ""}, ()),
        (
            {
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
            (ToolCall("c", "f", '{"a":1}'),),
        ),
    ],
)
def test_what_messages_say(said, parts):
    assert read(reply(said)).parts == parts


def test_calls_without_ids_get_the_same_one_every_time():
    said = {
        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, {"function": {"name": "f", "arguments": "{}"}}]
    }
    first, second = read(reply(said)).parts
    assert first.id != second.id
    assert first.id.startswith("call_")
    assert read(reply(said)).parts == (first, second)
    older = read(reply({"content": None, "function_call": {"name": "f", "arguments": "{}"}}, "function_call"))
    assert older.parts == (first,)
    assert older.finish == "tool_calls"


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("content_filter", "content_filter"),
        ("eos", "stop"),
        (None, None),
        ("", None),
    ],
)
def test_finish_reasons_are_read(word, finish):
    assert read(reply({"content": "x"}, word)).finish == finish


def test_a_forced_call_ends_with_stop():
    called = {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}
    assert read(reply(called, "stop")).finish == "tool_calls"
    assert read(reply(called, "length")).finish == "length"


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        ("stop", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"),
        (None, None),
    ],
)
def test_finish_reasons_are_written(finish, word):
    assert json.loads(write(Answer("r", "m", (), finish)))["choices"][0]["finish_reason"] == word


def test_what_is_written_of_parts():
    assert message(Text("a"), Text("b")) == {"role": "assistant", "content": "ab", "refusal": None}
    assert message(Refusal("No.")) == {"role": "assistant", "content": None, "refusal": "No."}
    assert message(Reasoning("hm"), Text("5"))["reasoning_content"] == "hm"
    assert "thinking_blocks" not in message(Reasoning("hm"))
    signed = message(Reasoning("hm", "s"), Reasoning("", redacted="x"))
    assert signed["reasoning_content"] == "hm"
    assert signed["thinking_blocks"] == [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
    ]
    assert message(ToolCall("c", "f", "{}"))["tool_calls"] == [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]


def test_older_clients_get_a_function_call():
    said = json.loads(write(Answer("r", "m", (ToolCall("c", "f", "{}"),), "tool_calls"), functions=True))["choices"][0]
    assert said["finish_reason"] == "function_call"
    assert said["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert "tool_calls" not in said["message"]


COUNTS = st.integers(0, 10_000)
USAGES = st.builds(
    lambda counts, hidden: Usage(*counts[:10], reasoning=min(hidden, counts[4])),
    st.lists(COUNTS, min_size=10, max_size=10),
    COUNTS,
)


@some.often
@given(USAGES)
def test_usage_is_the_same_again(usage):
    words = usage_words(usage)
    assert usage_of(words) == usage
    assert words["total_tokens"] == words["prompt_tokens"] + words["completion_tokens"]


def test_usage_in_openai_s_words():
    usage = Usage(input=10, cache_read=20, cache_write_5m=3, cache_write_1h=4, output=9, reasoning=2)
    assert usage_words(usage) == {
        "prompt_tokens": 37,
        "completion_tokens": 9,
        "total_tokens": 46,
        "prompt_tokens_details": {
            "cached_tokens": 20,
            "cache_write_tokens": 7,
            "cache_write_tokens_details": {"ttl_30m_tokens": 3, "ttl_12h_tokens": 4},
        },
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    assert usage_of(None) is None
    assert usage_of({}) is None
    assert usage_of({"prompt_tokens": 0, "completion_tokens": 0}) == Usage()


@some.often
@given(some.answers(thought=some.signed, used=USAGES))
def test_what_is_written_is_read_again(answer):
    assert read(write(answer, created=7)) == replace(answer, parts=with_one_text(answer.parts), created=7)


def with_one_text(parts: tuple) -> tuple:
    text = "".join(part.text for part in parts if isinstance(part, Text))
    thoughts = [part for part in parts if isinstance(part, Reasoning)]
    calls = [part for part in parts if isinstance(part, ToolCall)]
    return (*thoughts, *([Text(text)] if text else []), *calls)


KEYS = ["choices", "message", "content", "tool_calls", "function", "name", "thinking", "text", "usage"]
JUNK = st.binary(max_size=40) | st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=9,
).map(lambda value: json.dumps(value).encode())


@some.often
@given(JUNK)
def test_junk_is_no_reply_or_an_empty_answer(junk):
    try:
        answer = read(junk)
    except ValueError:
        return
    assert (answer.id, answer.model) == ("", "")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"choices": []}', b'{"error": {"message": "x"}}', b"<html>"])
def test_what_is_no_reply_is_an_error(body):
    with pytest.raises(ValueError, match="no chat completion"):
        read(body)


@pytest.mark.parametrize(
    ("told", "shown"),
    [("standard", "default"), ("priority", "priority"), ("flex", "flex"), ("batch", None), (None, None)],
)
def test_the_tier_is_told_in_the_word_that_clients_know(told, shown):
    answer = Answer("m", "claude", (Text("Hi."),), "stop", service_tier=told)
    assert json.loads(write(answer)).get("service_tier") == shown
    begun = Writer(include_usage=False, functions=False, created=1).feed(Started("m", "claude", service_tier=told))
    assert json.loads(begun.removeprefix(b"data: ")).get("service_tier") == shown
