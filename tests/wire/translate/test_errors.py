"""Errors of one API in the words of the other."""

import json

import anthropic
import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire.translate.answer import Failed
from farthing.wire.translate.errors import crossing_headers, event, failure, rendered, streamed

from . import strategies as some

ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def of_openai(message="why", kind="invalid_request_error", code=None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


def of_anthropic(kind, message="why") -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}).encode()


def crossed(from_api, to_api, status, body):
    status, body = rendered(to_api, failure(from_api, status, body))
    return status, json.loads(body)


TO_OPENAI = [
    (400, "invalid_request_error", 400, "invalid_request_error", None, openai.BadRequestError),
    (401, "authentication_error", 401, "invalid_request_error", "invalid_api_key", openai.AuthenticationError),
    (402, "billing_error", 429, "insufficient_quota", "insufficient_quota", openai.RateLimitError),
    (403, "permission_error", 403, "invalid_request_error", "permission_denied", openai.PermissionDeniedError),
    (404, "not_found_error", 404, "invalid_request_error", "model_not_found", openai.NotFoundError),
    (409, "invalid_request_error", 409, "invalid_request_error", None, openai.ConflictError),
    (413, "request_too_large", 413, "invalid_request_error", "request_too_large", openai.APIStatusError),
    (429, "rate_limit_error", 429, "requests", "rate_limit_exceeded", openai.RateLimitError),
    (500, "api_error", 500, "server_error", None, openai.InternalServerError),
    (502, "api_error", 502, "server_error", None, openai.InternalServerError),
    (504, "timeout_error", 504, "server_error", "timeout", openai.InternalServerError),
    (529, "overloaded_error", 503, "service_unavailable_error", "server_is_overloaded", openai.InternalServerError),
]


@pytest.mark.parametrize(("given_status", "given_type", "status", "kind", "code", "raised"), TO_OPENAI)
def test_anthropic_s_errors_for_an_openai_client(given_status, given_type, status, kind, code, raised):
    told, body = crossed("anthropic", "openai", given_status, of_anthropic(given_type))
    assert told == status
    assert body == {"error": {"message": "why", "type": kind, "param": None, "code": code}}
    with asking(openai.OpenAI, "http://test/v1", told, body) as client, pytest.raises(raised) as caught:
        client.chat.completions.create(**ASK)
    assert caught.value.code == code


TO_ANTHROPIC = [
    (400, None, 400, "invalid_request_error", anthropic.BadRequestError),
    (401, "invalid_api_key", 401, "authentication_error", anthropic.AuthenticationError),
    (403, "unsupported_country_region_territory", 403, "permission_error", anthropic.PermissionDeniedError),
    (404, "model_not_found", 404, "not_found_error", anthropic.NotFoundError),
    (408, None, 504, "timeout_error", anthropic.InternalServerError),
    (409, None, 409, "invalid_request_error", anthropic.ConflictError),
    (413, None, 413, "request_too_large", anthropic.APIStatusError),
    (422, None, 422, "invalid_request_error", anthropic.UnprocessableEntityError),
    (429, "rate_limit_exceeded", 429, "rate_limit_error", anthropic.RateLimitError),
    (429, "insufficient_quota", 402, "billing_error", anthropic.APIStatusError),
    (429, "resource_unavailable", 529, "overloaded_error", anthropic.InternalServerError),
    (498, "capacity_exceeded", 529, "overloaded_error", anthropic.InternalServerError),
    (500, None, 500, "api_error", anthropic.InternalServerError),
    (502, None, 502, "api_error", anthropic.InternalServerError),
    (503, None, 529, "overloaded_error", anthropic.InternalServerError),
]


@pytest.mark.parametrize(("given_status", "code", "status", "kind", "raised"), TO_ANTHROPIC)
def test_openai_s_errors_for_an_anthropic_client(given_status, code, status, kind, raised):
    told, body = crossed("openai", "anthropic", given_status, of_openai(code=code))
    assert told == status
    assert body == {"type": "error", "error": {"type": kind, "message": "why"}}
    with asking(anthropic.Anthropic, "http://test", told, body) as client, pytest.raises(raised) as caught:
        client.messages.create(**ASK, max_tokens=9)
    assert caught.value.status_code == status


def asking(client, url, status, body):
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(status, json=body))
    return client(api_key="x", base_url=url, max_retries=0, http_client=httpx2.Client(transport=transport))


def test_a_prompt_that_is_too_long_is_said_with_both_numbers():
    said = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Shorten it."
    status, body = crossed("openai", "anthropic", 400, of_openai(said, code="context_length_exceeded"))
    assert status == 400
    assert body["error"] == {
        "type": "invalid_request_error",
        "message": "prompt is too long: 9000 tokens > 8192 maximum",
    }
    too_long = of_anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")
    status, body = crossed("anthropic", "openai", 400, too_long)
    assert status == 400
    assert body["error"]["code"] == "context_length_exceeded"
    assert body["error"]["message"] == (
        "This model's maximum context length is 200000 tokens. However, your messages resulted in 210000 tokens. "
        "Please reduce the length of the messages."
    )


