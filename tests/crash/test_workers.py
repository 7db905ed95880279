"""Several workers: one ledger, one port, and nobody left behind, whoever is killed."""

import http.client
import socket
from collections import Counter
from contextlib import suppress

import pytest
from tests.serving import (
    BEGINNING,
    CHAT,
    entered,
    eventually,
    held,
    on_linux,
    patient,
    question,
    rows,
    serving,
    settled,
)

from farthing.simulator import running

pytestmark = [pytest.mark.crash, on_linux, patient]
TWO = {"FARTHING_SERVER_WORKERS": "2"}


@pytest.fixture
def sim():
    with running(seed=1) as sim:
        yield sim


def both(gateway):
    """The workers, once there are two."""
    return eventually(lambda: len(found := gateway.workers()) == 2 and found)


def writers(folder, *, least=0):
    """Who has a journal, of so many bytes at least."""
    found = (folder / "farthing.db.journal").glob("*.jsonl")
    return {path.name.split("-")[1] for path in found if path.stat().st_size >= least}


def is_free(port):
    """Whether nobody holds the port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return True
    return False


def billed_once(folder, sim):
    """The ledger has every request once, at the price that is on the invoice."""
    found = settled(folder)
    assert max(Counter(row.request.id for row in found).values()) == 1
    assert sum(row.request.cost_nano for row in found) == sim.invoice.total_nano_usd
    return found


def test_both_serve_on_one_store_and_a_stop_ends_all(tmp_path, sim):
    with serving(tmp_path, sim.url, **TWO) as gateway:
        pids = {str(one.pid) for one in both(gateway)}
        eventually(lambda: writers(tmp_path) == pids)

        def served():
            assert gateway.say().status == 200
            return {
                path.name.split("-")[1]
                for path in (tmp_path / "farthing.db.journal").glob("*.jsonl")
                if path.stat().st_size
            } == pids

        eventually(served)
        family = gateway.family()
        assert len(family) >= 3
        assert gateway.stop() == 0
        for one in family:
            one.wait()
        assert is_free(gateway.port)
        assert gateway.errors == ""
    assert len(billed_once(tmp_path, sim)) == len(sim.received) == len(rows(tmp_path))


def test_a_killed_parent_leaves_nobody_behind(tmp_path, sim):
    with serving(tmp_path, sim.url, **TWO) as gateway:
        both(gateway)
        assert gateway.say().status == 200
        family = gateway.family()
        gateway.kill()
        for one in family:
            one.wait()
        assert is_free(gateway.port)
        assert "Traceback" not in gateway.errors
    with serving(tmp_path, sim.url, **TWO) as gateway:
        assert gateway.say("And tomorrow?").status == 200
        assert gateway.stop() == 0
    assert len(billed_once(tmp_path, sim)) == 2


def test_a_killed_parent_s_workers_finish_what_is_in_flight(tmp_path):
    with held() as provider:
        with serving(tmp_path, provider.url, **TWO) as gateway:
            both(gateway)
            with gateway.asking(CHAT, question(stream=True)) as stream:
                assert stream.read(len(BEGINNING)) == BEGINNING
                family = gateway.family()
                gateway.kill()
                provider.go.set()
                assert b"[DONE]" in stream.read()
            for one in family:
                one.wait()
        with serving(tmp_path, provider.url) as gateway:
            entered(tmp_path, 1)
            assert gateway.stop() == 0
    (row,) = rows(tmp_path)
    assert (row.state, row.request.id) == ("settled", stream.headers["x-farthing-request-id"])


def test_a_killed_worker_is_replaced_and_its_journal_taken_in(tmp_path, sim):
    with serving(tmp_path, sim.url, **TWO) as gateway:
        first, second = both(gateway)
        assert gateway.say().status == 200
        first.kill()
        first.wait()
        for number in range(20):
            assert gateway.say(f"Question {number}?").status == 200
        pids = eventually(lambda: len(found := {one.pid for one in gateway.workers()} - {first.pid}) == 2 and found)
        assert second.pid in pids
        eventually(lambda: writers(tmp_path) == {str(pid) for pid in pids})
        assert len(entered(tmp_path, 21)) == 21
        assert gateway.stop() == 0
        assert f"worker {first.pid} ended with -9" in gateway.errors
        assert "Traceback" not in gateway.errors
    assert len(billed_once(tmp_path, sim)) == 21


def test_a_stream_that_dies_with_its_worker_is_unsettled(tmp_path):
    with held() as provider, serving(tmp_path, provider.url, **TWO) as gateway:
        both(gateway)
        with gateway.asking(CHAT, question(stream=True)) as stream:
            assert stream.read(len(BEGINNING)) == BEGINNING
            for one in gateway.workers():
                one.kill()
            with pytest.raises(http.client.IncompleteRead):
                stream.read()
        (row,) = eventually(lambda: [row for row in rows(tmp_path) if row.state == "unsettled"])
        assert row.request.cost_nano is None
        assert [call.cost_source for call in row.request.calls] == ["unsettled"]
        eventually(lambda: len(gateway.workers()) == 2)
        assert gateway.ask("/healthz").status == 200
        assert gateway.stop() == 0


def counters(gateway):
    """What one worker, whichever takes the connection, says of all; and how many it says there are."""
    lines = gateway.ask("/metrics", authorization=None).body.decode().splitlines()
    found = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
    requests = sum(value for name, value in found.items() if name.startswith("farthing_requests_total{"))
    return requests, found["farthing_workers"], found["farthing_requests_in_flight"]


def test_metrics_sum_over_workers(tmp_path, sim):
    """Whoever is asked tells of both, also when one was killed; no counter goes down."""
    with held() as provider, serving(tmp_path, provider.url, **TWO) as gateway:
        one, _two = both(gateway)
        eventually(lambda: counters(gateway)[1] == 2)
        with gateway.asking(CHAT, question(stream=True)) as stream:
            assert stream.read(len(BEGINNING))
            assert all(eventually(lambda: counters(gateway)[2] == 1) for _ in range(8))
            provider.go.set()
            stream.read()
        seen = []
        for number in range(6):
            gateway.say(f"Question {number}?", x_farthing_cache="no-store")
            seen.append(counters(gateway)[0])
        one.kill()
        one.wait()
        eventually(lambda: seen.append(counters(gateway)[0]) or seen[-1] == 7)
        eventually(lambda: counters(gateway)[1] == 2)
        assert seen == sorted(seen)
