from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.levers.recall.files import open_files
from farthing.levers.recall.semantic import tables as rows
from farthing.levers.recall.semantic.tables import Entry, Mark, Totals

ENTRY = Entry("what?", b"\x01\x02", b"", bytes(32), "acme", 1.0, 2.0)
USERS = (None, "ann", "bob")
QUOTA = 3

partitions = st.integers(0, 2).map(lambda number: bytes([number]) * 32)
adds = st.tuples(st.just("add"), partitions, st.integers(0, 5), st.sampled_from(USERS))
removals = st.tuples(st.just("remove"), partitions, st.integers(1, 30), st.none())


class Model:
    """What the tables say, in a list."""

    def __init__(self) -> None:
        self.items: list[tuple[int, bytes, str, str | None]] = []
        self.last = 0

    def add(self, partition, text, user):
        self.items = [one for one in self.items if one[1:3] != (partition, text)]
        mine = [one for one in self.items if user is not None and one[1] == partition and one[3] == user]
        self.items = [one for one in self.items if one not in mine[: max(len(mine) - QUOTA + 1, 0)]]
        self.last += 1
        self.items.append((self.last, partition, text, user))

    def remove(self, partition, number):
        self.items = [one for one in self.items if one[:2] != (number, partition)]


@settings(max_examples=50, deadline=None)
@given(st.lists(adds | removals, max_size=60))
def test_the_tables_are_what_a_list_would_be(steps):
    with tempfile.TemporaryDirectory() as folder:
        env, _, _ = open_files(Path(folder) / "a", 1 << 20)
        tables, model = rows.open_tables(env), Model()
        for verb, partition, number, user in steps:
            with env.begin(write=True) as txn:
                if verb == "add":
                    entry = Entry(f"q{number}", b"\x01", b"", bytes(32), "t", 1.0, 2.0, user)
                    assert rows.insert(txn, tables, partition, entry, QUOTA, 1 << 20) == model.last + 1
                    model.add(partition, entry.question, user)
                else:
                    rows.remove(txn, tables, partition, number)
                    model.remove(partition, number)
        with env.begin() as txn:
            check(txn, tables, model)
        env.close()


def check(txn, tables, model):
    found = [(number, place, entry.question, entry.user) for place, number, entry in rows.behind(txn, tables, b"", 0)]
    assert sorted(found) == model.items
    totals = rows.read_totals(txn, tables)
    assert (totals.last, totals.entries, totals.bytes > 0) == (model.last, len(found), bool(found))
    for place in {bytes([number]) * 32 for number in range(3)}:
        here = [one for one in model.items if one[1] == place]
        assert [number for number, _ in rows.following(txn, tables, place, 0)] == [one[0] for one in here]
        assert rows.read_mark(txn, tables, place).count == len(here)
        for number, _, text, _ in here:
            assert rows.find(txn, tables, place, text) == number
            assert rows.read(txn, tables, place, number).question == text
    assert txn.stat(tables.ages)["entries"] == txn.stat(tables.texts)["entries"] == len(found)
    owned = [one for one in model.items if one[3] is not None]
    assert txn.stat(tables.owners)["entries"] == len(owned) + len({(one[1], one[3]) for one in owned})


def test_the_oldest_of_all_partitions_make_room(tmp_path):
    env, _, _ = open_files(tmp_path / "a", 1 << 20)
    tables = rows.open_tables(env)
    with env.begin(write=True) as txn:
        for number in range(10):
            entry = Entry(f"q{number}", bytes(100), b"", bytes(32), "t", 1.0, 2.0)
            rows.insert(txn, tables, bytes([number % 2]) * 32, entry, 10, 2500)
        left = sorted(entry.question for _, _, entry in rows.behind(txn, tables, b"", 0))
        totals = rows.read_totals(txn, tables)
        assert left == ["q5", "q6", "q7", "q8", "q9"]
        assert totals.bytes <= 2500
        rows.make_room(txn, tables, 0)
        assert rows.read_totals(txn, tables) == Totals(last=10)
        assert rows.read_mark(txn, tables, bytes(32)) == Mark()
    env.close()
