"""Every ending of a reply, as recorded shapes; expected values written by hand."""

import msgspec
import pytest

from farthing.types import Facts, Outcome, Usage
from farthing.wire.base import Tap, Wire
from farthing.wire.openai_chat import OpenAIChat
from farthing.wire.routes import wire_for

PATHS = {
    "openai.chat": "/v1/chat/completions",
    "openai.responses": "/v1/responses",
    "openai.embeddings": "/v1/embeddings",
    "anthropic.messages": "/v1/messages",
}
CHAT_ID = "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG"
MINI, GPT41, SONNET = "gpt-4o-mini-2024-07-18", "gpt-4.1-2025-04-14", "claude-sonnet-4-5-20250929"
WARM = Usage(input=176, cache_read=1024, output=7)
GREETING = "Grüße aus Köln 👋"


def chat(**fields):
    return Outcome(**{"model": MINI, "response_id": CHAT_ID, "service_tier": "default", "complete": True} | fields)


def chat_plain(**fields):
    return chat(**{"response_id": "chatcmpl-1", "finish_reason": "stop", "usage": WARM} | fields)


def response(**fields):
    base = {"model": GPT41, "response_id": "resp_67ccd2bed1ec8190", "service_tier": "default", "complete": True}
    return Outcome(**base | {"finish_reason": "completed"} | fields)


def claude(output=15, **fields):
    usage = Usage(input=25, cache_read=1000, cache_write_5m=100, cache_write_1h=200, output=output)
    base = {"model": SONNET, "response_id": "msg_01XFDUDYJgAACzvnptvVoYEL", "service_tier": "standard"}
    return Outcome(**base | {"complete": True, "finish_reason": "end_turn", "usage": usage} | fields)


def claude_plain(**fields):
    return claude(**{"response_id": "msg_01"} | fields)


STREAMS = {
    "openai.chat/complete.sse": (chat(finish_reason="stop", usage=WARM), GREETING),
    "openai.chat/crlf.sse": (chat(finish_reason="stop", usage=WARM), GREETING),
    "openai.chat/cut_in_the_middle.sse": (chat(complete=False), GREETING),
    "openai.chat/error_event.sse": (chat(complete=False, error="server_error"), GREETING),
    "openai.chat/no_usage.sse": (chat(finish_reason="stop"), GREETING),
    "openai.chat/zero_usage.sse": (chat(finish_reason="stop", usage=Usage()), GREETING),
    "openai.chat/usage_twice.sse": (chat(finish_reason="stop", usage=WARM), GREETING),
    "openai.chat/usage_on_chunk_with_choices.sse": (
        chat(finish_reason="stop", usage=Usage(input=20, output=8)),
        GREETING + "!",
    ),
    "openai.chat/usage_on_every_chunk.sse": (chat(finish_reason="stop", usage=Usage(input=20, output=3)), "ab"),
    "openai.chat/tool_calls.sse": (
        chat(finish_reason="tool_calls", has_tool_calls=True, usage=Usage(input=88, output=41)),
        'get_weather{"city": "Paris"}get_time{"zone":"CET"}',
    ),
    "openai.chat/refusal.sse": (
        chat(finish_reason="stop", usage=Usage(input=31, output=11)),
        "I'm sorry, I can't help with that.",
    ),
    "openai.chat/length.sse": (chat(finish_reason="length", usage=Usage(input=30, output=16)), GREETING),
    "openai.chat/reasoning.sse": (
        chat(
            model="deepseek-reasoner",
            service_tier=None,
            finish_reason="stop",
            usage=Usage(input=64, cache_read=128, output=40, reasoning=33),
        ),
        "2+2 is 4.Four.",
    ),
    "openai.chat/two_choices.sse": (chat(finish_reason="length", usage=Usage(input=9, output=4)), "headstails"),
    "openai.chat/logprobs.sse": (chat(finish_reason="stop", usage=Usage(input=9, output=2)), "Hi!"),
    "openai.chat/filter_and_comments.sse": (
        chat(finish_reason="content_filter", usage=Usage(input=9, output=2)),
        GREETING,
    ),
    "openai.chat/no_done.sse": (chat(complete=False, finish_reason="stop", usage=WARM), GREETING),
    "openai.chat/done_without_blank_line.sse": (chat(finish_reason="stop", usage=WARM), GREETING),
    "openai.responses/complete.sse": (response(usage=WARM), GREETING),
    "openai.responses/crlf.sse": (response(usage=WARM), GREETING),
    "openai.responses/cut_in_the_middle.sse": (response(complete=False, finish_reason=None), "Grüße"),
    "openai.responses/error_event.sse": (
        response(complete=False, finish_reason=None, error="server_error"),
        "Grüße aus Köln",
    ),
    "openai.responses/incomplete.sse": (
        response(finish_reason="max_output_tokens", usage=Usage(input=30, output=16)),
        "Grüße",
    ),
    "openai.responses/failed.sse": (response(finish_reason="failed", error="server_error"), ""),
    "openai.responses/no_usage.sse": (response(), "x"),
    "openai.responses/zero_usage.sse": (response(usage=Usage()), "x"),
    "openai.responses/tool_calls.sse": (
        response(
            has_tool_calls=True,
            usage=Usage(input=24, cache_write_5m=14, cache_write_1h=50, output=141, reasoning=100),
        ),
        'Looked at the map.{"city": "Paris"}',
    ),
    "anthropic.messages/complete.sse": (claude(), GREETING),
    "anthropic.messages/crlf.sse": (claude(), GREETING),
    "anthropic.messages/cumulative.sse": (claude(), "ok"),
    "anthropic.messages/usage_twice.sse": (claude(), "ok"),
    "anthropic.messages/cut_in_the_middle.sse": (
        claude(output=1, complete=False, finish_reason=None, partial_usage=True),
        "Grüße",
    ),
    "anthropic.messages/overloaded.sse": (
        claude(output=1, complete=False, finish_reason=None, partial_usage=True, error="overloaded_error"),
        GREETING,
    ),
    "anthropic.messages/no_usage.sse": (claude(usage=None, service_tier=None), "ok"),
    "anthropic.messages/zero_usage.sse": (claude(usage=Usage(), service_tier=None), "ok"),
    "anthropic.messages/tool_use.sse": (
        claude(
            finish_reason="tool_use",
            has_tool_calls=True,
            usage=Usage(input=25, cache_read=1000, cache_write_5m=100, cache_write_1h=200, output=89, reasoning=20),
        ),
        'I need the weather.Let me look.get_weather{"city": "Paris", "days": 1.50}',
    ),
    "anthropic.messages/max_tokens.sse": (claude(output=4, finish_reason="max_tokens"), "Grüße"),
    "anthropic.messages/refusal.sse": (claude(output=3, finish_reason="refusal"), ""),
    "anthropic.messages/citations.sse": (
        claude(
            has_tool_calls=True,
            usage=Usage(input=25, cache_read=1000, cache_write_5m=100, cache_write_1h=200, output=30, web_searches=1),
        ),
        'Am Rhein.web_search{"query":"Rhein"}',
    ),
}

