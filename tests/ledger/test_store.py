from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from farthing import __version__
from farthing.errors import StoreError
from farthing.ledger import listing, query, schema, upgrade
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.store import Store, open_store

from .conftest import clock, settled


def tables(path: Path) -> dict[str, list[str]]:
    engine = create_engine(f"sqlite:///{path}")
    found = {
        name: sorted(column["name"] for column in inspect(engine).get_columns(name))
        for name in inspect(engine).get_table_names()
    }
    engine.dispose()
    found.pop("alembic_version", None)
    return found


def test_a_new_ledger_has_the_tables_of_the_schema(store: Store) -> None:
    expected = {name: sorted(table.columns.keys()) for name, table in schema.metadata.tables.items()}
    assert tables(store.path) == expected


def test_indexes_are_those_of_the_schema(store: Store) -> None:
    engine = create_engine(f"sqlite:///{store.path}")
    for name, table in schema.metadata.tables.items():
        made = {index["name"] for index in inspect(engine).get_indexes(name)}
        assert made == {index.name for index in table.indexes}
    engine.dispose()


def test_the_version_is_that_of_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "farthing.ledger:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == upgrade.VERSION


def test_migrations_go_up_and_down(store: Store) -> None:
    upgrade.migrate(store.path, "base")
    assert tables(store.path) == {}
    upgrade.prepare(store.path)
    assert "requests" in tables(store.path)


def test_opening_again_needs_no_alembic(store: Store) -> None:
    code = (
        "import sys, time; from farthing.ledger.store import open_store; "
        f"open_store('sqlite:///{store.path}', time.time); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_ledger_of_a_newer_version_is_refused_with_both_versions(store: Store) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        connection.execute("UPDATE meta SET value = ? WHERE name = 'farthing'", (b"9.8.7",))
        connection.commit()
    with pytest.raises(StoreError) as caught:
        open_store(f"sqlite:///{store.path}", clock)
    for part in (str(store.path), "9.8.7", "0099", __version__, upgrade.VERSION, "install the newer farthing"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not a database at all, but long enough to be looked at. " * 30, "no SQLite database")],
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "farthing.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=message):
        open_store(f"sqlite:///{path}", clock)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title)")
    with pytest.raises(StoreError, match="another program"):
        open_store(f"sqlite:///{path}", clock)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file.*cannot be"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'farthing.db'}", clock)
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StoreError, match=r"folder\.db.*change \[store\] url"):
        open_store(f"sqlite:///{tmp_path / 'folder.db'}", clock)


def test_a_read_only_database_is_named(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(folder, clock)
    journal.append(settled())
    read_only = sqlite3.connect(f"file:{store.path}?mode=ro", uri=True, isolation_level=None)
    monkeypatch.setattr(store, "writer", lambda: read_only)
    keeper = Keeper(store, folder, clock)
    with pytest.raises(StoreError, match="check the rights"):
        keeper.run_once()
    keeper.close()
    journal.close()


def test_postgresql_is_not_there_yet() -> None:
    with pytest.raises(StoreError, match="keeps its ledger in SQLite"):
        open_store("postgresql://localhost/farthing", clock)


def test_two_processes_may_make_the_ledger_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'farthing.db'}"
    code = f"import time; from farthing.ledger.store import open_store; open_store({url!r}, time.time).close()"
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    store = open_store(url, clock)
    assert query.report(store).total.requests == 0
    store.close()


def test_who_changes_the_journal_mode_waits_for_others(tmp_path: Path) -> None:
    path = tmp_path / "farthing.db"
    other = upgrade.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.2, other.close)
    with closing(upgrade.connect(path, timeout=0.0)) as connection:
        timer.start()
        upgrade._use_wal(connection)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    timer.join()


def test_reading_from_many_threads_while_the_keeper_writes(store: Store, keeper: Keeper, folder: Path) -> None:
    journal = Journal(folder, clock)
    problems: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(20):
                total = query.report(store).total
                assert total.requests == total.provider_calls
                listing.requests(store, 5)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(60):
        journal.append(settled(f"fr_{number}"))
        keeper.run_once()
    for thread in threads:
        thread.join()
    assert problems == []
    journal.close()


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError), store.reading() as connection:
        connection.execute("DELETE FROM meta")
