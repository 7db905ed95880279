from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import lmdb
import pytest

from farthing.errors import StoreError
from farthing.levers.recall import ranking
from farthing.levers.recall.store import open_answers

NOW = 1500.0


def reopen(path, max_bytes=1 << 20, now=1000.0):
    return open_answers(path, max_bytes, lambda: now)


def test_identical_repeat_always_hits(store, key, make_answer):
    answer = make_answer()
    assert store.get(key(1), NOW) is None
    assert store.put(key(1), answer, NOW)
    assert store.get(key(1), NOW) == answer  # before it is written
    store.flush()
    assert store.get(key(1), NOW) == answer  # and after
    assert store.get(key(2), NOW) is None


def test_answers_survive_a_restart(tmp_path, key, make_answer):
    first = reopen(tmp_path / "a")
    first.put(key(1), make_answer(usage=None, cost_nano=None, body=b"\x00" * 100_000), NOW)
    first.close()
    again = reopen(tmp_path / "a")
    assert again.get(key(1), NOW) == make_answer(usage=None, cost_nano=None, body=b"\x00" * 100_000)
    assert again.message is None
    again.close()


def test_another_process_sees_what_one_has_written(tmp_path, key, store, make_answer):
    code = """
import sys
from pathlib import Path
from farthing.levers.recall.answer import Answer
from farthing.levers.recall.store import open_answers
store = open_answers(Path(sys.argv[1]), 1 << 20, lambda: 1000.0)
assert store.get((1).to_bytes(32, "big"), 1500.0).request_id == "r1"
fields = dict(wire="w", stored_at=1.0, expires_at=2000.0, streamed=False, body=b"b", content_type="c", provider="p")
store.put((2).to_bytes(32, "big"), Answer(**fields, tenant="t", request_id="r2", usage=None), 1500.0)
store.close()
"""
    store.put(key(1), make_answer(), NOW)
    store.flush()
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "answers")], check=True, timeout=60)
    assert store.get(key(2), NOW).request_id == "r2"
    assert store.stats().entries == 2


def test_expired_answers_are_not_served_and_go(store, key, make_answer):
    store.put(key(1), make_answer(expires_at=1600.0), NOW)
    assert store.get(key(1), 1600.0) is None
    store.flush()
    assert store.get(key(1), 1599.9) is not None
    assert store.get(key(1), 1600.0) is None
    store.flush()
    assert store.stats().entries == 0
    assert not store.put(key(1), make_answer(expires_at=1600.0), 1600.0)


def test_expired_answers_are_deleted_on_opening(tmp_path, key, make_answer):
    first = reopen(tmp_path / "a")
    first.put(key(1), make_answer(expires_at=1600.0), NOW)
    first.put(key(2), make_answer(expires_at=9999.0), NOW)
    first.close()
    again = reopen(tmp_path / "a", now=1700.0)
    again.flush()
    assert again.stats().entries == 1
    again.close()


@pytest.mark.parametrize(
    ("condition", "left"),
    [({}, set()), ({"tenant": "acme"}, {3}), ({"feature": "faq"}, {2, 3}), ({"older_than": 1100.0}, {2})],
)
def test_purge(store, key, make_answer, condition, left):
    store.put(key(1), make_answer(feature="faq"), NOW)
    store.put(key(2), make_answer(stored_at=1200.0), NOW)
    store.put(key(3), make_answer(tenant="globex"), NOW)
    assert store.purge(**condition) == 3 - len(left)
    assert {number for number in (1, 2, 3) if store.get(key(number), NOW)} == left
    assert store.stats().entries == len(left)
    assert (store.stats().bytes == 0) == (not left)


def test_hits_are_counted_over_restarts(tmp_path, key, make_answer):
    first = reopen(tmp_path / "a")
    first.put(key(1), make_answer(), NOW)
    first.touch(key(1))
    first.flush()
    first.touch(key(1))
    assert first.stats().hits == 2
    first.close()
    again = reopen(tmp_path / "a")
    assert again.stats().hits == 2
    again.close()


def test_the_store_stays_within_its_bound(tmp_path, key, make_answer):
    bounded = reopen(tmp_path / "a", max_bytes=200_000)
    for number in range(100):
        bounded.put(key(number), make_answer(body=bytes(8000)), NOW)
    bounded.flush()
    stats = bounded.stats()
    assert stats.bytes <= 200_000
    assert stats.evictions == 100 - stats.entries > 0
    assert stats.errors == stats.dropped == 0
    bounded.close()


def test_answers_that_saved_most_per_byte_stay(tmp_path, key, make_answer):
    bounded = reopen(tmp_path / "a", max_bytes=100_000)
    bounded.put(key(0), make_answer(body=bytes(8000), cost_nano=9_000_000), NOW)  # dear
    bounded.put(key(1), make_answer(body=bytes(8000), cost_nano=1000), NOW)  # cheap, but asked for all the time
    bounded.flush()
    for _ in range(9000):
        bounded.touch(key(1))
    for number in range(2, 30):
        bounded.put(key(number), make_answer(body=bytes(8000), cost_nano=1000), NOW)
        bounded.flush()
    assert bounded.get(key(0), NOW) is not None
    assert bounded.get(key(1), NOW) is not None
    assert bounded.get(key(2), NOW) is None
    bounded.close()


def test_an_answer_larger_than_half_the_store_is_dropped(store, key, make_answer):
    assert not store.put(key(1), make_answer(body=bytes(600_000)), NOW)
    assert store.get(key(1), NOW) is None
    assert store.stats().dropped == 1


