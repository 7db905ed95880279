"""A stop finishes what is in flight, enters it into the ledger, and leaves no process behind."""

import http.client
import signal
import socket
from contextlib import suppress

import pytest
from tests.serving import BEGINNING, CHAT, REST, eventually, held, on_linux, patient, question, rows, serving, settled

from farthing.simulator import running

pytestmark = [on_linux, patient]
STREAM = question(stream=True, stream_options={"include_usage": True})


@pytest.fixture
def provider():
    with held() as provider:
        yield provider
        assert provider.broken == []


def refused(gateway):
    """Whether somebody who connects now is turned away."""
    try:
        with suppress(ConnectionResetError), socket.create_connection(("127.0.0.1", gateway.port)):
            return False
    except ConnectionRefusedError:
        return True


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_in_flight_is_finished_and_in_the_ledger(tmp_path, provider, number, workers):
    with serving(tmp_path, provider.url, FARTHING_SERVER_WORKERS=workers) as gateway:
        with gateway.asking(CHAT, STREAM) as stream:
            got = stream.read(len(BEGINNING))
            family = gateway.family()
            gateway.process.send_signal(number)
            eventually(lambda: refused(gateway))
            assert gateway.process.poll() is None
            provider.go.set()
            got += stream.read()
        assert got.startswith(BEGINNING + REST + b": farthing {")
        assert gateway.process.wait() == 0
        for one in family:
            one.wait()
        assert gateway.errors == ""
    (row,) = rows(tmp_path)
    assert (row.state, row.request.id) == ("settled", stream.headers["x-farthing-request-id"])
    assert row.request.cost_nano == 100 * 150 + 10 * 600
    assert row.request.calls[0].cost_source == "usage"


def test_who_takes_longer_than_the_grace_is_cut_off_and_in_the_ledger(tmp_path, provider):
    with serving(tmp_path, provider.url, FARTHING_SERVER_GRACE="1s") as gateway:
        with gateway.asking(CHAT, STREAM) as stream:
            assert stream.read(len(BEGINNING)) == BEGINNING
            assert gateway.stop() == 0
            with pytest.raises(http.client.IncompleteRead):
                stream.read()
        assert "Traceback" not in gateway.errors
    (row,) = rows(tmp_path)
    assert (row.state, row.request.error) == ("settled", "client_gone")
    assert row.request.calls[0].cost_source == "estimated"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_load_balancer_sees_the_stop_before_connections_close(tmp_path, workers):
    more = {"FARTHING_SERVER_NOTICE": "2s", "FARTHING_SERVER_WORKERS": workers}
    with running() as sim, serving(tmp_path, sim.url, **more) as gateway:
        assert gateway.ask("/readyz").status == 200
        gateway.process.send_signal(signal.SIGTERM)
        ready = eventually(lambda: (found := gateway.ask("/readyz")).status == 503 and found)
        assert ready.body == b"the gateway is stopping: it finishes what is under way"
        assert gateway.say().status == 200
        assert gateway.process.wait() == 0
        assert gateway.errors == ""
    assert len(rows(tmp_path)) == 1


def test_a_second_ctrl_c_waits_for_no_load_balancer(tmp_path):
    with serving(tmp_path, None, FARTHING_SERVER_NOTICE="1h") as gateway:
        assert gateway.ask("/readyz").status == 200
        gateway.process.send_signal(signal.SIGINT)
        eventually(lambda: gateway.ask("/readyz").status == 503)
        assert gateway.stop(signal.SIGINT) == 0
        assert gateway.errors == ""


def test_a_connection_that_waits_for_its_next_request_delays_nothing(tmp_path):
    with running() as sim, serving(tmp_path, sim.url) as gateway:
        with gateway.asking("/healthz") as reply:
            assert reply.read() == b"ok"
            assert gateway.stop() == 0
        assert gateway.errors == ""
        assert settled(tmp_path) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_at_once_after_the_start(tmp_path, workers):
    with serving(tmp_path, None, FARTHING_SERVER_WORKERS=workers) as gateway:
        family = gateway.family()
        assert gateway.stop(signal.SIGINT) == 0
        for one in family:
            one.wait()
        assert gateway.errors == ""
