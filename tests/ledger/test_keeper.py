from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from farthing.errors import StoreError
from farthing.ledger import listing, query
from farthing.ledger.histogram import unpack
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper, run
from farthing.ledger.miner import KeyMiner
from farthing.ledger.records import Entry, Opened, Settled, Shape
from farthing.ledger.segments import segments
from farthing.ledger.store import Store, open_store
from farthing.ledger.sums import Sums
from farthing.ledger.upgrade import VERSION
from farthing.types import Caller

from .conftest import NOW, call, clock, opened, settled
from .strategies import requests

Maker = Callable[..., Journal]


def rows_of(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(store.path) as connection:
        return connection.execute(statement).fetchall()


def assert_sums_equal_rows(store: Store) -> None:
    """What the roll-ups and histograms say is what the rows say, whatever has happened."""
    found = [one for one in listing.requests(store, 10_000) if one.state != "open"]
    expected = Sums((one.request, one.query_type) for one in found)
    for table, its in zip(("rollups", "daily"), expected.sums(), strict=True):
        kept = {row[:4]: row[4:] for row in rows_of(store, f"SELECT * FROM {table}")}
        assert {key: vector for key, vector in kept.items() if any(vector)} == its
    histograms = {row[:4]: unpack(row[4]) for row in rows_of(store, "SELECT * FROM histograms")}
    assert {key: counts for key, counts in histograms.items() if counts} == {
        key: counts for key, counts in expected.histograms().items() if counts
    }


def test_what_was_journaled_is_in_the_ledger(store: Store, keeper: Keeper, journal_of: Maker) -> None:
    journal = journal_of()
    journal.append(opened())
    journal.append(settled())
    assert keeper.run_once() == 1
    found = listing.request(store, "fr_1")
    assert found is not None
    assert found.state == "settled"
    assert found.request.calls == (call(id="call-fr_1"),)
    assert keeper.run_once() == 0
    assert_sums_equal_rows(store)


def test_a_segment_is_deleted_when_its_owner_has_ended(keeper: Keeper, journal_of: Maker, folder: Path) -> None:
    journal = journal_of()
    journal.append(settled())
    keeper.run_once()
    assert len(segments(folder)) == 1
    assert keeper.living
    journal.close()
    keeper.run_once()
    assert segments(folder) == []
    assert not keeper.living


def test_a_request_under_way_is_shown_as_open(store: Store, keeper: Keeper, journal_of: Maker) -> None:
    journal = journal_of()
    journal.append(opened())
    keeper.run_once()
    found = listing.request(store, "fr_1")
    assert found is not None
    assert found.state == "open"
    total = query.report(store).total
    assert (total.requests, total.provider_calls, total.unsettled_calls, total.cost_nano_usd) == (1, 1, 1, 0)
    journal.append(settled())
    keeper.run_once()
    assert query.report(store).total.unsettled_calls == 0
    assert [one.state for one in listing.requests(store, 9)] == ["settled"]


def test_what_a_dead_process_left_open_is_unsettled(store: Store, keeper: Keeper, journal_of: Maker) -> None:
    journal = journal_of()
    journal.append(opened())
    journal.append(opened(call_id="second attempt"))
    journal.append(opened("fr_2"))
    journal.append(settled("fr_2"))
    journal.close()
    keeper.run_once()
    found = listing.request(store, "fr_1")
    assert found is not None
    assert found.state == "unsettled"
    assert [(one.cost_nano, one.cost_source) for one in found.request.calls] == [(None, "unsettled")] * 2
    total = query.report(store).total
    assert (total.requests, total.unsettled_calls, total.cost_nano_usd) == (2, 2, 500_000)
    assert_sums_equal_rows(store)


def test_a_late_settled_corrects_an_unsettled_request(store: Store, keeper: Keeper, journal_of: Maker) -> None:
    first = journal_of()
    first.append(opened())
    first.close()
    keeper.run_once()
    second = journal_of()
    second.append(settled())
    keeper.run_once()
    total = query.report(store).total
    assert (total.requests, total.provider_calls, total.unsettled_calls) == (1, 1, 0)
    assert total.cost_nano_usd == 500_000
    assert_sums_equal_rows(store)


def test_opened_and_settled_in_different_segments_of_one_process(
    store: Store, keeper: Keeper, journal_of: Maker, folder: Path
) -> None:
    journal = journal_of(rotate_bytes=10)
    journal.append(opened())
    keeper.run_once()
    assert len(segments(folder)) == 1, "the one that is full has been read and deleted"
    assert [one.state for one in listing.requests(store, 9)] == ["open"]
    journal.append(settled())
    journal.close()
    keeper.run_once()
    assert [one.state for one in listing.requests(store, 9)] == ["settled"]
    assert segments(folder) == []


def test_ingesting_again_changes_nothing(store: Store, keeper: Keeper, journal_of: Maker, folder: Path) -> None:
    journal = journal_of()
    journal.append(opened())
    journal.append(settled())
    [segment] = segments(folder)
    copy = segment.path.read_bytes()
    journal.close()
    assert keeper.run_once() == 1
    (folder / "1-1-1.jsonl").write_bytes(copy * 2)
    assert keeper.run_once() == 0
    total = query.report(store).total
    assert (total.requests, total.cost_nano_usd, total.unsettled_calls) == (1, 500_000, 0)
    assert_sums_equal_rows(store)


def test_a_ledger_that_has_been_brought_up_to_date_meanwhile_is_left_alone(
    store: Store, keeper: Keeper, journal_of: Maker
) -> None:
    journal = journal_of()
    journal.append(settled())
    keeper.run_once()
    journal.append(settled("fr_2"))
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(StoreError, match="start this one again"):
        keeper.run_once()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (VERSION,))
    assert keeper.run_once() == 1, "nothing is lost"


