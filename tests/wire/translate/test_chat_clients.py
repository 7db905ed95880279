"""The official client reads what is written for it: whole, streamed, parsed."""

import json

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from farthing.types import Usage
from farthing.wire.translate.answer import Answer, Ended, Failed, Opened, Started
from farthing.wire.translate.chat_reply import Writer, write
from farthing.wire.translate.chat_request import read
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall, ToolResult

from . import strategies as some

ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CALLS = (ToolCall("toolu_1", "weather", '{"city":"Köln"}'), ToolCall("toolu_2", "weather", '{"city":"Oslo"}'))
USAGE = Usage(input=10, cache_read=100, cache_write_5m=5, cache_write_1h=7, output=30, reasoning=12)


class City(BaseModel):
    name: str
    people: int


def answer(*parts, finish="stop"):
    return Answer("msg_01", "claude-sonnet-4-5", parts, finish, usage=USAGE)


def stream_of(said, *, include_usage=True, functions=False) -> bytes:
    writer = Writer(include_usage=include_usage, functions=functions, created=9)
    return b"".join(writer.feed(step) for step in some.steps_of(said, (1, 4)))


def asking(body: bytes, seen: list | None = None):
    kind = "text/event-stream" if body.startswith((b"data:", b":")) else "application/json"

    def reply(request):
        if seen is not None:
            seen.append(json.loads(request.content))
        return httpx2.Response(200, headers={"content-type": kind}, content=body)

    client = httpx2.Client(transport=httpx2.MockTransport(reply))
    return openai.OpenAI(api_key="x", base_url="http://test/v1", max_retries=0, http_client=client)


def whole(said) -> ChatCompletion:
    with asking(write(said, created=9)) as client:
        return client.chat.completions.create(**ASK)


def streamed(said) -> ChatCompletion:
    with asking(stream_of(said)) as client, client.chat.completions.stream(**ASK, tools=[WEATHER]) as stream:
        return stream.get_final_completion()


@pytest.mark.parametrize("get", [whole, streamed])
def test_text(get):
    reply = get(answer(Text("Grüße "), Text("aus Köln 👋"), finish="length" if get is whole else "stop"))
    assert reply.choices[0].message.content == "Grüße aus Köln 👋"
    assert reply.choices[0].finish_reason == ("length" if get is whole else "stop")
    assert (reply.id, reply.model, reply.created) == ("msg_01", "claude-sonnet-4-5", 9)
    used = reply.usage
    assert (used.prompt_tokens, used.completion_tokens, used.total_tokens) == (122, 30, 152)
    assert used.prompt_tokens_details.cached_tokens == 100
    assert used.prompt_tokens_details.cache_write_tokens == 12
    assert used.completion_tokens_details.reasoning_tokens == 12


@pytest.mark.parametrize("get", [whole, streamed])
def test_parallel_calls(get):
    choice = get(answer(Text("Let me see."), *CALLS, finish="tool_calls")).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me see."
    assert [
        (call.id, call.type, call.function.name, call.function.arguments) for call in choice.message.tool_calls
    ] == [(call.id, "function", call.name, call.arguments) for call in CALLS]


@pytest.mark.parametrize("get", [whole, streamed])
def test_thoughts(get):
    thoughts = (Reasoning("hm", "sig"), Reasoning("", redacted="xyz"), Reasoning("aha", "sig2"))
    message = get(answer(*thoughts, Text("5"))).choices[0].message
    assert message.reasoning_content == "hmaha"
    assert message.content == "5"
    again = read(json.dumps(ASK | {"messages": [message.model_dump(exclude_none=True)]}).encode())
    assert again.messages[0].parts == (*thoughts, Text("5"))
    assert again.needs == {"signed_thinking"}


@pytest.mark.parametrize("get", [whole, streamed])
def test_refusals(get):
    message = get(answer(Refusal("I can't."))).choices[0].message
    assert message.refusal == "I can't."
    assert not message.content


