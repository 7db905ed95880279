from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import StoreError
from farthing.ledger import corrections, query
from farthing.ledger.bills import with_calls
from farthing.ledger.histogram import unpack
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.listing import request as read_one
from farthing.ledger.records import Settled
from farthing.ledger.reprice import Reprice
from farthing.ledger.retention import prune
from farthing.ledger.store import Store, open_store
from farthing.prices.rates import Priced

from .conftest import NOW, call, clock, opened, settled
from .strategies import requests, unhurried

TABLES = ("requests", "calls", "savings", "rollups", "daily", "histograms", "query_types")


def nothing() -> None:
    pass


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row, but for sums of nothing: a key that came with a correction stays when it has gone."""
    with closing(sqlite3.connect(store.path)) as connection:
        found = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2, 3, 4").fetchall() for name in TABLES}
    found["histograms"] = [(*key, unpack(counts)) for *key, counts in found["histograms"]]
    return found | {name: [row for row in found[name] if any(row[4:])] for name in ("rollups", "daily")}


def at(nano: int | None, version: str = "new") -> Reprice:
    """Every call costs so much."""
    return Reprice(lambda *_: Priced(nano, "usage" if nano is not None else "unpriced", version))


def reprice(store: Store, change: Reprice, **span: float) -> corrections.Correction | None:
    return corrections.correct(store, "reprice", "test", change, nothing, **span)


def fill(keeper: Keeper, journal: Journal, *entries: Settled) -> None:
    for one in entries:
        journal.append(one)
    keeper.run_once()


@settings(unhurried, max_examples=25)
@given(st.lists(requests(), max_size=6), st.integers(0, 10**9), st.integers(0, 10**9))
def test_reprice_is_reversible(entries: list[Settled], first: int, second: int) -> None:
    with TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/farthing.db", clock)
        journal = Journal(Path(folder) / "j", clock)
        keeper = Keeper(store, Path(folder) / "j", clock)
        fill(keeper, journal, *entries)
        before, total = contents(store), query.report(store, "model")
        made = [one for price in (first, second) if (one := reprice(store, at(price)))]
        changed = contents(store)
        for one in reversed(made):
            corrections.undo(store, one.version, nothing)
        assert contents(store) == before
        assert query.report(store, "model") == total
        if made:
            assert changed != before
            assert sum(one.change_nano_usd for one in made) == _spent(changed) - _spent(before)
        keeper.close()
        journal.close()
        store.close()


def _spent(tables: dict[str, list[tuple[object, ...]]]) -> int:
    return sum(row[26] or 0 for row in tables["calls"])  # type: ignore[misc]


@settings(unhurried, max_examples=10)
@given(st.lists(requests(), min_size=1, max_size=6), st.integers(0, 10**9))
def test_sums_after_a_correction_are_those_of_its_rows(entries: list[Settled], nano: int) -> None:
    with TemporaryDirectory() as folder:
        store, again = (open_store(f"sqlite:///{folder}/{name}.db", clock) for name in ("one", "two"))
        for its, change in ((store, None), (again, at(nano))):
            journal = Journal(Path(folder) / its.path.stem, clock)
            keeper = Keeper(its, Path(folder) / its.path.stem, clock)
            fill(keeper, journal, *(((change and change(one)) or one) for one in entries))
            keeper.close()
            journal.close()
        reprice(store, at(nano))
        for by in ("model", "user", "lever", "day"):
            assert query.report(store, by) == query.report(again, by)
        store.close()
        again.close()


def test_unpriced_history_gets_its_price(store: Store, keeper: Keeper, journal_of: Callable[..., Journal]) -> None:
    unpriced = call(cost_nano=None, cost_source="unpriced", price_version="no price")
    fill(keeper, journal_of(), settled(calls=(unpriced,), cost_nano=None, baseline_nano=None))
    assert query.report(store).total.unpriced_calls == 1
    made = reprice(store, at(7_000, "prices.toml acme/big"))
    total = query.report(store).total
    assert made
    assert (made.state, made.requests, made.change_nano_usd) == ("applied", 1, 7_000)
    assert (total.unpriced_calls, total.cost_nano_usd, total.baseline_nano_usd) == (0, 7_000, 7_000)
    found = read_one(store, "fr_1")
    assert found
    assert found.request.calls[0].price_version == "prices.toml acme/big"
    corrections.undo(store, made.version, nothing)
    assert query.report(store).total.unpriced_calls == 1
    assert [one.state for one in corrections.corrections(store)] == ["undone"]


def test_a_known_price_is_never_given_up_for_an_unknown_one(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal]
) -> None:
    fill(keeper, journal_of(), settled())
    change = at(None)
    assert reprice(store, change) is None
    assert change.kept == 1
    assert query.report(store).total.cost_nano_usd == 500_000
    assert corrections.corrections(store) == []


def test_what_costs_the_same_is_left_alone(store: Store, keeper: Keeper, journal_of: Callable[..., Journal]) -> None:
    fill(keeper, journal_of(), settled())
    before = contents(store)
    assert reprice(store, at(500_000, "another name")) is None
    assert contents(store) == before


def test_free_and_unsettled_calls_have_no_price(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal]
) -> None:
    free, unsettled = (
        call(cost_source=source, usage=None, cost_nano=nano) for source, nano in (("free", 0), ("unsettled", None))
    )
    fill(keeper, journal_of(), settled("fr_1", calls=(free,), cost_nano=0), settled("fr_2", calls=(unsettled,)))
    assert reprice(store, at(7)) is None


def test_an_estimate_stays_one(store: Store, keeper: Keeper, journal_of: Callable[..., Journal]) -> None:
    fill(keeper, journal_of(), settled(calls=(call(cost_source="estimated"),)))
    reprice(store, at(9))
    total = query.report(store).total
    assert (total.estimated_calls, total.cost_nano_usd) == (1, 9)


def test_what_was_saved_stays_saved(store: Store, keeper: Keeper, journal_of: Callable[..., Journal]) -> None:
    fill(keeper, journal_of(), settled(baseline_nano=800_000, saved=(("route", 300_000),)))
    reprice(store, at(600_000))
    total = query.report(store).total
    assert (total.cost_nano_usd, total.saved_nano_usd, total.baseline_nano_usd) == (600_000, 300_000, 900_000)


def test_only_the_span_and_the_model_that_were_asked_for(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal]
) -> None:
    other = call(model="claude", model_reported="claude", provider="anthropic")
    fill(keeper, journal_of(), settled("a", ts=NOW - 90), settled("b"), settled("c", calls=(other,)))
    change = Reprice(lambda *_: Priced(1, "usage", "new"), model="gpt-4o")
    made = reprice(store, change, since=NOW - 60)
    assert made
    assert made.requests == 1
    assert [(one.provider, one.model, one.was_nano_usd, one.becomes_nano_usd) for one in change.moved] == [
        ("openai", "gpt-4o-2024-08-06", 500_000, 1)
    ]


def test_a_preview_writes_nothing(store: Store, keeper: Keeper, journal_of: Callable[..., Journal]) -> None:
    fill(keeper, journal_of(), settled())
    before = contents(store)
    assert corrections.preview(store, at(1), None, None) == 1
    assert contents(store) == before


def test_a_correction_that_another_builds_on_is_not_undone_first(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal]
) -> None:
    fill(keeper, journal_of(), settled())
    first, second = reprice(store, at(1)), reprice(store, at(2))
    assert first
    assert second
    with pytest.raises(StoreError, match=f"undo {second.version} first"):
        corrections.undo(store, first.version, nothing)
    corrections.undo(store, second.version, nothing)
    corrections.undo(store, first.version, nothing)
    assert query.report(store).total.cost_nano_usd == 500_000
    with pytest.raises(StoreError, match="undone already"):
        corrections.undo(store, first.version, nothing)
    with pytest.raises(StoreError, match="no correction 99"):
        corrections.undo(store, 99, nothing)


class Killed(Exception):
    pass


def test_a_correction_that_was_killed_can_be_undone(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "AT_ONCE", 2)
    fill(keeper, journal_of(), *(settled(f"fr_{number}") for number in range(5)))
    before = contents(store)

    def killed() -> None:
        raise Killed

    with pytest.raises(Killed):
        corrections.correct(store, "reprice", "test", at(1), killed)
    assert query.report(store).total.cost_nano_usd == 3 * 500_000 + 2
    (its,) = corrections.corrections(store)
    assert its.state == "begun"
    with pytest.raises(Killed):
        corrections.undo(store, its.version, killed)
    assert corrections.undo(store, its.version, nothing).requests == 0, "it was put back before it was stopped"
    assert contents(store) == before


def test_the_keeper_works_on_meanwhile(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two transactions of a correction the keeper enters more, also what is in the correction's way."""
    monkeypatch.setattr(corrections, "AT_ONCE", 1)
    journal = journal_of()
    fill(keeper, journal, settled("a"), settled("b"))
    more = iter([settled("c"), settled("d")])

    def entering() -> None:
        one = next(more, None)
        if one is not None:
            fill(keeper, journal, one)

    made = corrections.correct(store, "reprice", "test", at(1), entering)
    assert made
    assert made.requests == 4
    assert query.report(store).total.cost_nano_usd == 4
    corrections.undo(store, made.version, nothing)
    assert query.report(store).total.cost_nano_usd == 4 * 500_000


