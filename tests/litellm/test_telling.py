from datetime import UTC, datetime, timedelta

import pytest

from farthing.litellm.telling import is_cache_hit, named_of, prompt_of, told_of, usage_of
from farthing.types import Prompt, Turn, Usage

START = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, Usage(input=10, output=5)),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 5,
                "total_tokens": 105,
                "prompt_tokens_details": {
                    "cached_tokens": 20,
                    "cache_write_tokens": 50,
                    "cache_creation_tokens": 50,
                    "cache_creation_token_details": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
                },
            },
            Usage(input=30, cache_read=20, cache_write_5m=20, cache_write_1h=30, output=5),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 0,
                "total_tokens": 100,
                "cache_creation_input_tokens": 40,
                "cache_read_input_tokens": 10,
                "server_tool_use": {"web_search_requests": 2},
            },
            Usage(input=50, cache_read=10, cache_write_5m=40, web_searches=2),
        ),
        ({}, None),
    ],
)
def test_tokens_in_classes(usage, wanted):
    assert usage_of(usage) == wanted


def test_who_asks():
    params = {
        "metadata": {
            "feature": "search",
            "tenant": "acme",
            "user_api_key_end_user_id": "ada",
            "user_api_key_hash": "h",
            "team": "red",
            "tags": ["x"],
            "count": 5,
        }
    }
    assert named_of({}, params) == {
        "x-farthing-feature": "search",
        "x-farthing-tenant": "acme",
        "x-farthing-user": "ada",
        "helicone-property-team": "red",
        "helicone-property-x": "",
    }
    assert named_of({"user": "bob"}, {}) == {"x-farthing-user": "bob"}


def test_what_was_asked():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {}}]},
        {"role": "assistant", "content": None, "tool_calls": [{}]},
        {"role": "tool", "content": "5"},
    ]
    turns = (Turn("user", "What?"), Turn("assistant", ""), Turn("tool", "5"))
    assert prompt_of(messages) == Prompt("Be brief.", turns, attachments=1)
    assert prompt_of("text") == Prompt("", (Turn("user", "text"),))
    assert prompt_of(["a", "b"]) == Prompt("", (Turn("user", "a"), Turn("user", "b")))


@pytest.mark.parametrize(
    ("call_type", "path"),
    [
        ("acompletion", None),
        ("responses", None),
        ("aembedding", "/v1/embeddings"),
        ("aimage_generation", "/v1/images/generations"),
        ("new_thing", "/v1/new_thing"),
    ],
)
def test_where_a_call_goes(call_type, path):
    told = told_of({"call_type": call_type, "model": "m"}, None, START, START + timedelta(seconds=2))
    assert told.path == path
    assert (told.latency_s, told.status, told.outcome.usage) == (2.0, 200, None)


def test_whose_cache_answered():
    assert is_cache_hit({"cache_hit": True})
    assert not is_cache_hit({"cache_hit": None})
