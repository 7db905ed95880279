"""What has been told, in a file for all workers."""

import logging
import threading

import pytest

from farthing.errors import StoreError
from farthing.ledger.counts import Counts
from farthing.telemetry.counters import Counters

NOW = 1_750_000_000.0
TODAY = int(NOW // 86_400 * 86_400)


def counts(requests, *, saved=0):
    day = {"model": {"a": {"requests": requests, "cost": 7, "saved": saved}}}
    values = {"cost": {}, "latency": {2_000: 2}, "ttft": {}, "overhead": {700_000_000: 1}}
    return Counts({TODAY: day}, {TODAY: values}, unpriced=0, unsettled=0)


def of(tmp_path):
    return Counters(tmp_path / "farthing.db.metrics", lambda: NOW, 9)


def test_every_worker_goes_on_where_another_left_off(tmp_path):
    one, two = of(tmp_path), of(tmp_path)
    assert one.advance(lambda _since: counts(5))[0]["model"]["a"]["requests"] == 5
    assert two.advance(lambda _since: counts(4))[0]["model"]["a"]["requests"] == 5
    assert one.advance(lambda _since: counts(6))[0]["model"]["a"]["requests"] == 7


def test_only_the_last_days_are_looked_at_again(tmp_path):
    asked = []
    for _ in range(2):
        of(tmp_path).advance(lambda since: asked.append(since) or counts(1))
    assert asked == [None, TODAY - 3 * 86_400]


def test_one_look_at_a_time(tmp_path):
    """An older look that was noted after a newer one would count the difference twice."""
    looking, go = threading.Event(), threading.Event()

    def slowly(_since):
        looking.set()
        assert go.wait(30)
        return counts(5)

    first = threading.Thread(target=lambda: of(tmp_path).advance(slowly))
    first.start()
    assert looking.wait(30)
    second_looks = threading.Event()
    second = threading.Thread(target=lambda: of(tmp_path).advance(lambda _: second_looks.set() or counts(6)))
    second.start()
    assert not second_looks.is_set()
    go.set()
    first.join()
    second.join()
    assert of(tmp_path).advance(lambda _: counts(6))[0]["model"]["a"]["requests"] == 6


def test_the_baseline_and_the_buckets_are_there(tmp_path):
    shown, _ = of(tmp_path).advance(lambda _since: counts(1, saved=-2))
    assert shown["model"]["a"]["baseline"] == 5
    assert shown["latency"][""] == {"0.0025": 2, "sum": 4_000}
    assert shown["overhead"][""] == {"+Inf": 1, "sum": 700_000_000}


def test_without_a_place_for_the_file_it_goes_on_from_memory(tmp_path, caplog):
    (tmp_path / "farthing.db.metrics").write_text("in the way")
    counters = of(tmp_path)
    seen = [counters.advance(lambda _, n=n: counts(n))[0]["model"]["a"]["requests"] for n in (5, 4, 6)]
    assert seen == [5, 5, 7]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("text", ["", "{", '{"shown": 3}'])
def test_a_damaged_file_is_begun_again(tmp_path, text):
    folder = tmp_path / "farthing.db.metrics"
    folder.mkdir()
    (folder / "counters.json").write_text(text)
    assert of(tmp_path).advance(lambda _: counts(5))[0]["model"]["a"]["requests"] == 5
    assert of(tmp_path).advance(lambda _: counts(6))[0]["model"]["a"]["requests"] == 6


def test_a_ledger_that_cannot_be_read_changes_nothing(tmp_path):
    def broken(_since):
        raise StoreError("no")

    counters = of(tmp_path)
    counters.advance(lambda _: counts(5))
    with pytest.raises(StoreError):
        counters.advance(broken)
    assert counters.advance(lambda _: counts(6))[0]["model"]["a"]["requests"] == 6


def test_its_files_are_its_owner_s_alone(tmp_path):
    of(tmp_path).advance(lambda _: counts(1))
    folder = tmp_path / "farthing.db.metrics"
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}
    assert folder.stat().st_mode & 0o777 == 0o700
