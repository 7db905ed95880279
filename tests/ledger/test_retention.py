from __future__ import annotations

from pathlib import Path

from farthing.ledger import listing, query
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.records import Shape
from farthing.ledger.retention import AT_ONCE, Pruner, prune
from farthing.ledger.store import Store, open_store

from .conftest import NOW, settled

DAY = 86_400
MIDNIGHT = NOW // DAY * DAY


def fill(keeper: Keeper, folder: Path, number: int = 10) -> None:
    """A request an hour, backwards, the newest an hour before midnight."""
    journal = Journal(folder, lambda: NOW)
    for hours in range(1, number + 1):
        shape = Shape(f"k{hours}", (), "T", f"secret-question-{hours}.")
        journal.append(settled(f"fr_{hours}", ts=MIDNIGHT - hours * 3_600, shape=shape))
    keeper.run_once()
    journal.close()
    keeper.run_once()


def test_retention_really_deletes(store: Store, keeper: Keeper, folder: Path) -> None:
    fill(keeper, folder, 48)
    keeper.close()
    before = query.report(store, "user")
    assert prune(store, MIDNIGHT - DAY + 5 * 3_600) == 24
    assert {one.request.id for one in listing.requests(store, 99)} == {f"fr_{n}" for n in range(1, 25)}
    assert query.report(store, "user") == before, "the sums stay"
    assert {one.example for one in listing.query_types(store)} == {"", *(f"secret-question-{n}." for n in range(1, 25))}
    store.close()
    bytes_left = b"".join(path.read_bytes() for path in store.path.parent.iterdir() if path.is_file())
    assert b"secret-question-24." in bytes_left
    assert b"secret-question-25." not in bytes_left
    assert b"call-fr_25" not in bytes_left


def test_before_the_horizon_bounds_are_whole_buckets(store: Store, keeper: Keeper, folder: Path) -> None:
    fill(keeper, folder)
    prune(store, MIDNIGHT)
    half = MIDNIGHT - 2.5 * 3_600
    early, late = query.report(store, until=half).total, query.report(store, since=half).total
    assert (early.requests, late.requests) == (7, 3)
    users = query.report(store, "user", since=half)
    assert [row.requests for row in users.rows] == [10], "users are summed by the day"


def test_pruning_twice_keeps_the_later_horizon(store: Store, keeper: Keeper, folder: Path) -> None:
    fill(keeper, folder, 48)
    prune(store, MIDNIGHT)
    prune(store, MIDNIGHT - DAY)
    with store.reading() as connection:
        assert listing.horizon(connection) == MIDNIGHT


def test_the_keeper_deletes_a_little_at_a_time(tmp_path: Path, folder: Path) -> None:
    now = NOW
    store = open_store(f"sqlite:///{tmp_path / 'farthing.db'}", lambda: now)
    keeper = Keeper(store, folder, lambda: now)
    fill(keeper, folder, AT_ONCE + 5)
    pruner = Pruner(store, 3_600.0)
    assert [pruner(), pruner(), pruner()] == [True, False, False]
    assert listing.requests(store, 9) == []
    fill(keeper, folder, 3)
    assert not pruner(), "it looks again in an hour"
    assert len(listing.requests(store, 9)) == 3
    now += 3_600
    assert not pruner()
    assert listing.requests(store, 9) == []
    assert not Pruner(store, None)()
    keeper.close()
    store.close()
