"""Replies from one form to the other, for the cache."""

import json

import pytest

from farthing.types import Facts
from farthing.wire import sse
from farthing.wire.routes import wire_for

PATHS = {
    "openai.chat": "/v1/chat/completions",
    "openai.responses": "/v1/responses",
    "anthropic.messages": "/v1/messages",
}
COMPLETE = [
    "openai.chat/complete.sse",
    "openai.chat/crlf.sse",
    "openai.chat/tool_calls.sse",
    "openai.chat/refusal.sse",
    "openai.chat/reasoning.sse",
    "openai.chat/two_choices.sse",
    "openai.chat/logprobs.sse",
    "openai.chat/filter_and_comments.sse",
    "openai.chat/length.sse",
    "openai.chat/no_usage.sse",
    "openai.responses/complete.sse",
    "openai.responses/crlf.sse",
    "openai.responses/incomplete.sse",
    "openai.responses/tool_calls.sse",
    "anthropic.messages/complete.sse",
    "anthropic.messages/crlf.sse",
    "anthropic.messages/cumulative.sse",
    "anthropic.messages/tool_use.sse",
    "anthropic.messages/citations.sse",
    "anthropic.messages/max_tokens.sse",
    "anthropic.messages/refusal.sse",
]
PLAIN = [
    "openai.chat/complete.json",
    "openai.chat/tool_calls.json",
    "openai.chat/refusal.json",
    "openai.chat/reasoning.json",
    "openai.chat/audio.json",
    "openai.responses/complete.json",
    "openai.responses/tool_calls.json",
    "openai.responses/refusal.json",
    "openai.responses/web_search.json",
    "anthropic.messages/complete.json",
    "anthropic.messages/tool_use.json",
    "anthropic.messages/max_tokens.json",
]


def wire_of(name):
    return wire_for("POST", PATHS[name.split("/")[0]])


def tapped(wire, stream, *, include_usage=True):
    tap = wire.tap(Facts(stream=True, include_usage=include_usage))
    tap.feed(stream)
    return tap.outcome(ended=True)


def known(outcome):
    return {name: getattr(outcome, name) for name in outcome.__struct_fields__ if name != "raw_usage"}


@pytest.mark.parametrize("name", COMPLETE)
def test_a_recorded_stream_in_one_piece_says_the_same(name, golden):
    wire, stream = wire_of(name), golden(name)
    plain = wire.to_plain(stream)
    assert known(wire.outcome(plain, 200)) == known(tapped(wire, stream))


@pytest.mark.parametrize("name", PLAIN)
def test_a_reply_rendered_as_a_stream_says_the_same(name, golden):
    wire, plain = wire_of(name), golden(name)
    events = wire.to_stream(plain, include_usage=True)
    assert known(tapped(wire, b"".join(events))) == known(wire.outcome(plain, 200))


@pytest.mark.parametrize("name", PLAIN)
def test_there_and_back_again_nothing_is_lost(name, golden):
    wire, plain = wire_of(name), golden(name)
    again = json.loads(wire.to_plain(b"".join(wire.to_stream(plain, include_usage=True))))
    before = json.loads(plain)
    for choice in before.get("choices", []):
        choice["message"].pop("annotations", None)  # an empty list: there is no delta that says so
    for choice in again.get("choices", []):
        choice["message"].pop("annotations", None)
    if before.get("service_tier", "") is None:
        del before["service_tier"]
    assert again == before


@pytest.mark.parametrize("name", [name for name in PLAIN if "responses" in name])
def test_the_terminal_event_carries_the_very_bytes(name, golden):
    wire, plain = wire_of(name), golden(name)
    compact = json.dumps(json.loads(plain)).encode()
    assert wire.to_plain(b"".join(wire.to_stream(compact, include_usage=False))) == compact


@pytest.mark.parametrize("name", COMPLETE)
def test_hit_replays_valid_sse_split_at_every_byte(name, golden):
    wire = wire_of(name)
    for events in (
        wire.to_stream(wire.to_plain(golden(name)), include_usage=True),
        wire.restream(golden(name), include_usage=True),
    ):
        stream = b"".join(events)
        assert sse.split(stream) == events
        splitter = sse.Events()
        assert [event for at in range(len(stream)) for event in splitter.feed(stream[at : at + 1])] == events
        for event in events:
            data = sse.data_of(event)
            assert data in (None, b"[DONE]") or isinstance(json.loads(data or b""), dict)


