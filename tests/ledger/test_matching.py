from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from farthing.ledger import corrections, query
from farthing.ledger.billed import OneCall, Wanted, single_calls
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.listing import request as read_one
from farthing.ledger.matching import Closing, Matched, can_close, matched
from farthing.ledger.rollup import TOKENS
from farthing.ledger.statements.model import Item, Statement
from farthing.ledger.store import Store
from farthing.types import TOKEN_CLASSES

from .conftest import NOW, call, opened, settled

TOLD = dict.fromkeys(TOKEN_CLASSES, 0) | {"input": 100, "output": 20}


def line(id_: str = "req_1", **changes: object) -> Item:
    base: dict[str, object] = {
        "since": NOW + 0.5, "model": "gpt-4o-2024-08-06", "requests": 1, "tokens": TOLD, "cost_nano": 500, "request_id": id_,
    }  # fmt: skip
    return Item(**(base | changes))  # type: ignore[arg-type]


def one(request: str = "fr_1", **changes: object) -> OneCall:
    known = dict.fromkeys(TOKENS, 0) | {"input": 100, "output": 20}
    base = OneCall(request, 0, "openai", "gpt-4o-2024-08-06", NOW, 900_000, "req_1", "usage", 500, known)
    return base._replace(**changes)


def unsettled(request: str = "fr_1", **changes: object) -> OneCall:
    base: dict[str, object] = {
        "cost_source": "unsettled",
        "cost_nano": None,
        "tokens": None,
        "provider_request_id": None,
    }
    return one(request, **(base | {"model": "gpt-4o", "latency_us": None} | changes))


def match(lines: Iterable[Item], *calls: OneCall) -> Matched:
    return matched(Statement(name="s", form="f", items=tuple(lines)), calls)


def test_the_same_calls_are_the_same() -> None:
    found = match([line()], one())
    assert (found.same, found.odd, found.closings) == (1, [], {})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cost_nano": 501}, "another price for the same tokens"),
        ({"cost_nano": None}, "no price is known here"),
        ({"tokens": {"input": 99, "output": 20}}, "input differ"),
        (
            {"tokens": {"input": 99}, "cost_source": "estimated"},
            "input, output differ: estimated here, the provider reported no usage",
        ),
    ],
)
def test_a_call_that_differs_is_named(changes: dict[str, object], said: str) -> None:
    (odd,) = match([line()], one(**changes)).odd
    assert (odd.provider_request_id, odd.request, odd.cause) == ("req_1", "fr_1", said)


def test_what_only_one_of_them_has_is_named() -> None:
    found = match([line("req_9")], one())
    assert {(odd.provider_request_id, odd.cause) for odd in found.odd} == {
        ("req_9", "did not go through farthing"),
        ("req_1", "not on the statement"),
    }


def test_an_unsettled_call_is_closed_by_the_provider_s_id() -> None:
    found = match([line()], unsettled(provider_request_id="req_1"))
    assert found.closings == {("fr_1", 0): line()}
    assert found.odd == []


def test_an_unsettled_call_without_an_id_is_closed_by_time_where_only_one_line_fits() -> None:
    assert match([line()], unsettled()).closings == {("fr_1", 0): line()}
    assert match([line(since=NOW + 3_600)], unsettled()).closings == {}, "too late"
    assert match([line(since=NOW + 90)], unsettled(latency_us=1_000_000)).closings == {}, "it had ended by then"
    assert match([line(model="gpt-4o-mini")], unsettled()).closings == {}, "another model"
    assert match([line(since=None)], unsettled()).closings == {}
    assert match([line("a"), line("b")], unsettled()).closings == {}, "which of the lines?"
    assert match([line()], unsettled("a"), unsettled("b")).closings == {}, "which of the calls?"


def test_a_line_that_belongs_to_a_settled_call_closes_no_other() -> None:
    found = match([line()], unsettled("lost"), one())
    assert (found.same, found.closings) == (1, {})
    assert "unsettled here" in found.odd[0].cause


def test_only_a_statement_that_tells_everything_can_close() -> None:
    assert can_close(Statement(name="s", form="f", items=(line(),)))
    assert not can_close(Statement(name="s", form="f", items=(line(cost_nano=None),)))
    assert not can_close(Statement(name="s", form="f", items=(line(),), classes={"input": ("input",)}))


def test_closing_is_a_correction_and_never_touches_settled_calls(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal]
) -> None:
    dead = journal_of()
    dead.append(opened("lost"))
    dead.append(settled("fine", calls=(call(provider_request_id="req_fine"),)))
    dead.close()
    keeper.run_once()
    before = query.report(store)
    statement = Statement(name="i.json", form="f", items=(line(), line("req_fine", cost_nano=9)))
    with store.reading() as connection:
        found = matched(statement, single_calls(connection, Wanted()))
    assert found.closings.keys() == {("lost", 0)}
    closing = Closing(statement.name, {**found.closings, ("fine", 0): line()})
    made = corrections.correct(store, "reconcile", statement.name, closing, lambda: None)
    assert made
    after = query.report(store).total
    assert (after.unsettled_calls, after.cost_nano_usd) == (0, before.total.cost_nano_usd + 500)
    lost = read_one(store, "lost")
    assert lost
    (its,) = lost.request.calls
    assert (its.cost_source, its.price_version, its.provider_request_id) == ("usage", "statement i.json", "req_1")
    assert lost.request.baseline_nano == 500
    corrections.undo(store, made.version, lambda: None)
    assert query.report(store) == before
