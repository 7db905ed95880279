"""Providers that differ: how their key goes out, and what is left as the client wrote it."""

import json

import pytest

from farthing.policy import Provider, Quirks

ANSWER = json.dumps({
    "id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes"}}],
}).encode()  # fmt: skip
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
LAST = CHUNK | {
    "choices": [{"index": 0, "delta": {"content": "Yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}
EVENTS = b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(LAST).encode()
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n%b" % (len(EVENTS), EVENTS)
BODY = {"model": "other/m", "messages": [{"role": "user", "content": "Is it?"}]}
CREDENTIALS = ("authorization", "x-api-key", "api-key")


async def gateway(start, saying, answer, **kept):
    provider, url = await saying(answer)
    environ = {"OPENAI_API_KEY": "sk-env", "OTHER_KEY": "sk-other"}
    key = {} if kept.get("auth") == "none" else {"api_key_env": "OTHER_KEY"}
    house = await start(url, providers={"other": Provider(url, **key, **kept)}, environ=environ)
    return house, provider


def credentials(provider):
    """What the provider was sent to know the caller by."""
    ((head, _),) = provider.requests
    pairs = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, _, value in pairs if name.lower() in CREDENTIALS}


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        (None, {"authorization": "Bearer sk-other"}),
        ("bearer", {"authorization": "Bearer sk-other"}),
        ("x-api-key", {"x-api-key": "sk-other"}),
        ("api-key", {"api-key": "sk-other"}),
        ("none", {}),
    ],
)
async def test_the_key_goes_out_as_the_provider_wants_it(start, saying, auth, sent):
    house, provider = await gateway(start, saying, PLAIN, auth=auth)
    assert (await house.ask("POST", "/v1/chat/completions", BODY, authorization=None)).status == 200
    assert credentials(provider) == sent


@pytest.mark.parametrize(("auth", "sent"), [("api-key", {"authorization": "Bearer sk-sim"}), ("none", {})])
async def test_a_client_s_own_key_goes_as_it_came_or_not_at_all(start, saying, auth, sent):
    house, provider = await gateway(start, saying, PLAIN, auth=auth)
    assert (await house.ask("POST", "/v1/chat/completions", BODY)).status == 200
    assert credentials(provider) == sent


async def test_where_a_stream_s_usage_may_not_be_asked_for_not_a_byte_is_added(start, saying):
    house, provider = await gateway(start, saying, STREAM, quirks=Quirks(stream_options=False))
    body = json.dumps(BODY | {"stream": True}).encode()
    reply = await house.ask("POST", "/v1/chat/completions", body)
    assert reply.status == 200
    assert provider.requests[0][1] == body.replace(b'"other/m"', b'"m"')
    (call,) = house.row.calls
    assert (call.usage.input, call.usage.output) == (7, 3), "it is reported all the same"