def test_replay_keeps_reasoning_and_tool_calls(golden):
    chat = wire_for("POST", PATHS["openai.chat"])
    message = json.loads(chat.to_plain(golden("openai.chat/tool_calls.sse")))["choices"][0]["message"]
    assert message == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {
                "id": "call_DdmO9pD3xa9XTPNJ32zg2hcA",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
            },
            {"id": "call_8F7a", "type": "function", "function": {"name": "get_time", "arguments": '{"zone":"CET"}'}},
        ],
    }
    message = json.loads(chat.to_plain(golden("openai.chat/reasoning.sse")))["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "Four.", "reasoning_content": "2+2 is 4."}
    message = json.loads(wire_for("POST", "/v1/messages").to_plain(golden("anthropic.messages/tool_use.sse")))
    assert message["content"] == [
        {"type": "thinking", "thinking": "I need the weather.", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"},
        {"type": "text", "text": "Let me look."},
        {
            "type": "tool_use",
            "id": "toolu_01T1x1fJ34qAmk2tNTrN7Up6",
            "name": "get_weather",
            "input": {"city": "Paris", "days": 1.5},
        },
    ]
    output = json.loads(wire_for("POST", "/v1/responses").to_plain(golden("openai.responses/tool_calls.sse")))["output"]
    assert [item["type"] for item in output] == ["reasoning", "function_call"]
    assert output[0]["encrypted_content"] == "gAAA"


def test_a_tools_input_keeps_the_providers_bytes(golden):
    plain = wire_for("POST", "/v1/messages").to_plain(golden("anthropic.messages/tool_use.sse"))
    assert b'{"city": "Paris", "days": 1.50}' in plain


def test_citations_survive(golden):
    blocks = json.loads(wire_for("POST", "/v1/messages").to_plain(golden("anthropic.messages/citations.sse")))[
        "content"
    ]
    assert blocks[0]["citations"][0]["cited_text"] == "Köln liegt am Rhein."
    assert blocks[1]["input"] == {"query": "Rhein"}
    assert blocks[2] == {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


def test_several_choices_and_log_probabilities(golden):
    chat = wire_for("POST", PATHS["openai.chat"])
    choices = json.loads(chat.to_plain(golden("openai.chat/two_choices.sse")))["choices"]
    assert [(c["index"], c["message"]["content"], c["finish_reason"]) for c in choices] == [
        (0, "tails", "stop"),
        (1, "heads", "length"),
    ]
    plain = chat.to_plain(golden("openai.chat/logprobs.sse"))
    logprobs = json.loads(plain)["choices"][0]["logprobs"]
    assert [token["token"] for token in logprobs["content"]] == ["Hi", "!"]
    again = chat.to_plain(b"".join(chat.to_stream(plain, include_usage=False)))
    assert json.loads(again)["choices"][0]["logprobs"] == logprobs


def test_fields_that_farthing_does_not_know_survive(golden):
    chat = wire_for("POST", PATHS["openai.chat"])
    plain = golden("openai.chat/reasoning.json")
    again = chat.to_plain(b"".join(chat.to_stream(plain, include_usage=True)))
    assert json.loads(again)["choices"][0]["message"]["provider_field"] == {"a": [1, 2.5]}
    stream = golden("openai.chat/filter_and_comments.sse")
    assert "prompt_filter_results" in json.loads(chat.to_plain(stream))


def test_unknown_deltas_of_a_chat_stream_grow():
    def chunk(delta):
        return sse.render(json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode())

    stream = b"".join(
        map(
            chunk,
            [
                {"audio": {"id": "a1", "transcript": "Hel"}, "details": [{"index": 0, "type": "t", "text": "x"}]},
                {"audio": {"transcript": "lo", "expires_at": 5}, "details": [{"index": 0, "type": "t", "text": "y"}]},
                {"audio": {"expires_at": 6}, "details": [{"text": "no index"}], "score": 1},
                {"score": 2, "tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": "{}"}}]},
                {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}]},
                {"tool_calls": [{"index": 0, "id": "a", "function": {"name": None, "arguments": "}"}}]},
            ],
        )
    )
    message = json.loads(wire_for("POST", PATHS["openai.chat"]).to_plain(stream))["choices"][0]["message"]
    assert message == {
        "role": "assistant",
        "content": None,
        "audio": {"id": "a1", "transcript": "Hello", "expires_at": 6},
        "details": [{"index": 0, "type": "t", "text": "xy"}, {"text": "no index"}],
        "score": 2,
        "tool_calls": [
            {"id": "a", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "function": {"name": "g", "arguments": "{}"}},
        ],
    }