PLAIN = {
    "openai.chat/complete.json": chat_plain(),
    "openai.chat/tool_calls.json": chat_plain(finish_reason="tool_calls", has_tool_calls=True),
    "openai.chat/refusal.json": chat_plain(),
    "openai.chat/reasoning.json": chat_plain(usage=Usage(input=64, cache_read=128, output=40, reasoning=33)),
    "openai.chat/length.json": chat_plain(finish_reason="length"),
    "openai.chat/no_usage.json": chat_plain(usage=None),
    "openai.chat/zero_usage.json": chat_plain(usage=Usage()),
    "openai.chat/thoughts.json": chat_plain(
        model="gemini-3-pro", service_tier=None, usage=Usage(input=11, output=105, reasoning=100)
    ),
    "openai.chat/cache_write.json": chat_plain(
        model="gpt-5.6-sol", usage=Usage(input=76, cache_read=1024, cache_write_5m=1900, output=5)
    ),
    "openai.chat/audio.json": chat_plain(
        model="gpt-4o-audio-preview-2024-12-17",
        usage=Usage(cache_read=20, cache_read_audio=30, input_audio=50, output=15, output_audio=45),
    ),
    "openai.chat/rate_limited.429.json": Outcome(error="insufficient_quota"),
    "openai.responses/complete.json": response(usage=WARM),
    "openai.responses/tool_calls.json": STREAMS["openai.responses/tool_calls.sse"][0],
    "openai.responses/refusal.json": response(usage=Usage(input=31, output=11)),
    "openai.responses/web_search.json": response(
        has_tool_calls=True, usage=Usage(input=300, output=20, web_searches=1)
    ),
    "openai.responses/queued.json": response(complete=False, finish_reason=None),
    "openai.embeddings/complete.json": Outcome(model="text-embedding-3-small", complete=True, usage=Usage(input=8)),
    "openai.embeddings/zero_usage.json": Outcome(model="text-embedding-3-small", complete=True, usage=Usage()),
    "openai.embeddings/no_usage.json": Outcome(model="nomic-embed-text", complete=True),
    "anthropic.messages/complete.json": claude_plain(),
    "anthropic.messages/tool_use.json": claude_plain(finish_reason="tool_use", has_tool_calls=True),
    "anthropic.messages/write_without_split.json": claude_plain(
        usage=Usage(input=25, cache_write_5m=300, output=15), service_tier=None
    ),
    "anthropic.messages/max_tokens.json": claude_plain(finish_reason="max_tokens"),
    "anthropic.messages/overloaded.529.json": Outcome(error="overloaded_error"),
}


