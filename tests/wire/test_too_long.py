"""Errors about lengths, as providers word them (from their documentation and from issue threads)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire.too_long import CODE, TooLong, too_long


@pytest.mark.parametrize(
    ("message", "code", "found"),
    [
        (
            ("This model's maximum context length is 128000 tokens. However, your messages resulted in 130021 tokens. "
            "Please reduce the length of the messages."),
            CODE,
            TooLong(130_021, 128_000),
        ),
        (
            ("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, "
            "1000 in the completion)."),
            CODE,
            TooLong(9_000, 8_192),
        ),
        ("prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error", TooLong(210_000, 200_000)),
        (
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200,000, decrease input length",
            "invalid_request_error",
            TooLong(None, 200_000),
        ),
        ("Your input exceeds the context window of this model. Please adjust your input and try again.", CODE, TooLong(None, None)),
        (
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "INVALID_ARGUMENT",
            TooLong(1_200_000, 1_048_576),
        ),
    ],
)  # fmt: skip
def test_what_they_say(message, code, found):
    body = json.dumps({"error": {"message": message, "code": code}}).encode()
    assert too_long(400, code, body) == found


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "invalid_api_key", "Incorrect API key provided: sk-128000."),
        (429, "rate_limit_exceeded", "Request too large for gpt-4o: maximum context length"),
        (400, "string_above_max_length", "Invalid 'messages[0].content': string too long."),
        (200, None, "prompt is too long: 210000 tokens > 200000 maximum"),
        (500, None, "context window"),
    ],
)
def test_what_is_about_something_else(status, code, message):
    assert too_long(status, code, json.dumps({"error": {"message": message, "code": code}}).encode()) is None


@given(st.integers(400, 599), st.none() | st.text(), st.binary())
def test_it_never_raises(status, code, body):
    too_long(status, code, body)
