from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from farthing.ledger.billed import Billed, Wanted, billed, single_calls
from farthing.ledger.cells import same_names
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.reconcile import Reconciled, cut, reconcile, wanted_of
from farthing.ledger.rollup import TOKENS
from farthing.ledger.statements.model import Item, Statement
from farthing.ledger.store import Store
from farthing.types import Usage

from .conftest import call, settled

DAY = 86_400
START = 1_795_564_800
NOW = START + 3 * DAY


def ours(**changes: object) -> Billed:
    base: dict[str, object] = {
        "day": START, "provider": "openai", "model": "gpt-4o", "calls": 10, "cost_nano": 1_000, "unpriced": 0,
        "unsettled": 0, "estimated": 0, "tiers": frozenset(), "versions": frozenset({"book 1"}),
    }  # fmt: skip
    tokens = dict.fromkeys(TOKENS, 0) | {"input": 100, "output": 20}
    return Billed(**(base | {"tokens": tokens} | changes))  # type: ignore[arg-type]


def theirs(**changes: object) -> Item:
    base: dict[str, object] = {
        "since": START, "until": START + DAY, "model": "gpt-4o", "requests": 10, "cost_nano": 1_000,
        "tokens": {"input": 100, "output": 20},
    }  # fmt: skip
    return Item(**(base | changes))  # type: ignore[arg-type]


def compare(items: Iterable[Item], ledger: Iterable[Billed], *, now: float = NOW, **more: object) -> Reconciled:
    statement = Statement(name="s", form="test", provider="openai", items=tuple(items), **more)  # type: ignore[arg-type]
    return reconcile(statement, Wanted(), list(ledger), [], None, now)[0]


def causes(found: Reconciled) -> str:
    (only,) = {tuple(one.causes) for one in found.differences}
    return "; ".join(only)


def test_the_same_is_equal() -> None:
    found = compare([theirs()], [ours()])
    assert (found.equal, found.compared, found.differences) == (True, 1, [])
    assert found.totals["cost_nano_usd"].difference == 0


def test_every_measure_that_differs_is_named() -> None:
    found = compare([theirs(requests=11, cost_nano=1_007, tokens={"input": 103, "output": 20})], [ours()])
    assert {one.measure: (one.statement, one.ledger, one.difference) for one in found.differences} == {
        "requests": (11, 10, 1),
        "input": (103, 100, 3),
        "cost_nano_usd": (1_007, 1_000, 7),
    }
    assert {(one.day, one.provider, one.model) for one in found.differences} == {("2026-11-25", "openai", "gpt-4o")}
    assert causes(found) == "1 call did not go through farthing"
    assert not found.equal


MORE = theirs(requests=12, cost_nano=1_200, tokens={"input": 120, "output": 24})
OTHER_PRICE = theirs(cost_nano=900)


@pytest.mark.parametrize(
    ("items", "ledger", "said"),
    [
        ([MORE], [ours(unsettled=2)], "2 calls here unsettled"),
        ([theirs(tokens={"input": 90, "output": 20})], [ours(estimated=1)], "1 call here estimated"),
        ([theirs(cost_nano=1_100)], [ours(unpriced=1)], "without a price"),
        ([theirs(), theirs(key="k2", requests=2, cost_nano=5, tokens={"input": 7})], [ours()], "with the key k2"),
        ([OTHER_PRICE], [ours()], "another price for the same tokens; here book 1"),
        ([theirs(cost_nano=500)], [ours()], "half the price: the batch or flex tier"),
        ([theirs(cost_nano=501, tier="flex")], [ours()], "service tiers: flex there, none here"),
        ([theirs(model="other")], [ours()], "another name of the model"),
        ([theirs(since=START + DAY, until=START + 2 * DAY)], [ours()], "other side of midnight"),
        ([], [ours()], "the statement leaves calls out"),
        ([MORE], [], "did not go through farthing"),
    ],
)
def test_the_likely_cause_is_named(items: list[Item], ledger: list[Billed], said: str) -> None:
    found = compare([*items, theirs(model="x", requests=1)], [*ledger, ours(model="x", calls=1)])
    assert found.differences
    for one in found.differences:
        assert said in "; ".join(one.causes)


def test_the_current_day_is_late() -> None:
    assert "the day is not closed" in causes(compare([MORE], [ours()], now=START + DAY + 60))


def test_pages_that_are_missing_are_told() -> None:
    assert "more pages" in causes(compare([OTHER_PRICE], [ours()], more=True))


def test_a_fee_without_a_model_is_told() -> None:
    found = compare([theirs(), Item(since=START, until=START + DAY, cost_nano=5)], [ours()])
    assert "a fee that names no model" in causes(found)


