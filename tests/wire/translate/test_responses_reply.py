import json

import msgspec
import pytest
from hypothesis import given
from tests.wire.translate.responses_strategies import answers, streamed, usages

from farthing.types import Usage
from farthing.wire import sse
from farthing.wire.openai_responses import OpenAIResponses
from farthing.wire.openai_usage import openai_usage
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
from farthing.wire.translate.conversation import Conversation, Message, Reasoning, Refusal, Text, ToolCall
from farthing.wire.translate.responses_object import used
from farthing.wire.translate.responses_reply import Writer, write
from farthing.wire.translate.responses_request import read
from farthing.wire.translate.responses_sealed import sealed

ASKED = b'{"model": "gpt-4o", "input": "hi"}'
HI = Conversation("gpt-4o", (Message("user", (Text("hi"),)),))


def whole(answer, request=ASKED):
    return json.loads(write(answer, HI, request, created=1_700_000_000))


def events(steps, request=ASKED):
    writer = Writer(HI, request, created=1_700_000_000)
    raw = b"".join(writer.feed(step) for step in steps)
    found = [sse.data_of(event) for event in sse.split(raw)]
    assert [sse.name_of(event) for event in sse.split(raw) if sse.data_of(event)] == [
        json.loads(data)["type"] for data in found if data
    ]
    return [json.loads(data) for data in found if data]


def started(model="claude-sonnet-4-5"):
    return Started("msg_01", model)


@given(streamed())
def test_a_stream_ends_with_the_whole_response(case):
    answer, steps = case
    seen = events(steps)
    assert [event["sequence_number"] for event in seen] == list(range(len(seen)))
    assert seen[-1]["response"] == whole(answer)
    assert [event["item"] for event in seen if event["type"] == "response.output_item.done"] == seen[-1]["response"][
        "output"
    ]


@given(streamed())
def test_items_are_built_of_what_was_told(case):
    """What a client gathers from the deltas is what the items say in the end."""
    _, steps = case
    gathered = {}
    for event in events(steps):
        kind = event["type"]
        place = (event.get("output_index"), event.get("content_index"), event.get("summary_index"))
        if kind.endswith(".delta"):
            gathered[place] = gathered.get(place, "") + event["delta"]
        elif kind.endswith((".output_text.done", ".refusal.done", "_text.done", "arguments.done")):
            text = next(event[field] for field in ("text", "refusal", "arguments") if field in event)
            assert gathered.pop(place, "") == text
    assert gathered == {}


@given(streamed())
def test_farthing_reads_its_own_stream(case):
    answer, steps = case
    writer = Writer(HI, ASKED, created=1)
    tap = OpenAIResponses().tap(OpenAIResponses().facts(ASKED))
    for step in steps:
        tap.feed(writer.feed(step))
    outcome = tap.outcome(ended=True)
    assert outcome.complete
    assert outcome.model == answer.model
    assert outcome.usage == answer.usage
    assert outcome.has_tool_calls == any(isinstance(part, ToolCall) for part in answer.parts)


@given(usages)
def test_usage_is_the_inverse_of_how_it_is_read(usage):
    assert openai_usage(used(usage)) == usage


@given(answers)
def test_a_turn_that_is_given_back_is_the_same(answer):
    """The output as the next request's input: texts, calls and what is signed are the assistant's turn again."""
    output = whole(answer)["output"]
    again = read(msgspec.json.encode({"model": "m", "input": [{"role": "user", "content": "hi"}, *output]}))
    turns = [part for message in again.messages[1:] for part in message.parts]
    kept = [part for part in answer.parts if part != Text("") and part != Refusal("")]
    kept = [part for part in kept if not isinstance(part, Reasoning) or sealed(part)]
    assert [part for part in turns if isinstance(part, ToolCall | Reasoning)] == [
        part for part in kept if isinstance(part, ToolCall | Reasoning)
    ]
    for kind in (Text, Refusal):
        assert "".join(part.text for part in turns if isinstance(part, kind)) == "".join(
            part.text for part in kept if isinstance(part, kind)
        )


WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
SAID = {
    "instructions": "Be brief.",
    "tools": [WEATHER],
    "metadata": {"feature": "chat"},
    "temperature": 0.2,
}
UNSAID = {
    "background": False,
    "error": None,
    "incomplete_details": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": False,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def test_a_response_by_hand():
    request = msgspec.json.encode({"model": "gpt-4o", "input": "Weather?", "store": True} | SAID)
    call = ToolCall("toolu_1", "weather", '{"city":"Paris"}')
    answer = Answer(
        "msg_01",
        "claude-sonnet-4-5",
        (Reasoning("A call.", "c2ln"), Text("Let me "), Text("look."), call),
        "tool_calls",
        usage=Usage(input=10, cache_read=100, cache_write_5m=20, output=30, reasoning=12),
        service_tier="standard",
    )
    found = whole(answer, request)
    output, usage = found.pop("output"), found.pop("usage")
    tail = found["id"].removeprefix("resp_")
    assert len(tail) == 48
    head = {"id": f"resp_{tail}", "object": "response", "created_at": 1_700_000_000, "status": "completed"}
    assert found == head | {"model": "claude-sonnet-4-5"} | SAID | UNSAID
    assert output == [
        {
            "id": f"rs_{tail}00",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "A call."}],
            "encrypted_content": sealed(Reasoning("A call.", "c2ln")),
        },
        {
            "id": f"msg_{tail}01",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Let me look.", "annotations": [], "logprobs": []}],
        },
        {"id": f"fc_{tail}02", "type": "function_call", "status": "completed"}
        | {"call_id": "toolu_1", "name": "weather", "arguments": '{"city":"Paris"}'},
    ]
    assert usage == {
        "input_tokens": 130,
        "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 20},
        "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 12},
        "total_tokens": 160,
    }


STREAM = """
created in_progress
output_item.added reasoning_summary_part.added reasoning_summary_text.delta
reasoning_summary_text.done reasoning_summary_part.done output_item.done
output_item.added content_part.added output_text.delta output_text.delta
output_text.done content_part.done output_item.done
output_item.added function_call_arguments.delta function_call_arguments.done output_item.done
incomplete
"""


def test_a_stream_by_hand():
    steps = [
        started(),
        Opened(Reasoning("")),
        Grown("A call."),
        Signed("c2ln"),
        Closed(),
        Alive(),
        Opened(Text("")),
        Grown("Hel"),
        Grown("lo"),
        Closed(),
        Opened(ToolCall("toolu_1", "weather", "")),
        Grown('{"city"'),
        Closed(),
        Ended("length"),
        Counted(Usage(input=3, output=5)),
        Done(),
    ]
    seen = events(steps)
    assert [event["type"].removeprefix("response.") for event in seen] == STREAM.split()
    assert seen[0]["response"]["status"] == seen[1]["response"]["status"] == "in_progress"
    assert seen[0]["response"]["output"] == []
    assert seen[0]["response"]["usage"] is None
    key = seen[8]["item"]["id"]
    assert seen[8]["item"] == {
        "id": key,
        "type": "message",
        "status": "in_progress",
        "content": [],
        "role": "assistant",
    }
    assert seen[10] == {
        "type": "response.output_text.delta",
        "sequence_number": 10,
        "item_id": key,
        "output_index": 1,
        "content_index": 0,
        "delta": "Hel",
        "logprobs": [],
    }
    assert [item.get("status") for item in seen[-1]["response"]["output"]] == [None, "completed", "incomplete"]
    assert seen[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert seen[-1]["response"]["usage"]["total_tokens"] == 8


def test_a_refusal_and_a_filtered_answer():
    seen = events([started(), Opened(Refusal("")), Grown("No."), Closed(), Ended("stop"), Done()])
    assert [event["type"] for event in seen if "refusal" in event["type"]] == [
        "response.refusal.delta",
        "response.refusal.done",
    ]
    assert seen[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]
    filtered = whole(Answer("a", "m", (), "content_filter"))
    assert (filtered["status"], filtered["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})
    assert filtered["output"] == []
    assert filtered["usage"] is None


def test_a_failure_is_told_twice_and_ends_the_stream():
    seen = events([started(), Opened(Text("Hel")), Failed(429, None, "Slow down."), Ended("stop"), Done()])
    assert [event["type"] for event in seen[-2:]] == ["error", "response.failed"]
    assert seen[-2]["error"]["code"] == seen[-2]["code"] == "rate_limit_exceeded"
    assert seen[-1]["response"]["status"] == "failed"
    assert seen[-1]["response"]["error"] == {"code": "rate_limit_exceeded", "message": "Slow down."}
    (only,) = events([Failed(529, "overloaded_error", "Too much.")])
    assert (only["type"], only["code"]) == ("error", "server_is_overloaded")
    assert events([Failed(502, "farthing_cut", "Gone.")])[0]["code"] == "farthing_cut"


def test_a_ping_is_a_comment():
    assert Writer(HI, ASKED, created=1).feed(Alive()) == b": ping\n\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_request_in_many_lines_is_repeated_on_one(newline):
    request = newline.join(
        ['{"model": "m",', '"input": "hi", "tools": [', '{"type": "function", "name": "f"}', "]}"]
    ).encode()
    seen = events([started(), Done()], request)
    assert seen[0]["response"]["tools"] == [{"type": "function", "name": "f"}]


def test_the_provider_s_date_counts_and_a_silent_model_is_the_one_asked_for():
    found = whole(Answer("a", "", (), "stop", created=5))
    assert (found["created_at"], found["model"]) == (5, "gpt-4o")
    assert whole(Answer("a", "", (), "stop"))["id"] == found["id"]
    assert whole(Answer("b", "", (), "stop"))["id"] != found["id"]
