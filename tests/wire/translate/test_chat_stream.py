"""Streams of chat chunks, read and written step by step."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from farthing.types import Usage
from farthing.wire import sse
from farthing.wire.openai_chat import OpenAIChat
from farthing.wire.translate.answer import (
    Alive,
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
from farthing.wire.translate.chat_reader import made_up_id
from farthing.wire.translate.chat_reply import Reader, Writer, read
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall

from . import strategies as some


def chunk(delta=None, finish=None, **fields) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return event({"id": "r1", "model": "m", "created": 7, "choices": choices} | fields)


def event(value) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def calls(*deltas) -> dict:
    return {"tool_calls": list(deltas)}


def call(index, arguments="", call_id=None, name=None) -> dict:
    delta = {"index": index, "function": {"arguments": arguments}}
    if name is not None:
        delta["function"]["name"] = name
    if call_id is not None:
        delta["id"] = call_id
    return delta


DONE = b"data: [DONE]\n\n"
START = Started("r1", "m", created=7)
EMPTY = Opened(Text(""))


def steps(*events) -> list:
    reader = Reader()
    return [step for each in events for step in reader.feed(each)]


def test_text():
    said = steps(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hi"}),
        chunk({"content": " you"}),
        chunk({}, "stop"),
        chunk(usage={"prompt_tokens": 5, "completion_tokens": 2}),
        DONE,
    )
    usage = Counted(Usage(input=5, output=2))
    assert said == [START, EMPTY, Grown("Hi"), Grown(" you"), Closed(), Ended("stop"), usage, Done()]


def test_nothing_is_held_back_that_can_be_told():
    reader = Reader()
    assert reader.feed(chunk({"content": "Hi"})) == [START, EMPTY, Grown("Hi")]
    assert reader.feed(chunk(calls(call(0, '{"a":', "c", "f")))) == [
        Closed(),
        Opened(ToolCall("c", "f", "")),
        Grown('{"a":'),
    ]
    assert reader.feed(chunk(calls(call(0, "1}")))) == [Grown("1}")]
    assert reader.feed(chunk(calls(call(1, "{}", "d", "g")))) == [Closed(), Opened(ToolCall("d", "g", "")), Grown("{}")]


def test_arguments_that_come_mixed_are_held_back():
    reader = Reader()
    reader.feed(chunk(calls(call(0, '{"a":', "c", "f"), call(1, "", "d", "g"))))
    assert reader.feed(chunk(calls(call(1, '{"b":')))) == []
    assert reader.feed(chunk(calls(call(0, "1}")))) == [
        Grown("1}"),
        Closed(),
        Opened(ToolCall("d", "g", "")),
        Grown('{"b":'),
    ]
    assert reader.feed(chunk(calls(call(1, "2}")), "tool_calls")) == [Grown("2}"), Closed(), Ended("tool_calls")]


def test_a_call_without_arguments_is_over_at_the_end():
    said = steps(chunk(calls(call(0, "", "c", "f"))), chunk(calls(call(1, "{}", "d", "g"))), chunk({}, "stop"))
    assert said == [
        START,
        Opened(ToolCall("c", "f", "")),
        Closed(),
        Opened(ToolCall("d", "g", "")),
        Grown("{}"),
        Closed(),
        Ended("tool_calls"),
    ]


@st.composite
def mixed(draw: st.DrawFn) -> tuple[list[str], list[bytes]]:
    """Arguments of some calls, and chunks that bring them in any order, each call's own pieces in theirs."""
    whole = draw(st.lists(some.objects.map(some.written), min_size=1, max_size=3))
    places = [at for at, text in enumerate(whole) for _ in range(0, len(text), 4)]
    order = draw(st.permutations(places))
    sent = [0] * len(whole)
    chunks = [chunk(calls(*[call(at, "", f"c{at}", "f") for at in range(len(whole))]))]
    for at in order:
        chunks.append(chunk(calls(call(at, whole[at][sent[at] : sent[at] + 4]))))
        sent[at] += 4
    return whole, [*chunks, chunk({}, "tool_calls"), DONE]


@some.often
@given(mixed())
def test_however_calls_are_mixed_each_gets_its_arguments(made):
    whole, chunks = made
    answer = some.fold(steps(*chunks))
    assert answer.parts == tuple(ToolCall(f"c{at}", "f", text) for at, text in enumerate(whole))


def test_calls_of_gemini_have_the_same_number_and_of_others_none():
    said = some.fold(steps(chunk(calls(call(0, "{}", "a", "f"))), chunk(calls(call(0, "{}", "b", "g"))), DONE))
    assert said.parts == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}"))
    first = {"id": "a", "function": {"name": "f", "arguments": "{"}}
    second = {"id": "b", "function": {"name": "g", "arguments": {"x": 1}}}
    more = {"function": {"arguments": "}"}}
    said = some.fold(steps(chunk(calls(first)), chunk(calls(more)), chunk(calls(second)), DONE))
    assert said.parts == (ToolCall("a", "f", "{}"), ToolCall("b", "g", '{"x":1}'))


