import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.upstream.retry import LONGEST_S, Budget, Failure, verdict, wait_s

NOW = 1_795_000_000.0


def failure(status, code=None, **headers):
    return Failure(status, code, [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()])


def means(*args, own_key=False, **headers):
    return verdict(failure(*args, **headers), own_key=own_key)


@pytest.mark.parametrize("status", [408, 409, 429, 498, 500, 502, 503, 504, 529])
def test_what_the_official_clients_retry(status):
    assert means(status) == "again"


@pytest.mark.parametrize("status", [400, 402, 404, 413, 422])
def test_what_is_the_client_s_own_fault_is_not_retried(status):
    assert means(status) == "final"


def test_quota_error_is_final():
    """A 429 for money, not for speed: waiting does not help. Another key of ours may."""
    assert means(429, "insufficient_quota", own_key=True) == "final"
    assert means(429, "insufficient_quota") == "key"
    assert means(429, "rate_limit_exceeded") == "again"
    broke = Failure(400, "invalid_request_error", [], b"Your credit balance is too low to access the Anthropic API.")
    assert verdict(broke, own_key=False) == "key"


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_taken_says_nothing_about_others_of_ours(status):
    assert means(status) == "key"
    assert means(status, own_key=True) == "final"


def test_the_provider_has_the_last_word():
    assert means(503, x_should_retry="false") == "elsewhere"
    assert means(400, x_should_retry="true") == "again"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("farthing_upstream_unreachable", "again"),
        ("farthing_upstream_closed", "again"),
        ("farthing_upstream_cut", "again"),
        ("farthing_upstream_timeout", "elsewhere"),
    ],
)
def test_a_connection_that_broke_is_tried_again_but_silence_is_not(code, found):
    assert verdict(Failure(None, code), own_key=False) == found


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after_ms": "250", "retry_after": "7"}, 0.25),
        ({"retry_after": "Thu, 19 Nov 2026 00:00:30 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "inf"}, None),
    ],
)
def test_retry_after_is_honoured(headers, seconds):
    waited = wait_s(failure(429, **headers), 1, 0.5, NOW)
    assert waited == (0.25 if seconds is None and "GMT" not in headers["retry_after"] else waited)
    if seconds is not None:
        assert waited == seconds


def test_retry_after_may_be_a_date():
    assert wait_s(failure(429, retry_after="Thu, 01 Jan 1970 00:01:40 GMT"), 1, 0.5, 60.0) == 40
    assert wait_s(failure(429, retry_after="Thu, 01 Jan 1970 00:01:40 GMT"), 1, 0.5, 999.0) == 0


@given(st.integers(1, 1000), st.floats(0, 1))
def test_waits_grow_and_are_bounded(attempt, jitter):
    wait = wait_s(failure(500), attempt, jitter, NOW)
    assert 0 <= wait <= LONGEST_S
    assert wait <= wait_s(failure(500), attempt + 1, jitter, NOW)
    assert wait_s(failure(500), attempt, 1.0, NOW) == min(LONGEST_S, 0.5 * 2 ** (attempt - 1))


@given(st.lists(st.booleans(), max_size=500), st.floats(0, 1))
def test_retry_budget_bounds_a_storm(events, share):
    """However it comes, retries are no more than what was saved at first and the share of the requests."""
    budget = Budget(share, most=5)
    requests = retries = 0
    for is_request in events:
        if is_request:
            requests += 1
            budget.earn()
        else:
            retries += budget.spend()
    assert retries <= 5 + share * requests + 1e-9