def wire_of(name: str) -> Wire:
    return wire_for("POST", PATHS[name.split("/", maxsplit=1)[0]])


def run(tap: Tap, chunks: list[bytes]) -> tuple[bytes, Outcome, str, bytes | None]:
    passed = b"".join(tap.feed(chunk) for chunk in chunks)
    outcome = tap.outcome(ended=True)
    return passed + tap.rest(), outcome, tap.text(), tap.recorded()


def without_raw(outcome: Outcome) -> Outcome:
    return msgspec.structs.replace(outcome, raw_usage=None)


def test_every_recorded_reply_is_tested(request):
    folder = request.path.parent.parent / "golden"
    recorded = {f"{path.parent.name}/{path.name}" for path in folder.glob("*/*.*")}
    assert recorded == {*STREAMS, *PLAIN}


@pytest.mark.parametrize("name", STREAMS)
def test_stream_ending(name, golden):
    expected, text = STREAMS[name]
    stream = golden(name)
    _, outcome, said, recorded = run(wire_of(name).tap(Facts(stream=True)), [stream])
    assert without_raw(outcome) == expected
    assert said == text
    assert recorded == stream


@pytest.mark.parametrize("name", STREAMS)
def test_stream_split_at_every_byte(name, golden):
    stream = golden(name)
    wire, facts = wire_of(name), Facts(stream=True)
    whole = run(wire.tap(facts), [stream])
    assert run(wire.tap(facts), [stream[at : at + 1] for at in range(len(stream))]) == whole
    for at in range(0, len(stream), 7):
        assert run(wire.tap(facts), [stream[:at], stream[at:]]) == whole


@pytest.mark.parametrize("name", PLAIN)
def test_plain_ending(name, golden):
    status = int(name.split(".")[-2]) if name.split(".")[-2].isdigit() else 200
    assert without_raw(wire_of(name).outcome(golden(name), status)) == PLAIN[name]


@pytest.mark.parametrize("name", [name for name in STREAMS if not name.startswith("openai.chat")])
def test_body_is_byte_identical_without_levers(name, golden):
    stream = golden(name)
    tap = wire_of(name).tap(Facts(stream=True))
    chunks = [stream[at : at + 100] for at in range(0, len(stream), 100)]
    assert all(tap.feed(chunk) is chunk for chunk in chunks)
    assert tap.rest() == b""


@pytest.mark.parametrize("name", [name for name in STREAMS if name.startswith("openai.chat")])
def test_chat_stream_is_byte_identical_for_a_client_that_asked_for_usage(name, golden):
    stream = golden(name)
    tap = OpenAIChat().tap(Facts(stream=True, include_usage=True))
    chunks = [stream[at : at + 100] for at in range(0, len(stream), 100)]
    assert all(tap.feed(chunk) is chunk for chunk in chunks)
    assert tap.rest() == b""


@pytest.mark.parametrize("name", STREAMS)
def test_first_token_is_content_not_ceremony(name, golden):
    expected_text = STREAMS[name][1]
    tap = wire_of(name).tap(Facts(stream=True))
    tap.feed(golden(name))
    assert tap.first_token is bool(expected_text)


TEXTS = {
    "openai.chat/complete.json": GREETING,
    "openai.chat/tool_calls.json": 'get_weather {"city": "Paris"}',
    "openai.chat/refusal.json": "I can't help with that.",
    "openai.chat/reasoning.json": "2+2 is 4.Four.",
    "openai.chat/audio.json": "Hello",
    "openai.chat/rate_limited.429.json": "",
    "openai.responses/complete.json": GREETING,
    "openai.responses/tool_calls.json": 'Looked at the map.get_weather {"city": "Paris"}',
    "openai.embeddings/complete.json": "",
    "anthropic.messages/complete.json": GREETING,
    "anthropic.messages/tool_use.json": 'I need the weather.Am Rhein.get_weather {"city":"Paris","days":1.5}',
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_a_plain_reply(name, golden):
    assert wire_of(name).text(golden(name)) == TEXTS[name]


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("body", [b"", b"{broken", b"[1]", b"5", b"\xff"])
def test_a_reply_that_is_not_understood_is_left_unknown(name, body):
    outcome = wire_of(name).outcome(body, 200)
    assert (outcome.usage, outcome.model, outcome.error) == (None, None, None)
    assert wire_of(name).text(body) == ""
    assert wire_of(name).outcome(body, 500) == Outcome(error="http_500")
