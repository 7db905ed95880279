from __future__ import annotations

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger.segments import read_entries, segments

from .conftest import opened, settled

LINES = [msgspec.json.encode(entry) + b"\n" for entry in (opened(), settled(), opened("fr_2"), settled("fr_2"))]


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    for name in ("1-2-3.jsonl", "1-2-10.jsonl", ".1-2-4.jsonl", "notes.txt", "1-2.jsonl"):
        (tmp_path / name).touch()
    assert [one.seq for one in segments(tmp_path)] == [3, 10]
    assert segments(tmp_path / "nowhere") == []


def test_a_torn_last_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "1-1-1.jsonl"
    path.write_bytes(LINES[0] + LINES[1][:50])
    first = read_entries(path)
    assert first.entries == [opened()]
    path.write_bytes(LINES[0] + LINES[1])
    assert read_entries(path, first.offset).entries == [settled()]


def test_of_a_dead_owner_the_last_line_counts_if_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "1-1-1.jsonl"
    path.write_bytes(LINES[0] + LINES[1][:-1])
    assert read_entries(path, ended=True).entries == [opened(), settled()]
    path.write_bytes(LINES[0] + LINES[1][:-9])
    torn = read_entries(path, ended=True)
    assert (torn.entries, torn.corrupt, torn.offset) == ([opened()], 1, path.stat().st_size)


def test_corrupt_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "1-1-1.jsonl"
    path.write_bytes(b"".join([LINES[0], b"\xff\xfe\n", b'{"t":"x"}\n', b"\n", b"[]\n", LINES[1]]))
    found = read_entries(path)
    assert found.entries == [opened(), settled()]
    assert found.corrupt == 3


@given(sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=60), cut=st.integers(0, 5_000))
def test_any_reading_in_pieces_gives_the_same(tmp_path_factory, sizes: list[int], cut: int) -> None:
    path = tmp_path_factory.mktemp("journal") / "1-1-1.jsonl"
    data = b"".join(LINES)
    entries, offset, corrupt = [], 0, 0
    for end in (min(cut, len(data)), len(data)):
        path.write_bytes(data[:end])
        for size in [*sizes, 1, 1, 1, 1]:
            chunk = read_entries(path, offset, size=size)
            entries += chunk.entries
            offset, corrupt = chunk.offset, corrupt + chunk.corrupt
    assert (entries, offset, corrupt) == ([opened(), settled(), opened("fr_2"), settled("fr_2")], len(data), 0)
