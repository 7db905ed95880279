from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.levers.recall import ranking
from farthing.levers.recall.answer import Answer
from farthing.levers.recall.files import open_files

MAX = 20_000
keys = st.integers(0, 11).map(lambda number: number.to_bytes(32, "big"))
puts = st.tuples(st.just("put"), keys, st.integers(1, 6000), st.none() | st.integers(0, 10**7))
touches = st.tuples(st.just("touch"), keys, st.integers(1, 5), st.none())
removals = st.tuples(st.just("remove"), keys, st.none(), st.none())


class Model:
    """GreedyDual-Size-Frequency in a dict, as the paper has it."""

    def __init__(self) -> None:
        self.items: dict[bytes, tuple[float, int, int, int]] = {}  # priority, hits, cost, size
        self.floor = 0.0
        self.evictions = 0

    def put(self, key, size, cost):
        hits = self.items.pop(key)[1] if key in self.items else 1
        while sum(item[3] for item in self.items.values()) > MAX - size:
            loser = min(self.items, key=lambda name: (self.items[name][0], name))
            self.floor = max(self.floor, self.items.pop(loser)[0])
            self.evictions += 1
        self.items[key] = (self.floor + hits * cost / size, hits, cost, size)

    def touch(self, key, count):
        if key in self.items:
            _, hits, cost, size = self.items[key]
            self.items[key] = (self.floor + (hits + count) * cost / size, hits + count, cost, size)


def answer(cost):
    return Answer(
        wire="w", stored_at=1.0, expires_at=2.0, streamed=False, body=b"", content_type="c", provider="p", tenant="t",
        request_id="r", usage=None, cost_nano=cost,
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(puts | touches | removals, max_size=40))
def test_eviction_is_greedy_dual_size_frequency(steps):
    model = Model()
    with tempfile.TemporaryDirectory() as place:
        env, tables, _ = open_files(Path(place) / "a", MAX)
        with env.begin(write=True) as txn:
            for what, key, number, cost in steps:
                if what == "put":
                    record = bytes(number)
                    ranking.insert(txn, tables, key, answer(cost), record, MAX)
                    model.put(key, ranking.size_on_disk(record), cost or 0)
                elif what == "touch":
                    ranking.add_hits(txn, tables, key, number)
                    model.touch(key, number)
                else:
                    ranking.remove(txn, tables, key)
                    model.items.pop(key, None)
                stored = {key: ranking._card(txn, tables, key) for key in ranking.matching(txn, tables, lambda _: True)}
                found = {key: (card.priority, card.hits, card.cost_nano, card.size) for key, card in stored.items()}
                assert found == model.items
                totals = ranking.read_totals(txn, tables)
                assert totals.bytes == sum(item[3] for item in model.items.values()) <= MAX
                assert (totals.floor, totals.evictions) == (model.floor, model.evictions)
                assert txn.stat(tables.ranks)["entries"] == txn.stat(tables.answers)["entries"] == len(model.items)
        env.close()
