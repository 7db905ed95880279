from __future__ import annotations

import msgspec
from hypothesis import given

from farthing.ledger import schema
from farthing.ledger.records import Settled, Shape
from farthing.ledger.rows import call_row, request_of, request_row, saving_rows, unsettled

from .conftest import call, opened, settled
from .strategies import requests, unhurried


@unhurried
@given(requests())
def test_a_request_comes_back_as_it_went_in(request: Settled) -> None:
    calls, savings = (
        [call_row(7, number, one) for number, one in enumerate(request.calls)],
        list(saving_rows(7, request)),
    )
    back = request_of(request_row(7, request, "q1"), calls, savings)
    kept = Shape("", example=request.shape.example) if request.shape and request.shape.example else None
    assert back == (msgspec.structs.replace(request, shape=kept), "q1", "settled")


def test_rows_have_the_columns_of_their_tables() -> None:
    one = settled(saved=(("recall", 5),))
    for row, table in (
        (request_row(1, one, ""), schema.requests),
        (call_row(1, 0, one.calls[0]), schema.calls),
        (next(iter(saving_rows(1, one))), schema.savings),
    ):
        named = dict(zip(table.columns.keys(), row, strict=True))
        assert named["seq"] == 1
    named = dict(zip(schema.calls.columns.keys(), call_row(1, 0, one.calls[0]), strict=True))
    assert (named["cache_read"], named["reasoning"], named["cost"], named["price_version"]) == (
        40,
        5,
        500_000,
        "genai-prices 0.2.3 openai/gpt-4o",
    )
    named = dict(zip(schema.requests.columns.keys(), request_row(1, one, "q"), strict=True))
    assert (named["user"], named["served_model"], named["query_type"]) == ("ada", "gpt-4o-2024-08-06", "q")


def test_unknown_usage_is_not_zero_usage() -> None:
    one = settled(calls=(call(usage=None),))
    named = dict(zip(schema.calls.columns.keys(), call_row(1, 0, one.calls[0]), strict=True))
    assert (named["input"], named["output"]) == (None, None)


def test_an_attempt_each_of_a_request_that_never_ended() -> None:
    found = unsettled([opened(), opened(call_id="second")])
    assert [(one.id, one.cost_source, one.cost_nano) for one in found.calls] == [
        ("call-fr_1", "unsettled", None),
        ("second", "unsettled", None),
    ]
    assert (found.cost_nano, found.status, found.caller.user) == (None, None, "ada")
    assert unsettled([opened(call_id=None)]).calls == ()