def test_an_ending_that_turned_up_after_the_correction_stays(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal]
) -> None:
    dead = journal_of()
    dead.append(opened())
    dead.close()
    keeper.run_once()

    def closed(request: Settled) -> Settled:
        its = msgspec.structs.replace(request.calls[0], cost_nano=42, cost_source="usage", price_version="statement x")
        return with_calls(request, [its])

    made = corrections.correct(store, "reconcile", "x", closed, nothing)
    assert made
    assert query.report(store).total.cost_nano_usd == 42
    fill(keeper, journal_of(), settled())
    assert query.report(store).total.cost_nano_usd == 500_000
    undone = corrections.undo(store, made.version, nothing)
    assert (undone.requests, undone.replaced) == (0, 1)
    assert query.report(store).total.cost_nano_usd == 500_000


def test_what_is_past_the_retention_stays_corrected(
    store: Store, keeper: Keeper, journal_of: Callable[..., Journal]
) -> None:
    fill(keeper, journal_of(), settled("old", ts=NOW - 3 * 86_400), settled("new"))
    made = reprice(store, at(1))
    assert made
    prune(store, NOW)
    undone = corrections.undo(store, made.version, nothing)
    assert (undone.requests, undone.gone) == (1, 1)
    assert query.report(store).total.cost_nano_usd == 500_001
