from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from farthing.ledger import listing, query, upgrade
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.records import Shape
from farthing.ledger.store import open_store
from farthing.types import Caller

from .conftest import NOW, clock, settled

DAY = 86_400
TABLES = ("requests", "calls", "savings", "rollups", "histograms")


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: sorted(connection.execute(f"SELECT * FROM {name}")) for name in TABLES}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """A ledger as version 0001 wrote it: what this version makes of some requests, brought back."""
    path = tmp_path / "farthing.db"
    store = open_store(f"sqlite:///{path}", clock)
    journal = Journal(tmp_path / "j", clock)
    for number in range(60):
        caller = Caller(("acme", "globex")[number % 2], f"user-{number % 5}", "chat")
        shape = Shape("shared" if number % 3 else f"of {caller.tenant}", (), "the secret of one")
        journal.append(
            settled(f"fr_{number}", ts=NOW - number * 3_000, caller=caller, shape=shape, latency_us=1_000 * number)
        )
    keeper = Keeper(store, tmp_path / "j", clock)
    keeper.run_once()
    keeper.close()
    journal.close()
    store.close()
    upgrade.migrate(path, "0001")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO meta VALUES ('miner', 'knows all tenants')")
        connection.commit()
    return path


def test_an_old_ledger_has_lists_of_histograms_and_users_among_the_hours(old: Path) -> None:
    kept = contents(old)
    assert {row[0] for row in kept["rollups"]} >= {"user", "total", "feature"}
    for *_, counts in kept["histograms"]:
        assert len(msgspec.msgpack.decode(counts, type=list[dict[int, int]])) == 4


@pytest.mark.parametrize("since", [None, NOW - DAY - 1.5, NOW // DAY * DAY])
@pytest.mark.parametrize("by", ["user", "feature", "query_type", "day", "hour", "tenant", "model"])
def test_reports_are_the_same_after_an_upgrade(tmp_path: Path, old: Path, by: query.By, since: float | None) -> None:
    new = open_store(f"sqlite:///{tmp_path / 'new.db'}", clock)
    journal = Journal(tmp_path / "again", clock)
    store = open_store(f"sqlite:///{old}", clock)
    for one in listing.requests(store, 100):
        shape = Shape(one.query_type, (), "the secret of one")
        journal.append(msgspec.structs.replace(one.request, shape=shape))
    keeper = Keeper(new, tmp_path / "again", clock)
    keeper.run_once()
    assert query.report(store, by, since) == query.report(new, by, since)
    assert query.report(store).total.requests == 60
    for one in (keeper, journal, store, new):
        one.close()


def test_up_and_back_again_changes_nothing(old: Path) -> None:
    before = contents(old)
    upgrade.prepare(old)
    assert contents(old) != before
    upgrade.migrate(old, "0001")
    assert contents(old) == before


def test_names_that_may_be_anothers_words_are_taken_back(old: Path) -> None:
    store = open_store(f"sqlite:///{old}", clock)
    named = {(one.tenant, one.id): one.name for one in listing.query_types(store)}
    assert named == {
        ("acme", "shared"): "shared",
        ("globex", "shared"): "shared",
        ("acme", "of acme"): "the secret of one",
        ("globex", "of globex"): "the secret of one",
    }
    with store.reading() as connection:
        assert connection.execute("SELECT * FROM meta WHERE name = 'miner'").fetchall() == []
    store.close()