def test_several_processes_write_at_once(store: Store, keeper: Keeper, journal_of: Maker) -> None:
    journals = [journal_of() for _ in range(4)]
    for number in range(40):
        journals[number % 4].append(settled(f"fr_{number}"))
    assert keeper.run_once() == 40
    journals[0].append(settled("fr_last"))
    assert keeper.run_once() == 1
    assert_sums_equal_rows(store)


def test_there_is_one_keeper_at_a_time(store: Store, folder: Path, journal_of: Maker) -> None:
    first, second = Keeper(store, folder, clock), Keeper(store, folder, clock)
    journal = journal_of()
    journal.append(settled("fr_1"))
    assert first.run_once() == 1
    journal.append(settled("fr_2"))
    assert second.run_once() == 0
    first.close()
    assert second.run_once() == 1
    second.close()


def test_what_no_database_can_hold_does_not_stop_the_rest(store: Store, keeper: Keeper, journal_of: Maker) -> None:
    journal = journal_of()
    journal.append(settled("fr_1"))
    journal.append(settled("fr_huge", latency_us=10**30))
    journal.append(opened("fr_never", ts=1e300))
    journal.append(settled("fr_2"))
    assert keeper.run_once() == 2
    assert keeper.run_once() == 0
    assert rows_of(store, "SELECT corrupt FROM segments") == [(2,)]
    assert_sums_equal_rows(store)


def test_segments_deleted_by_hand_leave_no_request_open(
    store: Store, keeper: Keeper, journal_of: Maker, folder: Path
) -> None:
    journal_of().append(opened())
    keeper.run_once()
    [segment] = segments(folder)
    segment.path.unlink()
    keeper.run_once()
    assert [one.state for one in listing.requests(store, 9)] == ["unsettled"]


class Crash(Exception):
    pass


