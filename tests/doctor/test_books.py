"""The ledger as it lies there; nothing of it is changed."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.conftest import call, opened, settled

from farthing.doctor import books
from farthing.ledger import pulse
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.pulse import Pulse
from farthing.ledger.store import open_store
from farthing.ledger.upgrade import prepare

from .conftest import NOW, only, states


def clock():
    return NOW


@pytest.fixture
def entered(policy):
    """A ledger with these entries, of a process that has ended."""

    def entered(*entries, garbage=b""):
        journal = Journal(Path(policy.store.journal), clock)
        for one in entries:
            journal.append(one)
        if garbage:
            with next(Path(policy.store.journal).glob("*.jsonl")).open("ab") as file:
                file.write(garbage)
        journal.close()
        keeper = Keeper(open_store(policy.store.url, clock), Path(policy.store.journal), clock)
        keeper.run_once()
        keeper.close()

    return entered


def by_check(found):
    return {one.check: one for one in found}


def test_no_ledger_yet(policy):
    assert only(books.ledger(policy)).state == "ok"
    assert not Path(policy.store.path).exists()


def test_all_is_well(policy, entered):
    entered(settled())
    assert states(books.ledger(policy)) == [("ledger", "ok"), ("unsettled", "ok"), ("unpriced", "ok")]


def test_what_is_not_known_is_counted_and_named(policy, entered):
    unpriced = call(
        id="c2", model="new-1", model_reported=None, cost_nano=None, cost_source="unpriced", price_version=None
    )
    entered(
        settled("fr_1"),
        settled("fr_2", calls=(unpriced,), cost_nano=None, baseline_nano=None),
        opened("fr_3"),
        garbage=b"no entry\n",
    )
    found = by_check(books.ledger(policy))
    assert found["unsettled"].found.startswith("1 calls")
    assert found["unpriced"].found == "1 calls without a price: openai/new-1 (1)"
    assert found["corrupt lines"].found == "1 lines of the journal were none"
    assert {one.state for one in found.values()} == {"ok", "warn"}


@pytest.mark.parametrize(("version", "state"), [("0000", "warn"), ("9999", "bad")])
def test_another_version(policy, version, state):
    prepare(Path(policy.store.path))
    with closing(sqlite3.connect(policy.store.path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    assert only(books.ledger(policy)).state == state


def test_no_ledger_at_all(policy):
    Path(policy.store.path).write_text("a letter to Mara\n" * 100)
    one = only(books.ledger(policy))
    assert (one.state, "no SQLite database" in one.found) == ("bad", True)
    Path(policy.store.path).write_bytes(b"")
    assert only(books.ledger(policy)).state == "bad"


def keeper(policy, *, serving=False, now=NOW):
    return only(books.keeper(policy, now, serving=serving))


def test_nobody_serves(policy):
    assert keeper(policy).found == "no gateway runs, and nothing waits"
    journal = Journal(Path(policy.store.journal), clock)
    journal.append(settled())
    journal.close()
    assert (keeper(policy).state, "1 files of the journal" in keeper(policy).found) == ("warn", True)
    assert books.writers(policy) == []


def test_a_gateway_without_a_keeper(policy):
    journal = Journal(Path(policy.store.journal), clock)
    assert books.writers(policy) == [os.getpid()]
    assert keeper(policy).state == "bad"
    journal.close()


def test_a_keeper_at_work_and_one_that_is_stuck(policy):
    store = open_store(policy.store.url, clock)
    its = Keeper(store, Path(policy.store.journal), clock)
    its.run_once()
    assert keeper(policy).found == f"at work (process {os.getpid()})"
    stuck = keeper(policy, now=NOW + 300)
    assert (stuck.state, "has done nothing for 300 s" in stuck.found) == ("bad", True)
    pulse.show(its._lock, Pulse(1, NOW, 2 << 30))
    assert "behind" in keeper(policy).found
    its.close()
    store.close()
