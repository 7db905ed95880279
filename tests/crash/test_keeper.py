"""The keeper is killed, or its gateway is: what is in the journal gets into the ledger, once."""

import sys
from collections import Counter

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

from farthing.gateway import server
from farthing.ledger.journal import Journal
from farthing.ledger.records import Settled
from farthing.policy import Policy
from farthing.policy.model import Store
from farthing.simulator import running
from farthing.types import Caller

pytestmark = [pytest.mark.crash, on_linux, patient]


@pytest.fixture
def sim():
    with running(seed=1) as sim:
        yield sim


@pytest.fixture
def gateway(tmp_path, sim):
    with serving(tmp_path, sim.url) as gateway:
        yield gateway


def ask(gateway, *numbers):
    for number in numbers:
        assert gateway.say(f"Question {number}?").status == 200


def billed_once(folder, sim, count):
    found = settled(folder)
    assert len(found) == len(rows(folder)) == count
    assert max(Counter(row.request.id for row in found).values()) == 1
    assert sum(row.request.cost_nano for row in found) == sim.invoice.total_nano_usd


def test_a_killed_keeper_is_started_again_and_nothing_is_lost_or_doubled(tmp_path, sim, gateway):
    killed = []
    for turn in range(3):
        (keeper,) = eventually(lambda: [one for one in gateway.keepers() if one.pid not in killed])
        ask(gateway, *range(turn * 10, turn * 10 + 5))
        keeper.kill()
        keeper.wait()
        killed.append(keeper.pid)
        ask(gateway, *range(turn * 10 + 5, turn * 10 + 10))
    entered(tmp_path, 30)
    assert gateway.ask("/readyz").body == b"ok"
    assert gateway.stop() == 0
    assert gateway.errors.count("the keeper of the ledger ended with -9") == 3
    assert "Traceback" not in gateway.errors
    billed_once(tmp_path, sim, 30)


def test_a_keeper_that_is_killed_in_the_last_moment_leaves_all_to_the_next_start(tmp_path, sim, gateway):
    ask(gateway, *range(5))
    for keeper in gateway.keepers():
        keeper.kill()
    ask(gateway, 5)
    gateway.kill()
    with serving(tmp_path, sim.url) as second:
        entered(tmp_path, 6)
        assert second.stop() == 0
    billed_once(tmp_path, sim, 6)


def test_a_killed_gateway_s_keeper_takes_in_what_is_left_and_ends(tmp_path, sim, gateway):
    (keeper,) = eventually(gateway.keepers)
    ask(gateway, *range(20))
    gateway.kill()
    keeper.wait()
    billed_once(tmp_path, sim, 20)
    assert list((tmp_path / "farthing.db.journal").iterdir()) == []
    assert "Traceback" not in gateway.errors


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_order_to_stop_that_reaches_every_process_loses_nothing(tmp_path, workers):
    """As a service manager gives it: the keeper may be gone before the last stream has ended."""
    with held() as provider, serving(tmp_path, provider.url, FARTHING_SERVER_WORKERS=workers) as gateway:
        with gateway.asking(CHAT, question(stream=True)) as stream:
            assert stream.read(len(BEGINNING)) == BEGINNING
            (keeper,) = eventually(gateway.keepers)
            for one in [*gateway.workers(), keeper]:
                one.terminate()
            gateway.process.terminate()
            keeper.wait()
            provider.go.set()
            assert b"[DONE]" in stream.read()
        assert gateway.process.wait() == 0
        assert "Traceback" not in gateway.errors
    (row,) = settled(tmp_path)
    assert row.request.id == stream.headers["x-farthing-request-id"]


# ------------------------------------------------------------ the watch over it


@pytest.fixture
def policy(tmp_path):
    return Policy(store=Store(url=f"sqlite:///{tmp_path}/farthing.db"))


def test_the_shortest_run_takes_in_what_is_there(tmp_path, policy):
    journal = Journal(tmp_path / "farthing.db.journal", lambda: 1.0)
    journal.append(Settled("fr_1", 1_750_000_000.0, Caller("acme"), "openai.chat", "/x", "openai", "gpt-4o"))
    journal.close()
    with server.keeper(policy):
        pass
    assert [row.request.id for row in settled(tmp_path)] == ["fr_1"]


def test_a_keeper_that_cannot_be_started_is_told_and_stops_nothing(tmp_path, policy, monkeypatch, caplog):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nosuch"))
    with server.keeper(policy):
        eventually(lambda: "the keeper of the ledger cannot be started: " in caplog.text)
    assert {record.levelname for record in caplog.records} == {"WARNING"}
