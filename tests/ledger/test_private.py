from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest

from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.private import make_file, make_folder
from farthing.ledger.store import open_store

from .conftest import clock, settled


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    """A umask that takes no rights away."""
    before = os.umask(0)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return S_IMODE(path.stat().st_mode)


def test_what_people_ask_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "farthing.db"
    store = open_store(f"sqlite:///{path}", clock)
    journal = Journal(tmp_path / "else" / "where" / "farthing.db.journal", clock)
    journal.append(settled())
    keeper = Keeper(store, tmp_path / "else" / "where" / "farthing.db.journal", clock)
    assert keeper.run_once() == 1
    found = {one.relative_to(tmp_path).as_posix(): rights(one) for one in tmp_path.rglob("*")}
    assert {"deep/down/farthing.db", "deep/down/farthing.db-wal", "deep/down/farthing.db-shm"} <= found.keys()
    assert [name for name, mode in found.items() if mode not in {0o600, 0o700}] == []
    assert [name for name, mode in found.items() if (mode == 0o700) != (tmp_path / name).is_dir()] == []
    journal.close()
    keeper.close()
    store.close()


def test_what_is_there_keeps_its_rights(tmp_path: Path) -> None:
    """Somebody may have opened it to a group on purpose."""
    folder, file = tmp_path / "shared", tmp_path / "shared" / "farthing.db"
    folder.mkdir(mode=0o750)
    file.touch(mode=0o640)
    file.write_bytes(b"kept")
    make_folder(folder)
    make_file(file)
    assert (rights(folder), rights(file), file.read_bytes()) == (0o750, 0o640, b"kept")


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(OSError):
            make_folder(path)
