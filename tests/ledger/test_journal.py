from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from farthing.errors import StoreError
from farthing.ledger.journal import Journal
from farthing.ledger.segments import claim, read_entries, segments

from .conftest import NOW, clock, opened, settled


class Disk:
    """Stands before ``os.write``: takes ``room`` bytes, then fails as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, handle: int, data: bytes) -> int:
        if self.room is None:
            return self._write(handle, data)
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(handle, bytes(data[: self.room]))
        self.room -= written
        return written


def entries(folder: Path) -> list[object]:
    return [entry for one in segments(folder) for entry in read_entries(one.path).entries]


def test_what_is_appended_is_read_in_order(folder: Path) -> None:
    journal = Journal(folder, clock)
    journal.append(opened())
    journal.append(settled())
    assert entries(folder) == [opened(), settled()]
    assert journal.health().ok
    journal.close()


def test_an_entry_is_in_the_file_before_append_returns(folder: Path) -> None:
    journal = Journal(folder, clock)
    journal.append(opened())
    [segment] = segments(folder)
    assert segment.path.read_bytes().endswith(b"}\n")
    journal.close()


def test_gathered_entries_are_written_with_one_call_by_flush(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: writes.append(bytes(data)) or real(handle, data))
    journal = Journal(folder, clock)
    woken: list[None] = []
    journal.gather(lambda: woken.append(None))
    journal.append(opened())
    journal.append(settled(model="gpt\ud800"))
    journal.append(settled("fr_3"))
    assert (len(woken), writes, entries(folder)) == (3, [], [])
    journal.flush()
    journal.flush()
    assert len(writes) == 1
    assert entries(folder) == [opened(), settled(model="gpt?"), settled("fr_3")]
    journal.append(settled("fr_4"))
    journal.close()
    assert entries(folder)[3:] == [settled("fr_4")]


@pytest.mark.parametrize("room", [0, 1, 500, 1000])
def test_a_full_disk_loses_nothing_that_was_gathered(folder: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    disk = Disk(monkeypatch)
    journal = Journal(folder, clock, backlog=3)
    journal.gather(lambda: None)
    disk.room = room
    for number in range(4):
        journal.append(settled(f"fr_{number}"))
    journal.flush()
    assert (journal.health().pending, journal.health().lost) == (3, 1)
    disk.room = None
    journal.append(settled("fr_4"))
    journal.flush()
    assert journal.health().pending == 0
    found = {entry.id for entry in entries(folder)}  # type: ignore[attr-defined]
    assert found >= {"fr_0", "fr_1", "fr_2", "fr_4"}
    [segment] = segments(folder)
    assert read_entries(segment.path).corrupt == 0
    journal.close()


def test_the_owner_holds_its_segment_until_it_ends(folder: Path) -> None:
    journal = Journal(folder, clock)
    [segment] = segments(folder)
    assert claim(segment.path) is None
    journal.close()
    handle = claim(segment.path)
    assert handle is not None
    os.close(handle)


def test_a_long_journal_goes_on_in_another_segment(folder: Path) -> None:
    journal = Journal(folder, clock, rotate_bytes=500)
    for number in range(4):
        journal.append(settled(f"fr_{number}"))
    found = segments(folder)
    assert [one.seq for one in found] == [1, 2, 3, 4, 5]
    assert [claim(one.path) is None for one in found][-1]
    assert [entry.id for entry in entries(folder)] == ["fr_0", "fr_1", "fr_2", "fr_3"]  # type: ignore[attr-defined]
    journal.close()


def test_full_disk_loses_nothing_and_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    journal = Journal(folder, clock)
    disk.room = 0
    for number in range(200):
        journal.append(settled(f"fr_{number}"))
    health = journal.health()
    assert (health.ok, health.pending, health.lost) == (False, 200, 0)
    assert health.error is not None
    assert "No space left" in health.error
    disk.room = None
    journal.append(settled("fr_last"))
    assert journal.health().ok
    assert [entry.id for entry in entries(folder)] == [*(f"fr_{n}" for n in range(200)), "fr_last"]  # type: ignore[attr-defined]
    journal.close()


@pytest.mark.parametrize("room", [1, 40, 400, 719, 720])
def test_a_torn_line_never_glues_two_entries(folder: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    disk = Disk(monkeypatch)
    journal = Journal(folder, clock)
    disk.room = room
    journal.append(settled("fr_torn"))
    disk.room = None
    journal.append(settled("fr_next"))
    [segment] = segments(folder)
    found = read_entries(segment.path)
    assert {entry.id for entry in found.entries} == {"fr_torn", "fr_next"}
    assert found.offset == segment.path.stat().st_size
    journal.close()


def test_a_backlog_that_is_full_counts_what_it_loses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    journal = Journal(folder, clock, backlog=3)
    disk.room = 0
    for number in range(5):
        journal.append(settled(f"fr_{number}"))
    assert (journal.health().pending, journal.health().lost) == (3, 2)
    disk.room = None
    journal.append(settled("fr_5"))
    assert journal.health().ok
    assert journal.health().lost == 2
    journal.close()
    assert [entry.id for entry in entries(folder)] == ["fr_0", "fr_1", "fr_2", "fr_5"]  # type: ignore[attr-defined]


def test_a_folder_that_cannot_be_used_is_an_error_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written to .*file"):
        Journal(tmp_path / "file", clock)


def test_a_full_disk_at_the_start_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open
    full = True

    def open_(path: str, *rest: int) -> int:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, *rest)

    monkeypatch.setattr(os, "open", open_)
    journal = Journal(folder, clock)
    journal.append(settled())
    assert journal.health().pending == 1
    full = False
    journal.append(settled("fr_2"))
    assert journal.health().ok
    journal.close()


def test_text_that_is_not_unicode_is_written_with_question_marks(folder: Path) -> None:
    journal = Journal(folder, clock)
    journal.append(settled(model="gpt\ud800"))
    [entry] = entries(folder)
    assert entry.model == "gpt?"  # type: ignore[attr-defined]
    journal.close()


def test_fsync_is_called_for_each_entry_if_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    journal = Journal(folder, clock, fsync=True)
    journal.append(settled())
    journal.append(settled("fr_2"))
    assert len(synced) == 2
    journal.close()


def test_two_processes_never_share_a_segment(folder: Path) -> None:
    one, two = Journal(folder, lambda: NOW), Journal(folder, lambda: NOW + 1)
    assert len({segment.owner for segment in segments(folder)}) == 2
    one.close()
    two.close()
