"""Reading requests, and what is sent instead of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import BadRequest
from farthing.types import Facts
from farthing.wire.openai_chat import OpenAIChat
from farthing.wire.routes import wire_for

CHAT = OpenAIChat()
PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/messages", "/v1/messages/count_tokens"]
SMALL = {
    "/v1/chat/completions": {"model": "m", "messages": []},
    "/v1/responses": {"model": "m", "input": "hi"},
    "/v1/embeddings": {"model": "m", "input": "hi"},
    "/v1/messages": {"model": "m", "max_tokens": 5, "messages": []},
    "/v1/messages/count_tokens": {"model": "m", "messages": []},
}


def encoded(**fields):
    return json.dumps({"model": "m", "messages": []} | fields).encode()


def refusal(path, body):
    with pytest.raises(BadRequest) as caught:
        wire_for("POST", path).facts(body)
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


def test_facts_of_a_chat_request():
    body = encoded(
        stream=True,
        stream_options={"include_usage": True},
        safety_identifier="",
        user="u1",
        metadata={"user_id": "u2", "feature": "search"},
        max_tokens=5,
        max_completion_tokens=7,
        service_tier="flex",
    )
    assert CHAT.facts(body) == Facts("m", True, True, "u1", "search", 7, "flex")


def test_facts_of_the_other_wires():
    responses = {"model": "m", "input": "x", "stream": True, "metadata": {"user_id": "u"}, "max_output_tokens": 9}
    assert wire_for("POST", "/v1/responses").facts(json.dumps(responses).encode()) == Facts(
        "m", True, user="u", max_output=9
    )
    messages = {"model": "c", "messages": [], "max_tokens": 9, "metadata": {"user_id": "u"}, "service_tier": "auto"}
    assert wire_for("POST", "/v1/messages").facts(json.dumps(messages).encode()) == Facts(
        "c", user="u", max_output=9, service_tier="auto"
    )
    assert wire_for("POST", "/v1/embeddings").facts(b'{"model":"e","input":"x","user":"u"}') == Facts("e", user="u")
    assert wire_for("POST", "/v1/messages/count_tokens").facts(b'{"model":"c"}') == Facts("c")


def test_a_stored_prompt_may_stand_in_for_the_model():
    wire = wire_for("POST", "/v1/responses")
    assert wire.facts(b'{"prompt":{"id":"pmpt_1"}}').model is None
    assert refusal("/v1/responses", b'{"input":"x"}')[0] == "farthing_invalid_field"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b'{"model":"m",\n  "messages": [}', "at byte 29 (line 2, column 16)"),
        (b'{"model":"m"', "at byte 12 (line 1, column 13)"),
        (b'{"model":NaN}', "not valid JSON"),
        (b"\xef\xbb\xbf{}", "at byte 0"),
        (b'{"model":"\\ud83d\\udc4b",}', "at byte 24"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "nested too deeply"),
    ],
)
def test_invalid_json_names_the_place(path, body, says):
    code, message = refusal(path, body)
    assert code == "farthing_invalid_json"
    assert says in message


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[]", "has to be a JSON object, but it is of type array"),
        (b'"x"', "has to be a JSON object, but it is of type str"),
        (b"{}", "'model' is missing: it has to be a string such as"),
        (b'{"model":5,"messages":[]}', "'model' has to be a string such as"),
    ],
)
def test_an_invalid_field_is_named(path, body, says):
    code, message = refusal(path, body)
    assert code == "farthing_invalid_field"
    assert says in message


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/v1/chat/completions", b'{"model":"m"}', "'messages' is missing: it has to be an array of messages"),
        ("/v1/messages", b'{"model":"m"}', "'messages' is missing: it has to be an array of messages"),
        ("/v1/chat/completions", b'{"model":"m","messages":null}', "'messages' has to be an array"),
        ("/v1/messages", b'{"model":"m","messages":"hi"}', "'messages' has to be an array"),
        ("/v1/messages", encoded(stream="yes"), "'stream' has to be true or false, but it is of type str"),
        ("/v1/messages", b'{"model":"m","messages":[],"user":1e999}', "not what this API takes: Number out of range"),
        ("/v1/responses", encoded(stream=1), "'stream' has to be true or false, but it is of type int"),
    ],
)
def test_what_farthing_reads_is_checked(path, body, says):
    code, message = refusal(path, body)
    assert code == "farthing_invalid_field"
    assert says in message


@pytest.mark.parametrize("path", PATHS)
def test_what_farthing_does_not_need_is_the_providers_to_judge(path):
    odd = {"user": 5, "metadata": [], "max_tokens": "many", "stream_options": 3, "service_tier": {}, "unknown": [{}]}
    facts = wire_for("POST", path).facts(json.dumps(SMALL[path] | odd).encode())
    assert facts == Facts(model="m")


@pytest.mark.parametrize("path", PATHS)
def test_half_a_surrogate_is_no_reason_to_refuse(path):
    body = json.dumps(SMALL[path] | {"extra": "\ud83d cut in two"}).encode()
    wire = wire_for("POST", path)
    facts = wire.facts(body)
    assert facts.model == "m"
    assert wire.outgoing(body, facts) is body


def test_half_a_surrogate_in_a_prompt_is_read_as_a_replacement():
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "a\ud83db \U0001f44b \\ud83d"}]}).encode()
    assert CHAT.prompt(body).question == "a\ufffdb \U0001f44b \\ud83d"


@pytest.mark.parametrize("path", PATHS)
def test_body_is_byte_identical_without_levers(path):
    body = json.dumps(SMALL[path] | {"zeta": 1.50, "alpha": None}, indent=3).encode()
    wire = wire_for("POST", path)
    assert wire.outgoing(body, wire.facts(body)) is body


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (None, {"include_usage": True}),
        ({}, {"include_usage": True}),
        ({"include_obfuscation": False}, {"include_obfuscation": False, "include_usage": True}),
        ({"include_usage": False, "x": 1}, {"include_usage": True, "x": 1}),
        ({"include_usage": None}, {"include_usage": True}),
    ],
)
def test_include_usage_is_put_into_existing_options(options, wanted):
    body = encoded(stream=True, stream_options=options, zeta=1)
    sent = CHAT.outgoing(body, CHAT.facts(body))
    assert json.loads(sent) == json.loads(body) | {"stream_options": wanted}


def test_include_usage_injected_and_hidden(golden):
    body = b'{"stream": true, "model": "m", "messages": [{"role": "user", "content": "stream_options"}] }\n'
    facts = CHAT.facts(body)
    sent = CHAT.outgoing(body, facts)
    assert sent == body[:-2] + b',"stream_options":{"include_usage":true}}\n'
    tap = CHAT.tap(facts)
    stream = golden("openai.chat/complete.sse")
    seen = tap.feed(stream)
    assert b'"choices":[]' not in seen
    assert seen.count(b'"usage":null') == 4  # these bytes are the provider's and stay
    assert tap.outcome(ended=True).usage is not None
    assert tap.recorded() == stream


@pytest.mark.parametrize(
    "body", [encoded(), encoded(stream=False), encoded(stream=True, stream_options={"include_usage": True})]
)
def test_usage_is_not_asked_for_twice(body):
    assert CHAT.outgoing(body, CHAT.facts(body)) is body


def test_options_that_are_no_object_are_left_to_the_provider():
    body = encoded(stream=True, stream_options="yes")
    assert CHAT.outgoing(body, CHAT.facts(body)) is body


@pytest.mark.parametrize(
    "text",
    [
        '{"model":"m","messages":[],"stream":true,"metadata":{"stream_options":{"include_usage":true}}}',
        '{"model":"m","messages":[],"stream":true,"str\\u0065am_options":{"a":1}}',
        '{"stream_options":{"a":1},"model":"m","messages":[],"stream":true,"stream_options":{"b":2}}',
        '{"model":"m","messages":["\\u0061 \\"stream_options\\": 1"],"stream":true}',
    ],
)
def test_names_in_odd_places_do_not_fool_it(text):
    before = json.loads(text)
    after = json.loads(CHAT.outgoing(text.encode(), CHAT.facts(text.encode())))
    assert after == before | {"stream_options": before.get("stream_options", {}) | {"include_usage": True}}


NOISE = st.recursive(
    st.none() | st.text(max_size=6) | st.integers(-9, 9) | st.sampled_from(["stream_options", '"include_usage":true']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["stream_options", "include_usage", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(NOISE, NOISE, st.sampled_from([None, 2]), st.booleans())
def test_whatever_the_body_usage_is_asked_for_and_nothing_else_changes(noise, options, indent, ascii_only):
    fields = {"messages": [noise], "a": noise, "stream": True, "model": "m"}
    if isinstance(options, dict):
        fields["stream_options"] = options
    body = json.dumps(fields, indent=indent, ensure_ascii=ascii_only).encode()
    sent = CHAT.outgoing(body, CHAT.facts(body))
    wanted = fields.get("stream_options", {}) | {"include_usage": True}
    assert json.loads(sent) == fields | {"stream_options": wanted}
