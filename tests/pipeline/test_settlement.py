"""What a call came to, for every way in which it can end."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger.records import Call
from farthing.pipeline.settlement import billable, close_call, total
from farthing.types import CostSource, Outcome, Usage

USAGE = Usage(input=100, output=20)
GUESS = Usage(input=90, output=25)


@dataclass
class Priced:
    cost_nano: int | None
    source: CostSource
    version: str = "book 1"


class Book:
    """A dollar a token for models it knows; remembers what it was asked."""

    def __init__(self, *known):
        self.known, self.asked = known, []

    def __call__(self, model, usage, tier):
        self.asked.append((model, usage, tier))
        if model not in self.known:
            return Priced(None, "unpriced", "")
        return Priced((usage.input + usage.output) * 10**9, "usage")


def close(status=200, *, cause=None, estimate=None, may_bill=True, book=None, asked="m", **outcome):
    """The closed call, and how often the estimate was asked for. ``cause``: our own word for an error."""
    call = Call(id="c", provider="p", model=asked, started=0.0, status=status, error=cause)
    guesses = []

    def guess():
        guesses.append(1)
        return estimate

    closed = close_call(call, Outcome(**outcome), billable=may_bill, price=book or Book("m"), estimate=guess)
    return closed, len(guesses)


def figures(call):
    return call.cost_nano, call.cost_source, call.usage


def test_usage_is_priced_and_nothing_is_estimated():
    call, estimates = close(usage=USAGE, raw_usage=b'{"a":1}', finish_reason="stop", complete=True)
    assert figures(call) == (120 * 10**9, "usage", USAGE)
    assert (call.price_version, call.raw_usage, call.finish_reason, estimates) == ("book 1", '{"a":1}', "stop", 0)


SILENT = Usage(input=90)
"""What is counted where a reply says nothing."""


def test_zero_usage_is_zero():
    """The provider's word, where nothing speaks against it: nothing is put in its place."""
    assert figures(close(usage=Usage(), estimate=SILENT)[0]) == (0, "usage", Usage())
    assert figures(close(usage=Usage())[0]) == (0, "usage", Usage())
    told = Usage(input=100)
    assert figures(close(usage=told, estimate=GUESS)[0]) == (100 * 10**9, "usage", told)


def test_an_answer_that_is_said_to_have_used_nothing_is_estimated_and_marked():
    call, _ = close(usage=Usage(), estimate=GUESS, raw_usage=b'{"prompt_tokens":0}')
    assert figures(call) == (115 * 10**9, "estimated", GUESS)
    assert call.raw_usage == '{"prompt_tokens":0}'


def test_an_error_instead_of_an_answer_costs_nothing_unless_it_tells_usage():
    assert figures(close(error="overloaded_error", estimate=SILENT)[0]) == (0, "free", None)
    assert figures(close(error="overloaded_error")[0]) == (0, "free", None)
    assert figures(close(error="server_error", estimate=GUESS)[0]) == (115 * 10**9, "estimated", GUESS)
    assert figures(close(error="server_error", usage=USAGE)[0]) == (120 * 10**9, "usage", USAGE)


@pytest.mark.parametrize(("latency_us", "source"), [(20_000, "free"), (61_000_000, "unsettled"), (None, "free")])
def test_a_connection_that_broke_after_long_work_may_be_billed(latency_us, source):
    call = Call(id="c", provider="p", model="m", started=0.0, error="upstream_closed", latency_us=latency_us)
    closed = close_call(call, Outcome(), billable=True, price=Book("m"), estimate=lambda: None)
    assert closed.cost_source == source


@pytest.mark.parametrize("error", ["cut", "client_gone", "upstream_timeout"])
def test_a_reply_that_broke_off_before_it_could_be_counted_is_unsettled(error):
    assert figures(close(cause=error)[0]) == (None, "unsettled", None)


def test_no_usage_is_estimated_and_marked():
    assert figures(close(estimate=GUESS)[0]) == (115 * 10**9, "estimated", GUESS)


def test_no_usage_and_no_estimate_is_unknown_never_zero():
    assert figures(close()[0]) == (None, "unpriced", None)


def test_an_unknown_price_is_unpriced_and_keeps_its_usage():
    assert figures(close(usage=USAGE, book=Book())[0]) == (None, "unpriced", USAGE)
    assert figures(close(estimate=GUESS, book=Book())[0]) == (None, "unpriced", GUESS)