def test_a_writer_that_is_behind_drops_and_counts(store, key, make_answer):
    with store._env.begin(write=True):  # somebody else holds the pen
        kept = [store.put(key(number), make_answer(), NOW) for number in range(3000)]
        assert not all(kept)
        assert store.get(key(0), NOW) is not None
        first_dropped = kept.index(False)
        assert store.get(key(first_dropped), NOW) is None
    store.flush()
    stats = store.stats()
    assert stats.entries + stats.evictions == sum(kept)
    assert stats.dropped == 3000 - sum(kept)
    assert store._waiting == {}
    assert store._waiting_bytes == 0


def test_a_replaced_answer_is_counted_once_and_keeps_its_rank(store, key, make_answer):
    store.put(key(1), make_answer(), NOW)
    store.flush()
    before = store.stats().bytes
    store.touch(key(1))
    store.put(key(1), make_answer(request_id="r2"), NOW)
    store.flush()
    assert store.get(key(1), NOW).request_id == "r2"
    assert store.stats().bytes == before
    with store._env.begin() as txn:
        assert ranking._card(txn, store._tables, key(1)).hits == 2


def test_a_damaged_record_is_a_miss_and_goes(store, key, make_answer):
    store.put(key(1), make_answer(), NOW)
    store.flush()
    with store._env.begin(write=True) as txn:
        txn.put(key(1), b"\xff nonsense", db=store._tables.answers)
    assert store.get(key(1), NOW) is None
    store.flush()
    assert store.stats().errors == 1
    assert store.stats().entries == 0


def test_a_record_of_another_key_is_not_served(store, key, make_answer):
    store.put(key(1), make_answer(), NOW)
    store.flush()
    with store._env.begin(write=True) as txn:
        txn.put(key(2), txn.get(key(1), db=store._tables.answers), db=store._tables.answers)
    assert store.get(key(2), NOW) is None
    assert store.stats().errors == 1


def test_a_full_map_makes_room_and_loses_no_more_than_it_must(tmp_path, key, make_answer):
    tight = reopen(tmp_path / "a", max_bytes=1 << 20)
    for number in range(20):
        tight.put(key(number), make_answer(body=bytes(8000)), NOW)
    tight.flush()
    tight._env.set_mapsize((tight._env.info()["last_pgno"] + 12) * 4096)
    tight.max_bytes = 300_000
    for number in range(20, 60):
        tight.put(key(number), make_answer(body=bytes(8000)), NOW)
        tight.flush()
    assert tight.stats().errors > 0
    assert tight.stats().evictions > 0
    assert tight.get(key(59), NOW) is not None
    tight.close()


def test_writing_errors_are_counted_and_nothing_worse(store, key, make_answer, monkeypatch):
    def broken(*_args):
        raise lmdb.DiskError("no space left")

    monkeypatch.setattr(ranking, "insert", broken)
    assert store.put(key(1), make_answer(), NOW)
    store.flush()
    assert store.get(key(1), NOW) is None
    assert store.stats().errors > 0
    monkeypatch.undo()
    store.put(key(1), make_answer(), NOW)
    store.flush()
    assert store.stats().entries == 1


def test_after_closing_there_is_nothing_and_no_error(tmp_path, key, make_answer):
    closed = reopen(tmp_path / "a")
    closed.put(key(1), make_answer(), NOW)
    closed.close()
    closed.close()
    assert closed.get(key(1), NOW) is None
    assert not closed.put(key(1), make_answer(), NOW)
    closed.touch(key(1))


@pytest.mark.parametrize("size", [0, 100, 5000, 20_000])
def test_a_damaged_store_is_moved_aside(tmp_path, key, make_answer, size):
    path = tmp_path / "a"
    first = reopen(path)
    for number in range(20):
        first.put(key(number), make_answer(body=bytes(8000)), NOW)
    first.close()
    data = (path / "data.mdb").read_bytes()
    (path / "data.mdb").write_bytes(data[:size] or b"not a database" * 1000)
    again = reopen(path)
    assert "moved to" in again.message
    assert (tmp_path / "a.broken-1" / "data.mdb").exists()
    assert again.get(key(1), NOW) is None
    assert again.put(key(1), make_answer(), NOW)
    again.close()


def test_a_store_of_another_format_is_moved_aside(tmp_path, key, make_answer):
    path = tmp_path / "a"
    for number in (1, 2):
        first = reopen(path)
        first.put(key(1), make_answer(), NOW)
        first.flush()
        with first._env.begin(write=True) as txn:
            txn.put(b"format", b"99", db=first._tables.about)
        first.close()
        again = reopen(path)
        assert "99" in again.message
        assert (tmp_path / f"a.broken-{number}").exists()
        assert again.stats().entries == 0
        again.close()


def test_a_file_in_its_place_is_moved_aside(tmp_path):
    (tmp_path / "a").write_text("my notes")
    again = reopen(tmp_path / "a")
    assert (tmp_path / "a.broken-1").read_text() == "my notes"
    again.close()


def test_a_place_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="turn the cache off"):
        reopen(tmp_path / "file" / "a")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_place_says_so(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="turn the cache off"):
        reopen(tmp_path / "a")


def test_no_thread_is_left_behind(tmp_path):
    before = threading.active_count()
    reopen(tmp_path / "a").close()
    assert threading.active_count() == before


def test_answers_are_for_their_owner_only(tmp_path):
    before = os.umask(0)
    try:
        reopen(tmp_path / "new" / "cache").close()
    finally:
        os.umask(before)
    folder = tmp_path / "new" / "cache"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