def test_rounding_of_dollars_is_no_difference() -> None:
    found = compare([theirs(cost_nano=1_400, slack_nano=500)], [ours()])
    assert (found.equal, [one.causes for one in found.rounding]) == (True, [["rounding of the provider's dollars"]])
    assert not compare([theirs(cost_nano=1_600, slack_nano=500)], [ours()]).equal


def test_what_the_statement_does_not_tell_is_not_compared() -> None:
    assert compare([theirs(cost_nano=None, requests=None)], [ours(cost_nano=7, calls=3)]).equal
    assert compare([theirs(tokens={}, requests=None)], [ours(calls=3)]).equal
    assert compare([theirs(model=None)], [ours(model="one")]).equal, "without models: a day in all"


def test_classes_that_the_statement_puts_together_are_put_together() -> None:
    tokens = dict.fromkeys(TOKENS, 0) | {"input": 60, "cache_write_5m": 30, "cache_write_1h": 10}
    held = {"input": ("input", "cache_write_5m", "cache_write_1h")}
    assert compare([theirs(tokens={"input": 100})], [ours(tokens=tokens)], classes=held).equal


def test_a_statement_without_days_is_compared_as_a_whole() -> None:
    found = compare([theirs(since=None, until=None, requests=20, cost_nano=2_000, tokens={"input": 200, "output": 40})],
                    [ours(), ours(day=START + DAY)])  # fmt: skip
    assert (found.equal, found.compared) == (True, 1)


def test_a_model_s_date_is_no_difference() -> None:
    assert same_names({"gpt-4o-2024-08-06"}, {"gpt-4o"}) == {"gpt-4o": "gpt-4o-2024-08-06"}
    assert same_names({"claude-3-5-sonnet-20241022"}, {"claude-3-5-sonnet-latest"}) != {}
    assert same_names({"gpt-4o-2024-08-06", "gpt-4o-2024-05-13"}, {"gpt-4o"}) == {}, "which of them?"
    assert same_names({"gpt-4o-mini"}, {"gpt-4o"}) == {}
    assert compare([theirs(model="gpt-4o-2024-08-06")], [ours()]).equal


def test_only_a_time_or_a_key() -> None:
    statement = Statement(name="s", form="f", items=(theirs(key="a"), theirs(key="b", since=START + DAY)))
    assert [one.key for one in cut(statement, START + DAY, None, None).items] == ["b"]
    assert [one.key for one in cut(statement, None, START + DAY, None).items] == ["a"]
    assert [one.key for one in cut(statement, None, None, "a").items] == ["a"]


def test_what_the_statement_is_about_is_what_is_read_of_the_ledger() -> None:
    statement = Statement(name="s", form="f", provider="openai", items=(Item(since=START + 5.5),))
    assert wanted_of(statement, None, None, None) == Wanted(START, START + DAY, frozenset({"openai"}))
    assert wanted_of(statement, "groq", 1, 2) == Wanted(1, 2, frozenset({"groq"}))
    nameless = Statement(name="s", form="f", items=(Item(),), wires=("w",))
    assert wanted_of(nameless, None, None, None) == Wanted(wires=("w",))


def test_the_ledger_is_read_as_the_provider_sees_it(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal]
) -> None:
    """By the call's own time and model; calls that cost nothing are on no bill."""
    journal = journal_of()
    late = call(started=START + DAY - 1, usage=Usage(input=3), cost_nano=7)
    free = call(cost_source="free", cost_nano=0, usage=None, started=START + 5)
    unknown = call(cost_source="unsettled", cost_nano=None, usage=None, started=START + 6, model_reported=None)
    journal.append(settled("a", ts=START + DAY - 2, calls=(late, free)))
    journal.append(settled("b", ts=START + 5, calls=(unknown,), wire="openai.embeddings"))
    keeper.run_once()
    with store.reading() as connection:
        found = {(one.day, one.model): one for one in billed(connection, Wanted(START, START + DAY))}
        assert found.keys() == {(START, "gpt-4o-2024-08-06"), (START, "gpt-4o")}
        assert (found[START, "gpt-4o"].calls, found[START, "gpt-4o"].unsettled) == (0, 1)
        known = found[START, "gpt-4o-2024-08-06"]
        assert (known.calls, known.cost_nano, known.tokens["input"], known.tiers) == (1, 7, 3, frozenset({"default"}))
        assert [one.request for one in single_calls(connection, Wanted(START, None, wires=("openai.embeddings",)))] == [
            "b"
        ]
        assert billed(connection, Wanted(providers=frozenset({"anthropic"}))) == []