def test_a_prompt_that_is_too_long_without_numbers():
    vague = "Your input exceeds the context window of this model."
    _, body = crossed("openai", "anthropic", 400, of_openai(vague, code="context_length_exceeded"))
    assert body["error"]["message"] == f"prompt is too long: {vague}"
    _, body = crossed("openai", "openai", 400, of_openai(vague, code="context_length_exceeded"))
    assert body["error"] == {
        "message": vague,
        "type": "invalid_request_error",
        "param": None,
        "code": "context_length_exceeded",
    }
    half = of_anthropic("invalid_request_error", "input length and `max_tokens` exceed context limit: 190 + 20 > 200")
    _, body = crossed("anthropic", "openai", 400, half)
    assert body["error"]["message"] == (
        "This model's maximum context length is 200 tokens. Please reduce the length of the messages."
    )
    _, body = crossed("anthropic", "anthropic", 400, of_anthropic("invalid_request_error", "prompt is too long"))
    assert body["error"]["message"] == "prompt is too long"


def test_a_limit_on_tokens_is_told_from_one_on_requests():
    said = "This request would exceed your organization's rate limit of 40,000 input tokens per minute"
    _, body = crossed("anthropic", "openai", 429, of_anthropic("rate_limit_error", said))
    assert (body["error"]["type"], body["error"]["code"]) == ("tokens", "rate_limit_exceeded")


def test_an_empty_account_is_told_however_it_is_said():
    _, body = crossed(
        "anthropic", "openai", 400, of_anthropic("invalid_request_error", "Your credit balance is too low")
    )
    assert body["error"]["code"] == "insufficient_quota"


def test_a_code_of_its_own_is_kept_for_its_own_api():
    _, body = crossed("openai", "openai", 400, of_openai(code="invalid_image_url"))
    assert body["error"]["code"] == "invalid_image_url"


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (
            b'[{"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}]',
            "slow",
            "RESOURCE_EXHAUSTED",
        ),
        (b'{"object": "error", "message": "bad", "type": "BadRequestError", "code": 400}', "bad", "BadRequestError"),
        (b'{"detail": "Not authenticated"}', "Not authenticated", None),
        (b'{"error": "no such model"}', "no such model", None),
        (b"<html>Bad gateway</html>", "<html>Bad gateway</html>", None),
        (b"", "Too Many Requests", None),
        (b"\xff", "�", None),
    ],
)
def test_errors_of_every_shape_are_read(body, message, code):
    assert failure("openai", 429, body) == Failed(429, code, message)


def test_a_status_that_nobody_knows():
    assert failure("openai", 599, b"").message == "error 599"


@some.often
@given(
    st.sampled_from(["openai", "anthropic"]),
    st.sampled_from(["openai", "anthropic"]),
    st.integers(400, 599),
    st.binary(),
)
def test_whatever_comes_is_an_error_in_the_client_s_shape(from_api, to_api, status, junk):
    told, body = crossed(from_api, to_api, status, junk)
    assert 400 <= told < 600
    assert body["error"]["message"]
    assert body["error"]["type"]


def test_our_own_codes_are_kept():
    failed = Failed(502, "farthing_cut", "broke off")
    assert rendered("openai", failed) == (
        502,
        b'{"error":{"message":"broke off","type":"server_error","param":null,"code":"farthing_cut"}}',
    )
    assert b'"code":"farthing_cut"' in rendered("anthropic", failed)[1]


@pytest.mark.parametrize(
    ("api", "data", "status", "code"),
    [
        ("anthropic", of_anthropic("overloaded_error"), 529, "overloaded_error"),
        ("anthropic", of_anthropic("rate_limit_error"), 429, "rate_limit_error"),
        ("anthropic", of_anthropic("api_error"), 500, "api_error"),
        ("openai", of_openai(kind="server_error"), 500, "server_error"),
        ("openai", of_openai(code="rate_limit_exceeded"), 429, "rate_limit_exceeded"),
        ("openai", of_openai(), 400, "invalid_request_error"),
        ("openai", of_openai("maximum context length is 5 tokens"), 400, "invalid_request_error"),
        ("openai", b'{"error": {"message": "why", "code": 502}}', 500, None),
    ],
)
def test_an_error_inside_a_stream_has_the_status_it_would_have_had(api, data, status, code):
    failed = streamed(api, data)
    assert (failed.status, failed.code) == (status, code)


def test_events_raise_in_the_official_clients():
    failed = Failed(529, "overloaded_error", "busy")
    assert event("anthropic", failed) == (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'
    )
    told = json.loads(event("openai", failed)[6:])
    assert told["error"]["code"] == "server_is_overloaded"


def test_headers_that_cross():
    theirs = [
        (b"date", b"now"),
        (b"content-type", b"application/json"),
        (b"content-length", b"5"),
        (b"content-encoding", b"gzip"),
        (b"request-id", b"req_1"),
        (b"retry-after", b"3"),
        (b"retry-after-ms", b"2500"),
        (b"x-should-retry", b"true"),
        (b"server-timing", b"x"),
        (b"anthropic-ratelimit-requests-remaining", b"4"),
        (b"anthropic-organization-id", b"o"),
        (b"set-cookie", b"c"),
    ]
    assert crossing_headers(theirs, "anthropic", "openai") == [
        (b"date", b"now"),
        (b"content-type", b"application/json"),
        (b"x-request-id", b"req_1"),
        (b"retry-after", b"3"),
        (b"retry-after-ms", b"2500"),
        (b"x-should-retry", b"true"),
        (b"server-timing", b"x"),
    ]
    back = [(b"x-request-id", b"r"), (b"x-ratelimit-remaining-requests", b"4"), (b"openai-processing-ms", b"9")]
    assert crossing_headers(back, "openai", "anthropic") == [(b"request-id", b"r")]
    assert crossing_headers([*back, (b"content-length", b"5")], "openai", "openai") == back
