"""The keeper's pulse: readable by anybody, without a database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from farthing.errors import StoreError
from farthing.ledger import pulse
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.pulse import EVERY_S, Pulse
from farthing.ledger.segments import Chunk, Segment
from farthing.ledger.store import Store

from .conftest import NOW, settled


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticking() -> Clock:
    return Clock()


@pytest.fixture
def own(store: Store, tmp_path: Path, journal_of: Callable[..., Journal], ticking: Clock) -> Keeper:
    journal = journal_of()
    journal.append(settled())
    return Keeper(store, journal._directory, ticking)


def test_it_beats_where_the_keeper_has_done_its_work(store: Store, own: Keeper, ticking: Clock) -> None:
    path = pulse.lock_file(store.path)
    assert (pulse.read(path), pulse.is_held(path)) == (None, False)
    own.run_once()
    assert pulse.read(path) == Pulse(os.getpid(), NOW)
    assert pulse.is_held(path)
    ticking.now += EVERY_S / 2
    own.run_once()
    assert pulse.read(path) == Pulse(os.getpid(), NOW)
    ticking.now += EVERY_S
    own.run_once()
    assert pulse.read(path) == Pulse(os.getpid(), NOW + 1.5 * EVERY_S)
    own.close()
    assert not pulse.is_held(path)


def test_a_keeper_that_fails_says_why_and_since_when(
    store: Store, own: Keeper, ticking: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.run_once()
    ticking.now += 100.0
    with monkeypatch.context() as broken:
        broken.setattr(own, "_ingest", _full)
        for _ in range(2):
            with pytest.raises(StoreError, match="the disk is full"):
                own.run_once()
        found = pulse.read(pulse.lock_file(store.path))
        assert found is not None
        assert found.at == NOW
        assert "the disk is full" in (found.problem or "")
    own.run_once()
    assert pulse.read(pulse.lock_file(store.path)) == Pulse(os.getpid(), NOW + 100.0)
    own.close()


def _full() -> int:
    raise sqlite3.OperationalError("database or disk is full")


def test_it_tells_how_far_behind_it_is(store: Store, own: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    enter = own._enter

    def entering(segment: Segment, chunk: Chunk) -> int:
        seen.append(own._behind)
        return enter(segment, chunk)

    monkeypatch.setattr(own, "_enter", entering)
    own.run_once()
    assert seen == [sum(path.stat().st_size for path in own._journal.iterdir())]
    assert own._behind == 0
    own.close()


@pytest.mark.parametrize("text", [b"", b"{", b'{"pid":1}', b"old lock file"])
def test_what_is_no_pulse_is_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "l.db.writer"
    path.write_bytes(text)
    assert pulse.read(path) is None


def test_a_shorter_one_leaves_nothing_of_a_longer(tmp_path: Path) -> None:
    path = tmp_path / "l.db.writer"
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    for one in (Pulse(1, 1.0, 5, "a long story"), Pulse(1, 2.0)):
        pulse.show(handle, one)
        assert pulse.read(path) == one
    assert path.read_bytes().count(b"\n") == 1
    os.close(handle)
