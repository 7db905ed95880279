"""The official clients read what farthing renders, and raise on farthing's errors."""

import json

import anthropic
import httpx2
import openai
import pytest

from farthing.wire.anthropic_messages import AnthropicMessages
from farthing.wire.errors import error_body, error_event
from farthing.wire.openai_chat import OpenAIChat
from farthing.wire.openai_embeddings import OpenAIEmbeddings
from farthing.wire.openai_responses import OpenAIResponses

ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


def answering(body, status=200):
    kind = "text/event-stream" if body.startswith((b"data:", b"event:")) else "application/json"
    chunks = [body[at : at + 11] for at in range(0, len(body), 11)]

    def reply(_request):
        return httpx2.Response(status, headers={"content-type": kind}, content=iter(chunks))

    return httpx2.Client(transport=httpx2.MockTransport(reply))


def openai_client(body, status=200):
    return openai.OpenAI(api_key="sk-x", base_url="http://test/v1", max_retries=0, http_client=answering(body, status))


def anthropic_client(body, status=200):
    return anthropic.Anthropic(api_key="x", base_url="http://test", max_retries=0, http_client=answering(body, status))


@pytest.mark.parametrize("name", ["complete", "tool_calls", "refusal", "reasoning"])
@pytest.mark.parametrize("stored", ["sse", "json"])
def test_openai_chat(name, stored, golden):
    wire, recorded = OpenAIChat(), golden(f"openai.chat/{name}.{stored}")
    plain = wire.to_plain(recorded) if stored == "sse" else recorded
    events = wire.to_stream(plain, include_usage=True)
    with openai_client(plain) as client:
        whole = client.chat.completions.create(**ASK)
    with openai_client(b"".join(events)) as client, client.chat.completions.stream(**ASK, tools=TOOLS) as stream:
        streamed = stream.get_final_completion()
    message, again = whole.choices[0].message, streamed.choices[0].message
    assert (again.content or None) == (message.content or None)
    assert again.refusal == message.refusal
    assert getattr(again, "reasoning_content", None) == getattr(message, "reasoning_content", None)
    calls = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or []]
    assert [(call.id, call.function.name, call.function.arguments) for call in again.tool_calls or []] == calls
    assert streamed.choices[0].finish_reason == whole.choices[0].finish_reason
    assert streamed.usage == whole.usage


def test_openai_chat_without_usage_never_shows_a_chunk_without_choices(golden):
    for events in (
        OpenAIChat().to_stream(golden("openai.chat/complete.json"), include_usage=False),
        OpenAIChat().restream(golden("openai.chat/complete.sse"), include_usage=False),
    ):
        with openai_client(b"".join(events)) as client:
            chunks = list(client.chat.completions.create(**ASK, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Grüße aus Köln 👋"
        assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("name", ["complete", "tool_calls", "refusal", "web_search"])
def test_openai_responses(name, golden):
    plain = golden(f"openai.responses/{name}.json")
    events = OpenAIResponses().to_stream(plain, include_usage=False)
    with openai_client(plain) as client:
        whole = client.responses.create(model="m", input="hi")
    with openai_client(b"".join(events)) as client:
        seen = list(client.responses.create(model="m", input="hi", stream=True))
    assert [event.sequence_number for event in seen] == list(range(len(events)))
    assert seen[0].type == "response.created"
    assert seen[-1].type == "response.completed"
    with openai_client(b"".join(events)) as client, client.responses.stream(model="m", input="hi") as stream:
        final = stream.get_final_response()
    assert final.output_text == whole.output_text
    assert final.usage == whole.usage
    assert [item.type for item in final.output] == [item.type for item in whole.output]
    text = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    assert text == whole.output_text


@pytest.mark.parametrize("name", ["complete", "tool_use"])
@pytest.mark.parametrize("stored", ["sse", "json"])
def test_anthropic_messages(name, stored, golden):
    wire, recorded = AnthropicMessages(), golden(f"anthropic.messages/{name}.{stored}")
    plain = wire.to_plain(recorded) if stored == "sse" else recorded
    events = wire.to_stream(plain, include_usage=False)
    with anthropic_client(plain) as client:
        whole = client.messages.create(**ASK, max_tokens=9)
    with anthropic_client(b"".join(events)) as client, client.messages.stream(**ASK, max_tokens=9) as stream:
        streamed = stream.get_final_message()
    assert json.loads(streamed.model_dump_json(exclude={"content": {"__all__": {"parsed_output"}}})) == json.loads(
        whole.model_dump_json(exclude={"content": {"__all__": {"parsed_output"}}})
    )


def test_openai_embeddings(golden):
    with openai_client(golden("openai.embeddings/complete.json")) as client:
        assert client.embeddings.create(model="m", input="x", encoding_format="float").usage.total_tokens == 8
    assert OpenAIEmbeddings().outcome(golden("openai.embeddings/complete.json"), 200).complete


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (502, openai.InternalServerError),
    ],
)
def test_openai_client_raises_what_it_should(status, error):
    body = error_body("openai", status, "farthing_x", "why")
    with openai_client(body, status) as client, pytest.raises(error, match="why") as caught:
        client.chat.completions.create(**ASK)
    assert caught.value.code == "farthing_x"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (502, anthropic.InternalServerError),
    ],
)
def test_anthropic_client_raises_what_it_should(status, error):
    body = error_body("anthropic", status, "farthing_x", "why")
    with anthropic_client(body, status) as client, pytest.raises(error, match="why") as caught:
        client.messages.create(**ASK, max_tokens=9)
    assert caught.value.body["error"]["code"] == "farthing_x"


def test_clients_raise_on_an_error_inside_a_stream(golden):
    broken = golden("openai.chat/no_done.sse") + error_event("openai", "farthing_cut", "broke off")
    with openai_client(broken) as client, pytest.raises(openai.APIError, match="broke off"):
        list(client.chat.completions.create(**ASK, stream=True))
    broken = golden("openai.responses/cut_in_the_middle.sse").rpartition(b"event:")[0]
    broken += error_event("openai", "farthing_cut", "broke off")
    with openai_client(broken) as client, pytest.raises(openai.APIError, match="broke off"):
        list(client.responses.create(model="m", input="x", stream=True))
    broken = golden("anthropic.messages/cut_in_the_middle.sse").rpartition(b"event:")[0]
    broken += error_event("anthropic", "farthing_cut", "broke off")
    with anthropic_client(broken) as client, pytest.raises(anthropic.APIStatusError, match="broke off"):
        list(client.messages.create(**ASK, max_tokens=9, stream=True))
