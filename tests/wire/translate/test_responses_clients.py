"""The official client reads what is written for it: whole, streamed, parsed, call after call."""

import json

import httpx2
import openai
import pytest
from pydantic import BaseModel

from farthing.types import Usage
from farthing.wire.translate.answer import Answer, Closed, Counted, Done, Ended, Failed, Grown, Opened, Signed, Started
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall, ToolResult
from farthing.wire.translate.responses_reply import Writer, write
from farthing.wire.translate.responses_request import read

MODEL = "claude-sonnet-4-5"
TOOLS = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]
USAGE = Usage(input=10, cache_read=100, cache_write_1h=7, output=30, reasoning=12)


class City(BaseModel):
    name: str
    people: int


def steps(answer):
    yield Started("msg_01", answer.model)
    for part in answer.parts:
        match part:
            case ToolCall():
                yield Opened(ToolCall(part.id, part.name, ""))
                yield Grown(part.arguments)
            case Reasoning():
                yield Opened(Reasoning(""))
                yield Grown(part.text)
                yield Signed(part.signature)
            case _:
                yield Opened(type(part)(""))
                yield from map(Grown, part.text)
        yield Closed()
    yield Ended(answer.finish)
    yield Counted(answer.usage)
    yield Done()


class Farthing:
    """Answers as the gateway would: reads the client's request, and writes the next answer for it."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.seen = []

    def __call__(self, request):
        body, answer = request.content, self.answers.pop(0)
        said = read(body)
        self.seen.append(said)
        if not said.stream:
            return httpx2.Response(200, content=write(answer, said, body, created=9), headers=JSON)
        writer = Writer(said, body, created=9)
        told = [writer.feed(step) for step in (answer if isinstance(answer, list) else steps(answer))]
        return httpx2.Response(200, content=b"".join(told), headers={"content-type": "text/event-stream"})

    def client(self):
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        return openai.OpenAI(api_key="sk-x", base_url="http://test/v1", max_retries=0, http_client=http)


JSON = {"content-type": "application/json"}


def answer(*parts, finish="stop"):
    return Answer("msg_01", MODEL, parts, finish, usage=USAGE)


def test_whole():
    with Farthing(answer(Text("Hello."))).client() as client:
        found = client.responses.create(model="gpt-4o", input="hi", instructions="Be brief.", tools=TOOLS)
    assert (found.output_text, found.status, found.model) == ("Hello.", "completed", MODEL)
    assert (found.instructions, found.tools[0].name, found.tool_choice) == ("Be brief.", "weather", "auto")
    assert found.usage.input_tokens == 117
    assert found.usage.input_tokens_details.cached_tokens == 100
    assert found.usage.input_tokens_details.cache_write_tokens_details.ttl_12h_tokens == 7
    assert found.usage.output_tokens_details.reasoning_tokens == 12


@pytest.mark.parametrize("parts", [(Text("Hello."),), (Refusal("No."),), (Reasoning("Hm.", "c2ln"), Text("Yes."))])
def test_streamed_is_whole(parts):
    said = answer(*parts)
    farthing = Farthing(said, said, said)
    with farthing.client() as client:
        whole = client.responses.create(model="gpt-4o", input="hi")
        seen = list(client.responses.create(model="gpt-4o", input="hi", stream=True))
        with client.responses.stream(model="gpt-4o", input="hi") as stream:
            final = stream.get_final_response()
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert seen[-1].response == whole
    assert final.output_text == whole.output_text
    assert final.usage == whole.usage
    assert [item.to_dict() for item in final.output] == [
        item.to_dict()
        | {
            "content": [
                part.to_dict() | ({"parsed": None} if part.type == "output_text" else {}) for part in item.content
            ]
        }
        if item.type == "message"
        else item.to_dict()
        for item in whole.output
    ]


def test_parsed():
    said = answer(Text('{"name": "Ulm", "people": 128000}'))
    farthing = Farthing(said, said)
    with farthing.client() as client:
        found = client.responses.parse(model="gpt-4o", input="hi", text_format=City)
        with client.responses.stream(model="gpt-4o", input="hi", text_format=City) as stream:
            streamed = stream.get_final_response()
    assert found.output_parsed == streamed.output_parsed == City(name="Ulm", people=128000)
    assert json.loads(bytes(farthing.seen[0].format.schema))["properties"].keys() == {"name", "people"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_with_thinking_and_two_calls_at_once(stream):
    thought = Reasoning("I need both.", "c2ln")
    calls = (ToolCall("toolu_1", "weather", '{"city":"Ulm"}'), ToolCall("toolu_2", "weather", '{"city":"Bonn"}'))
    farthing = Farthing(answer(thought, *calls, finish="tool_calls"), answer(Text("Sun and rain.")))
    history = [{"role": "user", "content": "Weather in Ulm and Bonn?"}]

    def ask(client):
        if not stream:
            return client.responses.create(model="gpt-4o", input=history, tools=TOOLS)
        return list(client.responses.create(model="gpt-4o", input=history, tools=TOOLS, stream=True))[-1].response

    with farthing.client() as client:
        first = ask(client)
        history += first.output
        history += [
            {"type": "function_call_output", "call_id": item.call_id, "output": json.loads(item.arguments)["city"]}
            for item in first.output
            if item.type == "function_call"
        ]
        assert ask(client).output_text == "Sun and rain."
    said = farthing.seen[1]
    assert said.messages[1].parts == (thought, *calls)
    assert said.messages[2].parts == (ToolResult("toolu_1", (Text("Ulm"),)), ToolResult("toolu_2", (Text("Bonn"),)))
    assert said.needs == {"tools", "signed_thinking"}


def test_a_cut_answer():
    with Farthing(answer(Text("Hel"), finish="length")).client() as client:
        *_, last = client.responses.create(model="gpt-4o", input="hi", stream=True)
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details.reason == "max_output_tokens"
    assert last.response.output[0].status == "incomplete"


def test_the_client_raises_where_the_stream_fails():
    broken = [Started("msg_01", MODEL), Opened(Text("Hel")), Failed(529, "overloaded_error", "Too much.")]
    with (
        Farthing(broken).client() as client,
        pytest.raises(openai.APIError, match="Too much"),
    ):
        list(client.responses.create(model="gpt-4o", input="hi", stream=True))
