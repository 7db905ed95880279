"""Replies of Anthropic's messages API, read and written, whole and as streams."""

import json

import anthropic
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from farthing.types import Usage
from farthing.wire import sse
from farthing.wire.anthropic_replay import fold as fold_events
from farthing.wire.translate.answer import (
    Alive,
    Answer,
    Closed,
    Counted,
    Done,
    Ended,
    Failed,
    Grown,
    Opened,
    Signed,
    Started,
)
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall
from farthing.wire.translate.messages_reply import Reader, Writer, read, write

from . import strategies as some

CALL = ToolCall("toolu_1", "get_weather", '{"city": "Bern"}')
ANSWER = Answer("msg_1", "claude-haiku-4-5", (Text("It rains."),), "stop", usage=Usage(input=12, output=3))
THOUGHT = Reasoning("Let me see.", "c2lnbmVk")
FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
replies = some.answers(thought=some.signed)


def events(steps) -> list[bytes]:
    writer = Writer()
    return sse.split(b"".join(writer.feed(step) for step in steps))


def datas(steps) -> list[dict]:
    return [json.loads(sse.data_of(event)) for event in events(steps)]


def steps(raw_events) -> list:
    reader = Reader()
    return [step for event in raw_events for step in reader.feed(event)]


def said(**fields) -> bytes:
    return sse.render(json.dumps(fields).encode(), fields["type"])


@some.often
@given(replies)
def test_a_reply_crosses_unchanged(answer):
    assert read(write(answer)) == answer


@some.often
@given(some.streams(replies))
def test_a_stream_crosses_unchanged(stream):
    raw = events(stream)
    assert [step for step in steps(raw) if step != Alive()] == stream
    assert some.fold(steps(raw)) == read(fold_events(b"".join(raw)))


@some.often
@given(replies)
def test_a_stream_says_what_the_reply_in_one_piece_says(answer):
    assert some.fold(steps(events(some.steps_of(answer)))) == read(write(answer))


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "thinking", "signature", "data", "id", "name", "input", "usage", "message"]
            )
            | st.sampled_from(["delta", "content_block", "error", "stop_reason", "input_tokens", "cache_creation"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
kinds = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
        "something_new",
    ]
)
shaped = st.builds(
    lambda kind, fields: json.dumps(fields | {"type": kind} if isinstance(fields, dict) else fields).encode(),
    kinds,
    junk,
)


@some.often
@given(st.lists(shaped | st.binary(max_size=20), max_size=6))
def test_junk_in_a_stream_never_raises(stream):
    found = steps([sse.render(data) for data in stream])
    opened = 0
    for step in found:
        opened += isinstance(step, Opened) - isinstance(step, Closed)
        assert opened in (0, 1)
        assert opened or not isinstance(step, Grown | Signed)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"not json", b'{"content": "x"}', b'{"type":"error","error":{}}'])
def test_what_is_no_message_is_refused(body):
    with pytest.raises(ValueError, match="no message"):
        read(body)


def test_a_reply_by_hand():
    answer = replace(ANSWER, parts=(THOUGHT, Text("I look."), CALL), finish="tool_calls", service_tier="default")
    assert json.loads(write(answer)) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [
            {"type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmVk"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Bern"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 12,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 3,
            "service_tier": "standard",
        },
    }


def test_a_stream_by_hand():
    stream = [
        Started("msg_1", "claude-haiku-4-5", Usage(input=12)),
        *(Opened(Text("")), Grown("It "), Grown("rains."), Closed()),
        *(Opened(ToolCall("toolu_1", "get_weather", "")), Grown('{"city":'), Grown('"Bern"}'), Closed()),
        *(Ended("tool_calls"), Counted(Usage(input=2, cache_read=10, output=9)), Done()),
    ]
    found = datas(stream)
    assert [sse.name_of(event) for event in events(stream)] == [data["type"] for data in found]
    assert [(data["type"], data.get("index")) for data in found] == [
        ("message_start", None),
        ("ping", None),
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert found[2]["content_block"] == {"type": "text", "text": ""}
    assert found[3]["delta"] == {"type": "text_delta", "text": "It "}
    assert found[6]["content_block"] == {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
    assert found[7]["delta"] == {"type": "input_json_delta", "partial_json": '{"city":'}
    assert found[10]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}
    assert found[10]["usage"]["input_tokens"] == 2
    assert found[10]["usage"]["cache_read_input_tokens"] == 10
    assert found[10]["usage"]["output_tokens"] == 9


@pytest.mark.parametrize(("reason", "finish"), FINISHES.items())
def test_finish_reasons_are_exact(reason, finish):
    answer = replace(ANSWER, finish=finish)
    assert json.loads(write(answer))["stop_reason"] == reason
    assert read(write(answer)).finish == finish


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("model_context_window_exceeded", "length"), ("pause_turn", "stop"), ("from the future", "stop"), (None, None)],
)
def test_finish_reasons_that_others_lack(reason, finish):
    assert read(json.dumps({"content": [], "stop_reason": reason}).encode()).finish == finish


def test_a_stop_with_calls_is_a_call():
    answer = replace(ANSWER, parts=(CALL,))
    assert json.loads(write(answer))["stop_reason"] == "tool_use"
    assert datas(some.steps_of(answer))[-2]["delta"]["stop_reason"] == "tool_use"