def test_parsed_answers():
    with asking(write(answer(Text('{"name": "Köln", "people": 1}')))) as client:
        parsed = client.chat.completions.parse(**ASK, response_format=City).choices[0].message.parsed
    assert parsed == City(name="Köln", people=1)
    body = stream_of(answer(Text('{"name": "Oslo", "people": 2}')))
    with asking(body) as client, client.chat.completions.stream(**ASK, response_format=City) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed == City(name="Oslo", people=2)
    with asking(write(answer(*CALLS, finish="tool_calls"))) as client:
        calls = client.chat.completions.parse(**ASK, tools=[WEATHER]).choices[0].message.tool_calls
    assert [call.function.parsed_arguments for call in calls] == [{"city": "Köln"}, {"city": "Oslo"}]


def test_events_of_the_stream_helper():
    body = stream_of(answer(Text("Hi"), *CALLS, finish="tool_calls"))
    with asking(body) as client, client.chat.completions.stream(**ASK, tools=[WEATHER]) as stream:
        events = list(stream)
    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    assert [(event.index, event.parsed_arguments) for event in done] == [(0, {"city": "Köln"}), (1, {"city": "Oslo"})]
    assert "".join(event.delta for event in events if event.type == "content.delta") == "Hi"


def test_every_chunk_is_valid():
    body = stream_of(answer(Reasoning("hm", "s"), Text("Hi"), Refusal("No"), *CALLS, finish="tool_calls"))
    events = [event[6:] for event in body.split(b"\n\n") if event]
    assert events[-1] == b"[DONE]"
    chunks = [ChatCompletionChunk.model_validate_json(event, strict=True) for event in events[:-1]]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 152
    assert ChatCompletion.model_validate_json(write(answer(Text("x"), *CALLS)), strict=True)


def test_a_client_that_did_not_ask_for_usage_sees_a_choice_in_every_chunk():
    with asking(stream_of(answer(Text("Hi")), include_usage=False)) as client:
        chunks = list(client.chat.completions.create(**ASK, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hi"


def test_older_functions():
    called = answer(CALLS[0], finish="tool_calls")
    with asking(write(called, functions=True)) as client:
        message = client.chat.completions.create(**ASK).choices[0].message
    assert (message.function_call.name, message.function_call.arguments) == ("weather", '{"city":"Köln"}')
    with asking(stream_of(called, functions=True)) as client:
        chunks = [chunk.choices[0] for chunk in client.chat.completions.create(**ASK, stream=True) if chunk.choices]
    assert "".join(one.delta.function_call.arguments for one in chunks if one.delta.function_call) == '{"city":"Köln"}'
    assert chunks[-1].finish_reason == "function_call"


def test_an_error_inside_a_stream_is_raised():
    writer = Writer(include_usage=False, functions=False, created=9)
    steps = [Started("r", "m"), Opened(Text("Hi")), Failed(529, "overloaded_error", "busy")]
    with asking(b"".join(map(writer.feed, steps))) as client, pytest.raises(openai.APIError, match="busy") as caught:
        list(client.chat.completions.create(**ASK, stream=True))
    assert caught.value.code == "server_is_overloaded"


def test_what_the_client_sends_back_after_a_call_is_read():
    seen = []
    message = whole(answer(*CALLS, finish="tool_calls")).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "mild"} for call in message.tool_calls]
    with asking(write(answer(Text("Mild."))), seen) as client:
        client.chat.completions.create(model="m", messages=[*ASK["messages"], message, *results], tools=[WEATHER])
    asked = read(json.dumps(seen[0]).encode())
    assert asked.messages[1].parts == CALLS
    assert asked.messages[2].parts == tuple(ToolResult(call.id, (Text("mild"),)) for call in CALLS)
    assert asked.dropped == ()


def test_a_reply_without_anything():
    assert whole(Answer("r", "m", (), None)).choices[0].message.content is None
    writer = Writer(include_usage=True, functions=False, created=9)
    with asking(b"".join(map(writer.feed, [Started("r", "m"), Ended("stop")]))) as client:
        assert len(list(client.chat.completions.create(**ASK, stream=True))) == 2