def test_calls_without_ids_and_older_functions():
    said = some.fold(steps(chunk(calls(call(0, "{}", name="f"), call(1, "{}", name="g"))), DONE))
    assert said.parts == (ToolCall(made_up_id("r1", 0), "f", "{}"), ToolCall(made_up_id("r1", 1), "g", "{}"))
    older = [chunk({"function_call": {"name": "f", "arguments": ""}}), chunk({"function_call": {"arguments": "{}"}})]
    said = some.fold(steps(*older, chunk({}, "function_call")))
    assert said.parts == (ToolCall(made_up_id("r1", 0), "f", "{}"),)
    assert said.finish == "tool_calls"


def test_a_call_that_never_gets_a_name_is_none():
    assert some.fold(steps(chunk(calls(call(0, "{}", "a"))), chunk({"content": "x"}), DONE)).parts == (Text("x"),)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_and_refusals(field):
    said = some.fold(steps(chunk({field: "h"}), chunk({field: "m"}), chunk({"content": "5"}), chunk({"refusal": "No"})))
    assert said.parts == (Reasoning("hm"), Text("5"), Refusal("No"))
    both = some.fold(steps(chunk({"reasoning_content": "hm", "reasoning": "hm"})))
    assert both.parts == (Reasoning("hm"),), "said twice, meant once"


def test_signed_thoughts_as_litellm_streams_them():
    said = steps(
        chunk({"reasoning_content": "h", "thinking_blocks": [{"type": "thinking", "thinking": "h", "signature": ""}]}),
        chunk({"reasoning_content": "m", "thinking_blocks": [{"type": "thinking", "thinking": "m"}]}),
        chunk({"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}]}),
        chunk({"thinking_blocks": [{"type": "redacted_thinking", "data": "x"}]}),
        chunk({"content": "5"}),
    )
    assert said[1:] == [
        Opened(Reasoning("")),
        Grown("h"),
        Grown("m"),
        Signed("s"),
        Closed(),
        Opened(Reasoning("", redacted="x")),
        Closed(),
        EMPTY,
        Grown("5"),
    ]
    alone = some.fold(steps(*[chunk({"thinking_blocks": [{"type": "thinking", "thinking": text}]}) for text in "hm"]))
    assert alone.parts == (Reasoning("hm"),)


def test_thoughts_as_mistral_streams_them():
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    said = some.fold(steps(chunk({"content": [thought]}), chunk({"content": [{"type": "text", "text": "5"}]})))
    assert said.parts == (Reasoning("hm"), Text("5"))


def test_usage_beside_choices_and_after_them():
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    said = steps(chunk({"content": "x"}, usage=usage), chunk({}, "length", usage=usage), chunk(usage=usage))
    assert [step for step in said if isinstance(step, Counted)] == [Counted(Usage(input=5, output=2))] * 3
    assert said[0] == START
    assert Ended("length") in said


def test_an_error_ends_it():
    error = {"error": {"message": "busy", "type": "server_error", "code": "rate_limit_exceeded"}}
    said = steps(chunk({"content": "x"}), event(error), chunk({"content": "y"}), DONE)
    assert said == [START, EMPTY, Grown("x"), Failed(429, "rate_limit_exceeded", "busy")]


def test_other_choices_filters_and_comments():
    other = event({"id": "r1", "model": "m", "choices": [{"index": 1, "delta": {"content": "no"}}]})
    filters = event({"id": "", "model": "", "choices": [], "prompt_filter_results": [{}]})
    assert steps(filters, other, b": processing\n\n", b"event: x\n\n", b"") == [Alive()]
    assert steps(filters, chunk({"content": "x"}))[0] == START


def test_nothing_comes_after_the_finish():
    assert steps(chunk({"content": "x"}, "stop"), chunk({"content": "y"}, "stop"))[-1] == Ended("stop")


KEYS = [
    "choices",
    "delta",
    "content",
    "tool_calls",
    "function",
    "index",
    "id",
    "name",
    "error",
    "usage",
    "thinking_blocks",
]
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=9,
)
DELTAS = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4).map(chunk)


@some.often
@given(st.lists(JSON.map(event) | DELTAS | st.binary(max_size=20), max_size=4))
def test_junk_never_breaks_it(events):
    opened = 0
    for step in steps(*events, DONE):
        opened += isinstance(step, Opened) - isinstance(step, Closed)
        assert opened in (0, 1)


NAMES = ["complete", "tool_calls", "refusal", "reasoning", "usage_on_chunk_with_choices", "usage_twice", "crlf"]


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_stream_says_what_its_reply_in_one_piece_says(name, golden):
    stream = golden(f"openai.chat/{name}.sse")
    streamed, whole = some.fold(steps(*sse.split(stream))), read(OpenAIChat().to_plain(stream))
    assert streamed == replace(whole, service_tier=streamed.service_tier)
    assert streamed.parts