def test_which_sequence_stopped_it_is_told():
    answer = replace(ANSWER, finish="stop_sequence", stop_sequence="END")
    assert read(write(answer)).stop_sequence == "END"
    assert some.fold(steps(events(some.steps_of(answer)))).stop_sequence == "END"


def test_unsigned_reasoning_is_left_out():
    """Anthropic would refuse it when the client sends it back."""
    answer = replace(ANSWER, parts=(Reasoning("Hm."), Text("Yes.")))
    assert json.loads(write(answer))["content"] == [{"type": "text", "text": "Yes."}]
    found = datas(some.steps_of(answer))
    assert "Hm." not in json.dumps(found)
    assert [data["index"] for data in found if data["type"] == "content_block_start"] == [0]


def test_empty_texts_are_left_out():
    answer = replace(ANSWER, parts=(Text(""), CALL), finish="tool_calls")
    assert [block["type"] for block in json.loads(write(answer))["content"]] == ["tool_use"]
    assert [data["index"] for data in datas(some.steps_of(answer)) if "index" in data] == [0] * 8


def test_a_refusal_is_said():
    answer = replace(ANSWER, parts=(Refusal("I will not."),))
    assert json.loads(write(answer))["content"] == [{"type": "text", "text": "I will not."}]
    assert some.fold(steps(events(some.steps_of(answer)))).parts == (Text("I will not."),)


@pytest.mark.parametrize(
    ("arguments", "given"), [("", {}), ("{}", {}), ("not json", {"input": "not json"}), ("[1]", {"input": "[1]"})]
)
def test_the_input_of_a_call_is_always_an_object(arguments, given):
    answer = replace(ANSWER, parts=(replace(CALL, arguments=arguments),))
    assert json.loads(write(answer))["content"][0]["input"] == given


def test_a_call_without_arguments_has_empty_ones():
    stream = [Started("m", "m"), Opened(ToolCall("a", "f", "")), Closed(), Ended("tool_calls"), Done()]
    assert json.loads(fold_events(b"".join(events(stream))))["content"][0]["input"] == {}


def test_servers_that_send_a_whole_input_at_once_are_understood():
    block = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
    found = steps([said(type="content_block_start", content_block=block), said(type="content_block_stop")])
    assert found == [Opened(ToolCall("a", "f", "")), Grown('{"x": 1}'), Closed()]


def test_blocks_of_the_provider_s_own_tools_are_left_out():
    block = {"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"query":'}
    raw = [said(type="content_block_start", content_block=block), said(type="content_block_delta", delta=delta)]
    assert steps([*raw, said(type="content_block_stop")]) == []
    assert read(json.dumps({"content": [block, {"type": "text", "text": "x"}]}).encode()).parts == (Text("x"),)


def test_usage_grows_through_a_stream():
    cached = {"input_tokens": 5, "cache_creation_input_tokens": 8, "cache_creation": {"ephemeral_1h_input_tokens": 8}}
    start = said(type="message_start", message={"id": "m", "model": "c", "usage": cached | {"output_tokens": 1}})
    end = said(type="message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 7})
    assert steps([start, end]) == [
        Started("m", "c", Usage(input=5, cache_write_1h=8, output=1)),
        Ended("stop"),
        Counted(Usage(input=5, cache_write_1h=8, output=7)),
    ]


def test_a_failure_ends_a_stream():
    stream = [Started("m", "m"), Opened(Text("")), Grown("x"), Failed(529, "overloaded_error", "Overloaded"), Done()]
    found = datas(stream)
    assert found[-1] == {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert steps(events(stream))[-1] == Failed(529, "overloaded_error", "Overloaded")


def test_a_reply_without_usage_still_has_the_field():
    assert json.loads(write(replace(ANSWER, usage=None)))["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert datas([Started("m", "m"), Ended("stop"), Done()])[-2]["usage"] == {"output_tokens": 0}


def client(body) -> anthropic.Anthropic:
    kind = "text/event-stream" if body.startswith(b"event:") else "application/json"
    chunks = [body[at : at + 11] for at in range(0, len(body), 11)]

    def reply(_request):
        return httpx2.Response(200, headers={"content-type": kind}, content=iter(chunks))

    transport = httpx2.Client(transport=httpx2.MockTransport(reply))
    return anthropic.Anthropic(api_key="x", base_url="http://test", max_retries=0, http_client=transport)


ASKED = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        replace(ANSWER, parts=(THOUGHT, Text("I look."), CALL, replace(CALL, id="b")), finish="tool_calls"),
        replace(ANSWER, parts=(Reasoning("", redacted="xyz"), replace(CALL, arguments="")), finish="tool_calls"),
        replace(ANSWER, usage=Usage(1, 2, 3, 4, 50, web_searches=2, reasoning=7), finish="length"),
        replace(ANSWER, parts=(), finish="content_filter"),
    ],
)
def test_the_official_client_reads_both_alike(answer):
    with client(write(answer)) as whole:
        at_once = whole.messages.create(**ASKED)
    with client(b"".join(events(some.steps_of(answer)))) as streaming, streaming.messages.stream(**ASKED) as stream:
        folded = stream.get_final_message()
    left_out = {"content": {"__all__": {"parsed_output"}}}  # the stream's class has it, the other has not
    assert json.loads(folded.model_dump_json(exclude=left_out)) == json.loads(at_once.model_dump_json(exclude=left_out))
    assert len(at_once.content) == len(answer.parts)
