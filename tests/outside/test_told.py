import asyncio

import pytest

from farthing.outside.told import api_of, failure, price_list


class Status(Exception):
    def __init__(self, status_code, code=None):
        super().__init__()
        self.status_code, self.code = status_code, code


class APITimeoutError(Exception):
    pass


class APIConnectionError(Status):
    pass


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (Status(429, "rate_limit_exceeded"), (429, "rate_limit_exceeded")),
        (Status(500), (500, "Status")),
        (Status(200), (None, "internal_error")),
        (APIConnectionError(500), (None, "upstream_unreachable")),
        (APITimeoutError(), (None, "upstream_timeout")),
        (asyncio.CancelledError(), (None, "client_gone")),
        (KeyboardInterrupt(), (None, "client_gone")),
        (ValueError("no JSON"), (None, "internal_error")),
    ],
)
def test_why_a_call_failed(problem, told):
    assert failure(problem) == told


@pytest.mark.parametrize(
    ("provider", "api", "prices"),
    [
        ("openai", "openai", "openai"),
        ("anthropic", "anthropic", "anthropic"),
        ("google_genai", "openai", "google"),
        ("amazon_bedrock", "openai", "aws"),
        ("in-house", "openai", "in-house"),
    ],
)
def test_whose_words_and_whose_prices(provider, api, prices):
    assert (api_of(provider), price_list(provider)) == (api, prices)