@pytest.mark.parametrize("statement", ["INSERT INTO calls", "INSERT INTO histograms", "INSERT INTO segments"])
def test_exactly_once_when_the_keeper_dies_inside_a_batch(
    store: Store, folder: Path, journal_of: Maker, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    journal = journal_of()
    for number in range(10):
        journal.append(opened(f"fr_{number}"))
        journal.append(settled(f"fr_{number}"))
    dying = Keeper(store, folder, clock)
    connection = store.writer()

    class Dying:
        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def execute(self, sql: str, *rest: Any) -> Any:
            if sql.startswith(statement):
                raise Crash
            return connection.execute(sql, *rest)

        def executemany(self, sql: str, *rest: Any) -> Any:
            if sql.startswith(statement):
                raise Crash
            return connection.executemany(sql, *rest)

    monkeypatch.setattr(store, "writer", Dying)
    with pytest.raises(Crash):
        dying.run_once()
    assert rows_of(store, "SELECT count(*) FROM requests") == [(0,)]
    monkeypatch.undo()
    dying.close()
    after = Keeper(store, folder, clock)
    assert after.run_once() == 10
    after.close()
    assert_sums_equal_rows(store)


ids = st.sampled_from([f"fr_{number}" for number in range(6)])
entries = st.lists(st.tuples(st.integers(0, 2), st.one_of(requests(ids), st.builds(opened, ids))), max_size=16)


@given(entries=entries, steps=st.lists(st.integers(0, 2), max_size=4), torn=st.integers(0, 200))
@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_interleaving_counts_each_request_once(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[int, Entry]], steps: list[int], torn: int
) -> None:
    """Three processes write, die and are cut; keepers come and go."""
    folder = tmp_path_factory.mktemp("ledger")
    store = open_store(f"sqlite:///{folder / 'f.db'}", clock)
    journals = [Journal(folder / "j", lambda number=number: NOW + number) for number in range(3)]
    written: dict[str, list[Entry]] = {}
    for place, (process, entry) in enumerate(entries):
        journals[process].append(entry)
        written.setdefault(entry.id, []).append(entry)
        if place in steps:
            keeper = Keeper(store, folder / "j", clock)
            keeper.run_once()
            keeper.close()
            assert_sums_equal_rows(store)
    for journal, segment in zip(journals, segments(folder / "j"), strict=True):
        with segment.path.open("ab") as file:
            file.write(msgspec.json.encode(settled("fr_torn"))[:torn])  # cut inside the line
        journal.close()
    keeper = Keeper(store, folder / "j", clock)
    keeper.run_once()
    keeper.close()
    assert segments(folder / "j") == []
    assert_sums_equal_rows(store)
    found = {one.request.id: one for one in listing.requests(store, 99)}
    assert found.keys() == written.keys()
    for id_, its in written.items():
        ended = any(isinstance(entry, Settled) for entry in its)
        assert found[id_].state == ("settled" if ended else "unsettled")
    store.close()


class Learner(KeyMiner):
    """Calls types by numbers, in the order in which it meets them: it has to remember."""

    def __init__(self, dump: bytes | None = None) -> None:
        self.known: list[str] = msgspec.json.decode(dump, type=list[str]) if dump else []

    def assign(self, wire: str, shape: Shape) -> str:
        if shape.key not in self.known:
            self.known.append(shape.key)
        return f"q{self.known.index(shape.key)}"

    def names(self) -> dict[str, str]:
        return {f"q{place}": f"type {key}" for place, key in enumerate(self.known)}

    def dump(self) -> bytes:
        return msgspec.json.encode(self.known)


def test_the_miner_goes_on_where_it_stopped(store: Store, folder: Path, journal_of: Maker) -> None:
    journal = journal_of()
    for id_, key in (("fr_1", "b"), ("fr_2", "a"), ("fr_3", "a")):
        journal.append(settled(id_, shape=Shape(key)))
        keeper = Keeper(store, folder, clock, Learner)
        keeper.run_once()
        keeper.close()
    assert {row.key: row.requests for row in query.report(store, "query_type").rows} == {"q0": 1, "q1": 2}
    assert {one.id: one.name for one in listing.query_types(store)} == {"q0": "type b", "q1": "type a"}