@pytest.mark.parametrize(
    ("reported", "asked", "known", "names"),
    [
        ("m-1", "m", ("m", "m-1"), ["m-1"]),
        ("m-9", "m", ("m",), ["m-9", "m"]),
        (None, "m", ("m",), ["m"]),
        ("m", "m", (), ["m"]),
        (None, None, (), [""]),
    ],
)
def test_the_model_that_the_provider_reports_decides(reported, asked, known, names):
    book = Book(*known)
    call, _ = close(asked=asked, usage=USAGE, book=book, model=reported)
    assert [name for name, _, _ in book.asked] == names
    assert call.model_reported == reported
    assert (call.cost_nano is None) == (not set(names) & set(known))


def test_partial_usage_keeps_the_input_and_takes_the_larger_output():
    told = Usage(input=100, cache_read=7, output=1)
    assert figures(close(usage=told, partial_usage=True, estimate=GUESS)[0]) == (
        125 * 10**9, "estimated", Usage(input=100, cache_read=7, output=25),
    )  # fmt: skip
    more = Usage(input=100, output=40)
    assert figures(close(usage=more, partial_usage=True, estimate=GUESS)[0]) == (140 * 10**9, "estimated", more)
    assert figures(close(usage=more, partial_usage=True)[0]) == (140 * 10**9, "estimated", more)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 503, 529])
def test_errors_cost_nothing(status):
    call, estimates = close(status, estimate=GUESS)
    assert (*figures(call), estimates) == (0, "free", None, 0)


def test_quota_error():
    call, _ = close(429, error="insufficient_quota", estimate=GUESS)
    assert (call.error, *figures(call)) == ("insufficient_quota", 0, "free", None)


def test_an_error_that_tells_usage_is_billed_for_it():
    assert figures(close(500, usage=USAGE)[0]) == (120 * 10**9, "usage", USAGE)


def test_our_own_word_for_the_error_comes_first():
    call, _ = close(cause="cut", error="server_error", estimate=GUESS)
    assert call.error == "cut"
    assert call.cost_source == "estimated"


@pytest.mark.parametrize("error", ["client_gone", "upstream_timeout"])
def test_sent_and_never_answered_is_unsettled(error):
    assert figures(close(None, cause=error, estimate=GUESS)[0]) == (None, "unsettled", None)
    assert figures(close(None, cause=error, may_bill=False)[0]) == (0, "free", None)


@pytest.mark.parametrize("error", ["upstream_unreachable", "upstream_closed"])
def test_never_arrived_is_free(error):
    assert figures(close(None, cause=error, estimate=GUESS)[0]) == (0, "free", None)


def test_what_is_not_billed_is_free_but_usage_that_is_told_counts():
    assert figures(close(may_bill=False, estimate=GUESS)[0]) == (0, "free", None)
    assert figures(close(may_bill=False, usage=USAGE)[0])[1] == "usage"


def test_the_tier_that_was_served_decides_the_price():
    book = Book("m")
    close(usage=USAGE, service_tier="flex", book=book)
    assert book.asked == [("m", USAGE, "flex")]


@pytest.mark.parametrize(
    ("method", "operation", "path", "expected"),
    [
        ("POST", "chat", "/v1/chat/completions", True),
        ("POST", "embeddings", "/v1/embeddings", True),
        ("POST", "other", "/v1/images/generations", True),
        ("POST", "other", "/v1/audio/transcriptions", True),
        ("POST", "count_tokens", "/v1/messages/count_tokens", False),
        ("GET", "models", "/v1/models", False),
        ("POST", "other", "/v1/files", False),
        ("POST", "other", "/v1/uploads/u/parts", False),
        ("POST", "other", "/v1/batches", False),
        ("POST", "other", "/v1/messages/batches", False),
        ("POST", "other", "/v1/moderations", False),
        ("GET", "other", "/v1/responses/r", False),
        ("DELETE", "other", "/v1/responses/r", False),
    ],
)
def test_what_can_be_on_the_bill(method, operation, path, expected):
    assert billable(method, operation, path) is expected


@given(st.lists(st.none() | st.integers(0, 10**15), max_size=6))
def test_a_total_is_unknown_while_any_part_is(costs):
    calls = [Call(id="c", provider="p", model=None, started=0.0, cost_nano=cost) for cost in costs]
    assert total(calls) == (None if None in costs else sum(costs))