def test_unknown_deltas_of_a_claude_stream_grow():
    events = [
        {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 1, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "new", "words": "a"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "words": "b", "n": 1}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "f", "input": {}}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"cut'}},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {}, "context_management": {"x": 1}},
    ]
    stream = b"".join(sse.render(json.dumps(event).encode(), event["type"]) for event in events)
    message = json.loads(wire_for("POST", "/v1/messages").to_plain(stream))
    assert message == {
        "id": "m",
        "usage": {"input_tokens": 1, "output_tokens": 1},
        "stop_reason": "max_tokens",
        "context_management": {"x": 1},
        "content": [{"type": "new", "words": "ab", "n": 1}, {"type": "tool_use", "name": "f", "input": {}}],
    }


@pytest.mark.parametrize("name", [name for name in COMPLETE if name.startswith("openai.chat")])
def test_usage_is_replayed_to_those_who_asked(name, golden):
    chat, stream = wire_of(name), golden(name)
    assert b"".join(chat.restream(stream, include_usage=True)) == stream
    without = b"".join(chat.restream(stream, include_usage=False))
    assert tapped(chat, without).complete
    live = chat.tap(Facts(stream=True))
    assert live.feed(stream) + live.rest() == without
    plain = chat.to_plain(stream)
    with_usage = chat.to_stream(plain, include_usage=True)
    silent = chat.to_stream(plain, include_usage=False)
    assert b"usage" not in b"".join(silent)
    assert tapped(chat, b"".join(with_usage)).usage == tapped(chat, stream).usage


@pytest.mark.parametrize("name", [name for name in COMPLETE if not name.startswith("openai.chat")])
def test_other_streams_are_replayed_as_they_were(name, golden):
    wire, stream = wire_of(name), golden(name)
    assert b"".join(wire.restream(stream, include_usage=False)) == stream


@pytest.mark.parametrize("name", ["openai.responses/cut_in_the_middle.sse", "openai.responses/error_event.sse"])
def test_a_cut_stream_is_no_whole_response(name, golden):
    with pytest.raises(ValueError, match="no terminal event"):
        wire_of(name).to_plain(golden(name))


def test_a_response_that_has_not_ended_is_no_stream(golden):
    with pytest.raises(ValueError, match="'queued'"):
        wire_for("POST", "/v1/responses").to_stream(golden("openai.responses/queued.json"), include_usage=False)


def test_a_claude_stream_without_a_start_is_no_message():
    with pytest.raises(ValueError, match="message_start"):
        wire_for("POST", "/v1/messages").to_plain(b"event: ping\ndata: {}\n\n")


def test_the_other_kinds_of_calls_are_rendered():
    output = [
        {"id": "1", "type": "mcp_call", "name": "f", "server_label": "s", "arguments": "{}"},
        {"id": "2", "type": "custom_tool_call", "call_id": "c", "name": "g", "input": "free text"},
        {"id": "3", "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"id": "4", "type": "image_generation_call", "status": "completed", "result": "aGk="},
    ]
    plain = json.dumps({"id": "r", "status": "completed", "output": output, "usage": None}).encode()
    events = wire_for("POST", "/v1/responses").to_stream(plain, include_usage=False)
    data = [json.loads(sse.data_of(event) or b"") for event in events]
    assert [(event["type"], event.get("delta")) for event in data if "delta" in event] == [
        ("response.mcp_call_arguments.delta", "{}"),
        ("response.custom_tool_call_input.delta", "free text"),
        ("response.reasoning_text.delta", "hm"),
    ]
    done = [event["item"] for event in data if event["type"] == "response.output_item.done"]
    assert done == output
    opened = [event["item"] for event in data if event["type"] == "response.output_item.added"]
    assert [item.get("arguments", item.get("input")) for item in opened] == ["", "", None, None]


def test_log_probabilities_without_text_stay():
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "logprobs": {"content": []}}
    plain = json.dumps({"id": "c", "choices": [choice | {"finish_reason": "stop"}]}).encode()
    chat = wire_for("POST", PATHS["openai.chat"])
    again = json.loads(chat.to_plain(b"".join(chat.to_stream(plain, include_usage=True))))
    assert again["choices"][0]["logprobs"] == {"content": []}
