import json
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import BadRequest, UpstreamError
from farthing.upstream import litellm_words as words
from farthing.wire.openai_usage import openai_usage

ASKED = {"model": "command-a", "messages": [{"role": "user", "content": "Hi"}]}


def taken(**fields):
    return words.arguments(json.dumps(ASKED | fields).encode())


def test_the_fields_of_the_api_go_through():
    model, fields = taken(temperature=0.5, tools=[], metadata={"a": "b"})
    assert model == "command-a"
    assert fields == {"messages": ASKED["messages"], "temperature": 0.5, "tools": []}


@pytest.mark.parametrize(
    "name",
    ["api_base", "base_url", "api_key", "mock_response", "custom_llm_provider", "extra_headers", "fallbacks", "num_retries",
     "model_list", "aws_access_key_id", "vertex_credentials", "no-log", "timeout", "api_version", "extra_body"],
)  # fmt: skip
def test_no_client_sets_what_is_a_setting_of_litellm(name):
    with pytest.raises(BadRequest, match=f"{name}: cannot be sent through LiteLLM"):
        taken(**{name: "https://elsewhere.example"})


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_nothing_but_the_api_s_fields_comes_out(more):
    try:
        _, fields = taken(**more)
    except BadRequest:
        return
    assert fields.keys() <= words.FIELDS


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model": 1, "messages": []}', b'{"model": "m"}'])
def test_what_is_no_chat_request_is_refused(body):
    with pytest.raises(BadRequest):
        words.arguments(body)


def test_only_what_is_cosmetic_is_left_out_where_a_provider_does_not_take_it():
    asked = {"messages": [], "user": "u", "seed": 1, "tools": [], "logit_bias": {}}
    assert words.supported(asked, ["seed"]) == {"messages": [], "seed": 1, "tools": [], "logit_bias": {}}


def test_a_reply_has_openai_s_shape():
    said = {
        "id": "c", "model": "m", "system_fingerprint": None, "usage": None,
        "choices": [{"index": 0, "finish_reason": "tool_calls", "logprobs": None, "provider_specific_fields": {"a": 1},
                     "message": {"content": None, "role": "assistant", "tool_calls": [], "function_call": None}}],
    }  # fmt: skip
    message = {"content": None, "role": "assistant", "tool_calls": []}
    assert json.loads(words.reply(said)) == {
        "id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
    }  # fmt: skip


def test_the_chunk_with_the_usage_has_no_choices_and_a_made_up_usage_is_none():
    said = {
        "id": "c",
        "choices": [{"index": 0, "delta": {"content": None}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    line = words.event(said)
    assert line.startswith(b"data: ")
    assert line.endswith(b"\n\n")
    assert json.loads(line[6:]) == {"id": "c", "choices": [], "usage": said["usage"]}
    assert json.loads(words.event(said, usage=False)[6:]) == {"id": "c", "choices": []}


@given(*[st.integers(0, 10**6)] * 5)
def test_what_anthropic_writes_to_its_cache_is_counted_as_that(fresh, read, short, long, output):
    written = short + long
    said = {
        "prompt_tokens": fresh + read + written, "completion_tokens": output, "total_tokens": fresh + read + written + output,
        "cache_creation_input_tokens": written, "cache_read_input_tokens": read,
        "prompt_tokens_details": {
            "cached_tokens": None, "cache_creation_tokens": written, "text_tokens": None,
            "cache_creation_token_details": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        },
    }  # fmt: skip
    usage = openai_usage(words.usage_of(said))
    found = (usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, usage.output)
    assert found == (fresh, read, short, long, output)


class Problem(Exception):
    """As those of LiteLLM."""

    def __init__(self, text, **more):
        super().__init__(text)
        vars(self).update(more)


class ContextWindowExceededError(Problem): ...


class APIConnectionError(Problem): ...


class Timeout(Problem): ...


class InternalServerError(Problem): ...


class Headed:
    headers: ClassVar = {"Retry-After": "7", "x-request-id": "r", "set-cookie": "secret"}


def refused(problem, key=None):
    status, headers, body = words.refusal(problem, key)
    return status, headers, msgspec.json.decode(body)["error"]


def test_an_error_keeps_its_status_and_says_when_to_come_back_and_no_key():
    status, headers, error = refused(
        Problem("slow down, sk-secret", status_code=429, code="429", response=Headed()), "sk-secret"
    )
    assert status == 429
    assert headers == [*words.JSON_HEADERS, (b"retry-after", b"7"), (b"x-request-id", b"r")]
    assert error == {"message": "slow down, ***", "type": "rate_limit_error", "param": None, "code": None}


@pytest.mark.parametrize(
    ("problem", "kind", "code"),
    [
        (ContextWindowExceededError("", status_code=400), "invalid_request_error", "context_length_exceeded"),
        (Problem("", status_code=429, body={"code": "insufficient_quota"}), "rate_limit_error", "insufficient_quota"),
        (Problem("", status_code=503, code="overloaded"), "server_error", "overloaded"),
        (Problem("", original_exception=Problem("", status_code=500)), "server_error", None),
    ],
)
def test_an_error_has_openai_s_type_and_code(problem, kind, code):
    _, _, error = refused(problem)
    assert (error["type"], error["code"]) == (kind, code)


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (Timeout("", status_code=408), 504, "farthing_upstream_timeout"),
        (APIConnectionError("", status_code=500), 502, "farthing_upstream_closed"),
        (InternalServerError("OpenAIException - Connection error.", status_code=500), 502, "farthing_upstream_closed"),
        (ValueError("sk-secret is odd"), 502, "farthing_upstream_closed"),
    ],
)
def test_where_nobody_answered_there_is_no_reply(problem, status, code):
    with pytest.raises(UpstreamError) as raised:
        words.refusal(problem, "sk-secret")
    assert (raised.value.status, raised.value.code) == (status, code)
    assert "sk-secret" not in raised.value.message


def test_a_stream_that_lost_its_connection_broke_off():
    lost = APIConnectionError("", status_code=500)
    assert words.breaks_off(Problem("", original_exception=lost))
    assert not words.breaks_off(Problem("", original_exception=Problem("", status_code=529)))
    assert not words.breaks_off(lost)