def test_a_dump_of_another_miner_is_no_reason_to_stop(store: Store, folder: Path, journal_of: Maker) -> None:
    journal = journal_of()
    journal.append(settled())
    for miner in (Learner, KeyMiner):
        keeper = Keeper(store, folder, clock, miner)
        keeper.run_once()
        keeper.close()
    assert query.report(store).total.requests == 1


def test_query_types_show_their_dearest_request(store: Store, keeper: Keeper, journal_of: Maker) -> None:
    journal = journal_of()
    for number, cost in enumerate((5, 9, 7)):
        journal.append(
            settled(f"fr_{number}", ts=NOW - number, cost_nano=cost, shape=Shape("k", (), "T", f"question {number}"))
        )
        keeper.run_once()
    journal.append(settled("fr_other", caller=Caller("globex"), cost_nano=99, shape=Shape("k", (), "T", "secret")))
    keeper.run_once()
    [found] = listing.query_types(store, "acme")
    assert (found.example_id, found.example, found.example_cost_nano) == ("fr_1", "question 1", 9)
    assert (found.name, found.first_seen, found.last_seen) == ("T", NOW - 2, NOW)


def test_a_full_disk_of_the_database_loses_nothing(
    store: Store, keeper: Keeper, journal_of: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = store.writer()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    monkeypatch.setattr(store, "writer", lambda: connection)
    journal = journal_of()
    for number in range(1_000):
        journal.append(settled(f"fr_{number}-{'x' * 5_000}"))
    with pytest.raises(StoreError, match="the disk is full"):
        keeper.run_once()
    before = query.report(store).total.requests
    connection.execute("PRAGMA max_page_count=1000000")
    assert before + keeper.run_once() == len(listing.requests(store, 10_000)) == 1_000
    assert_sums_equal_rows(store)


class Parent:
    """Ends at the third look."""

    looks = 0

    def ended(self, _seconds: float) -> bool:
        self.looks += 1
        return self.looks > 2


def test_after_the_parent_has_ended_there_is_a_last_ingest(store: Store, keeper: Keeper, journal_of: Maker) -> None:
    journal = journal_of()
    journal.append(opened())
    parent = Parent()

    def between() -> bool:
        if parent.looks == 2:
            journal.append(settled())
            journal.close()
        return False

    run(keeper, parent.ended, between)
    assert [one.state for one in listing.requests(store, 9)] == ["settled"]


def test_the_command_ingests_until_its_standard_input_ends(tmp_path: Path, folder: Path) -> None:
    journal = Journal(folder, clock)
    journal.append(opened())
    journal.append(settled())
    url = f"sqlite:///{tmp_path / 'farthing.db'}"
    command = [sys.executable, "-m", "farthing.ledger.keeper", "--store", url, "--journal", str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": "error"})
    journal.close()
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0
    store = open_store(url, clock)
    assert [one.request.id for one in listing.requests(store, 9)] == ["fr_1"]
    store.close()


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "farthing.db").write_text("certainly no database, but a text that is long enough to look at " * 20)
    command = [sys.executable, "-m", "farthing.ledger.keeper", "--store", f"sqlite:///{tmp_path / 'farthing.db'}"]
    done = subprocess.run([*command, "--journal", str(tmp_path)], check=False, capture_output=True, text=True, input="")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no SQLite database" in done.stderr


def test_an_opened_that_comes_again_after_its_end_opens_nothing(
    store: Store, keeper: Keeper, journal_of: Maker
) -> None:
    journal = journal_of()
    journal.append(settled())
    keeper.run_once()
    late: Opened = opened()
    journal.append(late)
    keeper.run_once()
    assert [one.state for one in listing.requests(store, 9)] == ["settled"]