def written(*said, include_usage=False, functions=False) -> list:
    writer = Writer(include_usage=include_usage, functions=functions, created=9)
    stream = b"".join(writer.feed(step) for step in said)
    return [json.loads(data) if (data := sse.data_of(one)) != b"[DONE]" else "DONE" for one in sse.split(stream)]


def deltas(*said, **options) -> list:
    return [one["choices"][0]["delta"] for one in written(Started("r1", "m"), *said, **options)][1:]


def test_chunks_are_those_of_openai_byte_for_byte():
    writer = Writer(include_usage=True, functions=False, created=9)
    head = b'data: {"id":"r1","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":'
    expected = [
        (
            Started("r1", "m"),
            head
            + b'{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}\n\n',
        ),
        (Opened(Text("")), b""),
        (Grown("Hi"), head + b'{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":null}\n\n'),
        (Closed(), b""),
        (Ended("stop_sequence", "X"), head + b'{},"logprobs":null,"finish_reason":"stop"}],"usage":null}\n\n'),
        (Counted(Usage(input=5, output=2)), b""),
        (
            Done(),
            (
                b'data: {"id":"r1","object":"chat.completion.chunk","created":9,"model":"m","choices":[],"usage":{"prompt_tokens":5,'
                b'"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":0},'
                b'"completion_tokens_details":{"reasoning_tokens":0}}}\n\ndata: [DONE]\n\n'
            ),
        ),
    ]
    for step, told in expected:
        assert writer.feed(step) == told


def test_a_client_that_did_not_ask_sees_no_usage():
    said = written(Started("r1", "m", created=3, service_tier="flex"), Ended("stop"), Counted(Usage(input=5)), Done())
    assert ["usage" in one for one in said[:-1]] == [False, False]
    assert said[-1] == "DONE"
    assert (said[0]["created"], said[0]["service_tier"]) == (3, "flex")


def test_without_usage_there_is_no_chunk_of_it():
    assert len(written(Started("r1", "m"), Ended("stop"), Done(), include_usage=True)) == 3


def test_calls_are_numbered():
    said = deltas(
        Opened(ToolCall("c", "f", "")),
        Grown("{}"),
        Closed(),
        Opened(ToolCall("d", "g", '{"a"')),
        Grown(":1}"),
        Closed(),
        Ended("tool_calls"),
    )
    assert [delta.get("tool_calls") for delta in said] == [
        [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}],
        [{"index": 0, "function": {"arguments": "{}"}}],
        [{"index": 1, "id": "d", "type": "function", "function": {"name": "g", "arguments": '{"a"'}}],
        [{"index": 1, "function": {"arguments": ":1}"}}],
        None,
    ]


def test_older_clients_get_the_first_call_as_a_function_call():
    said = written(
        Started("r1", "m"),
        Opened(ToolCall("c", "f", "")),
        Grown("{}"),
        Closed(),
        Opened(ToolCall("d", "g", "")),
        Grown("{}"),
        Ended("tool_calls"),
        functions=True,
    )
    assert [one["choices"][0]["delta"] for one in said[1:]] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
        {},
    ]
    assert said[-1]["choices"][0]["finish_reason"] == "function_call"


def test_thoughts_and_refusals_are_written():
    said = deltas(
        Opened(Reasoning("h")),
        Grown("m"),
        Signed("s"),
        Closed(),
        Opened(Reasoning("", redacted="x")),
        Closed(),
        Opened(Refusal("")),
        Grown("No"),
    )
    assert said == [
        {"reasoning_content": "h"},
        {"reasoning_content": "m"},
        {"thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "hm", "signature": "s"}]},
        {"thinking_blocks": [{"index": 1, "type": "redacted_thinking", "data": "x"}]},
        {"refusal": "No"},
    ]


def test_pings_and_errors():
    writer = Writer(include_usage=False, functions=False, created=9)
    assert writer.feed(Alive()) == b": ping\n\n"
    assert (
        json.loads(writer.feed(Failed(529, "overloaded_error", "busy"))[6:])["error"]["code"] == "server_is_overloaded"
    )


@some.often
@given(some.streams(some.answers(thought=some.signed)))
def test_what_is_written_is_read_again(said):
    writer = Writer(include_usage=True, functions=False, created=9)
    stream = b"".join(writer.feed(step) for step in said)
    before, after = some.fold(said), some.fold(steps(*sse.split(stream)))
    text = "".join(part.text for part in before.parts if isinstance(part, Text))
    thoughts = [part for part in before.parts if isinstance(part, Reasoning)]
    calls = [part for part in before.parts if isinstance(part, ToolCall)]
    parts = (*thoughts, *([Text(text)] if text else []), *calls)
    assert after == replace(before, parts=parts, usage=replace(before.usage, web_searches=0), created=9)
