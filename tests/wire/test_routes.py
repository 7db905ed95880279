import pytest

from farthing.types import Facts, Outcome, Usage
from farthing.wire.routes import wire_for


@pytest.mark.parametrize(
    ("method", "path", "anthropic", "name", "api", "operation"),
    [
        ("POST", "/v1/chat/completions", False, "openai.chat", "openai", "chat"),
        ("POST", "/v1/chat/completions", True, "openai.chat", "openai", "chat"),
        ("POST", "/v1/responses", False, "openai.responses", "openai", "chat"),
        ("POST", "/v1/embeddings", False, "openai.embeddings", "openai", "embeddings"),
        ("POST", "/v1/messages", False, "anthropic.messages", "anthropic", "chat"),
        ("POST", "/v1/messages/count_tokens", False, "anthropic.count_tokens", "anthropic", "count_tokens"),
        ("POST", "/v1/messages/batches", False, "anthropic.other", "anthropic", "other"),
        ("GET", "/v1/messages/batches/x/results", False, "anthropic.other", "anthropic", "other"),
        ("GET", "/v1/models", False, "openai.models", "openai", "models"),
        ("GET", "/v1/models/gpt-4o", False, "openai.models", "openai", "models"),
        ("GET", "/v1/models", True, "anthropic.models", "anthropic", "models"),
        ("DELETE", "/v1/models/ft:x", False, "openai.other", "openai", "other"),
        ("GET", "/v1/chat/completions", False, "openai.other", "openai", "other"),
        ("GET", "/v1/responses/resp_1", False, "openai.other", "openai", "other"),
        ("POST", "/v1/files", True, "anthropic.other", "anthropic", "other"),
        ("POST", "/v1/audio/speech", False, "openai.other", "openai", "other"),
        ("POST", "/v1/messagesx", False, "openai.other", "openai", "other"),
    ],
)
def test_paths(method, path, anthropic, name, api, operation):
    wire = wire_for(method, path, anthropic=anthropic)
    assert (wire.name, wire.api, wire.operation) == (name, api, operation)


USAGE = b'{"id":"x","model":"m","usage":{"input_tokens":5,"output_tokens":2,"input_token_details":{"audio_tokens":4}}}'


def test_usage_of_other_paths_is_read_where_there_is_any():
    wire = wire_for("POST", "/v1/audio/transcriptions")
    outcome = wire.outcome(USAGE, 200)
    assert outcome.usage == Usage(input=1, input_audio=4, output=2)
    assert (outcome.model, outcome.complete) == ("m", True)
    seconds = wire.outcome(b'{"text":"hi","usage":{"type":"duration","seconds":3}}', 200)
    assert seconds.usage is None
    assert seconds.raw_usage == b'{"type":"duration","seconds":3}'


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/responses/x"), ("POST", "/v1/responses/x/cancel"), ("GET", "/v1/models/m")]
)
def test_looking_at_a_stored_reply_is_not_billed_again(method, path):
    assert wire_for(method, path).outcome(USAGE, 200).usage is None


def test_other_bodies_are_free():
    wire = wire_for("POST", "/v1/completions")
    body = b'{"model":"m","stream":true}'
    assert wire.facts(body) == Facts(model="m", stream=True)
    assert wire.outgoing(body, Facts()) is body
    for odd in (b"", b"--boundary\r\n\xff", b"{broken", b"[]", b'{"model":5,"stream":"x"}'):
        assert wire.facts(odd) == Facts()
        assert wire.outcome(odd, 200).complete is True


def test_an_error_of_another_path():
    wire = wire_for("POST", "/v1/files")
    assert wire.outcome(b'{"error":{"type":"invalid_request_error","code":null}}', 400).error == "invalid_request_error"
    assert wire.outcome(b"<html>", 502) == Outcome(error="http_502")
    assert wire.outcome(b'[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]', 429).error == "RESOURCE_EXHAUSTED"
    assert wire.outcome(b'{"error":"no such model"}', 404).error == "error"


def tapped(path, chunks, *, ended=True):
    tap = wire_for("POST", path).tap(Facts())
    assert all(tap.feed(chunk) is chunk for chunk in chunks)
    assert tap.rest() == b""
    return tap, tap.outcome(ended=ended)


def test_a_stream_of_another_path_reports_its_usage():
    stream = (
        b'data: {"id":"c","model":"m","choices":[{"text":"a"}],"usage":null}\n\n'
        b'data: {"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'
        b"data: [DONE]\n\n"
    )
    tap, outcome = tapped("/v1/completions", [stream[:30], stream[30:]])
    assert outcome == Outcome(
        model="m",
        response_id="c",
        complete=True,
        usage=Usage(input=3, output=1),
        raw_usage=b'{"prompt_tokens":3,"completion_tokens":1}',
    )
    assert tap.recorded() == stream
    assert tapped("/v1/completions", [stream], ended=False)[1].complete is False


def test_usage_inside_an_event_object_is_found():
    event = b'event: x\ndata: {"type":"done","response":{"id":"r","usage":{"input_tokens":3,"output_tokens":1}}}\n\n'
    assert tapped("/v1/responses/compact", [event])[1].usage == Usage(input=3, output=1)


def test_an_error_event_in_another_stream():
    _, outcome = tapped("/v1/completions", [b'data: {"error":{"code":"server_error"}}\n\n'])
    assert (outcome.complete, outcome.error) == (False, "server_error")


def test_files_and_sound_pass_and_are_not_kept_for_ever():
    chunk = b"\xff\xfb" * 2**18
    tap, outcome = tapped("/v1/audio/speech", [chunk, chunk, chunk])
    assert outcome == Outcome(complete=True)
    assert tap.recorded() is None
    assert tap.first_token
    assert tap.text() == ""


def test_a_json_reply_read_by_the_tap():
    assert tapped("/v1/images/generations", [USAGE])[1].usage == Usage(input=1, input_audio=4, output=2)


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/messages/count_tokens", "/v1/files"])
def test_replies_in_one_form_only(path):
    wire = wire_for("POST", path)
    with pytest.raises(ValueError, match="has no stream form"):
        wire.to_stream(b"{}", include_usage=False)
    with pytest.raises(ValueError, match="has no stream form"):
        wire.to_plain(b"")
    assert wire.restream(b"data: 1\n\n", include_usage=True) == [b"data: 1\n\n"]
    assert wire.text(b"{}") == ""


def test_counting_tokens_is_not_usage():
    outcome = wire_for("POST", "/v1/messages/count_tokens").outcome(b'{"input_tokens":14}', 200)
    assert outcome == Outcome(complete=True)
