from __future__ import annotations

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger.records import Entry
from farthing.ledger.segments import Chunk, read_entries, segments

from .conftest import opened, settled

LINES = [msgspec.json.encode(entry) + b"\n" for entry in (opened(), settled(), opened("fr_2"), settled("fr_2"))]


def entries_of(chunk: Chunk, size: int = 1_000) -> tuple[list[Entry], int]:
    pieces = list(chunk.pieces(size))
    return [entry for piece in pieces for entry in piece.entries], sum(piece.corrupt for piece in pieces)


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    for name in ("1-2-3.jsonl", "1-2-10.jsonl", ".1-2-4.jsonl", "notes.txt", "1-2.jsonl"):
        (tmp_path / name).touch()
    assert [one.seq for one in segments(tmp_path)] == [3, 10]
    assert segments(tmp_path / "nowhere") == []


def test_a_torn_last_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "1-1-1.jsonl"
    path.write_bytes(LINES[0] + LINES[1][:50])
    first = read_entries(path)
    assert entries_of(first) == ([opened()], 0)
    path.write_bytes(LINES[0] + LINES[1])
    assert entries_of(read_entries(path, first.offset)) == ([settled()], 0)


def test_of_a_dead_owner_the_last_line_counts_if_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "1-1-1.jsonl"
    path.write_bytes(LINES[0] + LINES[1][:-1])
    assert entries_of(read_entries(path, ended=True)) == ([opened(), settled()], 0)
    path.write_bytes(LINES[0] + LINES[1][:-9])
    torn = read_entries(path, ended=True)
    assert (entries_of(torn), torn.offset) == (([opened()], 1), path.stat().st_size)


def test_corrupt_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "1-1-1.jsonl"
    path.write_bytes(b"".join([LINES[0], b"\xff\xfe\n", b'{"t":"x"}\n', b"\n", b"[]\n", LINES[1]]))
    for size in (1, 10, 1_000_000):
        assert entries_of(read_entries(path), size) == ([opened(), settled()], 3)


@given(sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=60), cut=st.integers(0, 5_000))
def test_any_reading_in_pieces_gives_the_same(tmp_path_factory, sizes: list[int], cut: int) -> None:
    path = tmp_path_factory.mktemp("journal") / "1-1-1.jsonl"
    data = b"".join(LINES)
    entries, offset, corrupt = [], 0, 0
    for end in (min(cut, len(data)), len(data)):
        path.write_bytes(data[:end])
        for size in [*sizes, 1, 1, 1, 1]:
            chunk = read_entries(path, offset, size=size)
            found, bad = entries_of(chunk, size)
            entries += found
            offset, corrupt = chunk.offset, corrupt + bad
    assert (entries, offset, corrupt) == ([opened(), settled(), opened("fr_2"), settled("fr_2")], len(data), 0)
