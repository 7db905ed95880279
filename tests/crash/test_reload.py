"""SIGHUP to a real gateway: the settings change, and no stream is cut."""

import http.client
import os
import pty
import shutil
import signal
import subprocess
from contextlib import suppress

import pytest
from tests.serving import (
    BEGINNING,
    CHAT,
    COMMAND,
    PATIENCE_S,
    REST,
    environment,
    eventually,
    held,
    on_linux,
    patient,
    question,
    rows,
    serving,
)

from farthing.simulator import running

pytestmark = [pytest.mark.crash, on_linux, patient]
STREAM = question(stream=True, stream_options={"include_usage": True})
both = pytest.mark.parametrize("workers", ["1", "2"])


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "f.toml"
        beside = tmp_path / "f.toml.new"
        beside.write_text(text)
        beside.replace(path)

    write("")
    return write


def provider(url, more=""):
    return f'{more}\n[providers.openai]\nbase_url = "{url}/v1"\n'


def hang_up(gateway, said, count=1):
    """Tell it, and wait until it has said that it has read."""
    gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: gateway.errors.count(said) == count)


@both
def test_a_stream_that_runs_through_a_reload_comes_complete_and_is_in_the_ledger(tmp_path, config, workers):
    """Longer than the grace, too: nobody stops."""
    with held() as slow, running() as fast:
        config(provider(slow.url))
        more = {"FARTHING_SERVER_WORKERS": workers, "FARTHING_SERVER_GRACE": "1ms"}
        with serving(tmp_path, None, "--config", str(tmp_path / "f.toml"), **more) as gateway:
            with gateway.asking(CHAT, STREAM) as stream:
                got = stream.read(len(BEGINNING))
                family = {one.pid for one in gateway.family()}
                config(provider(fast.url))
                hang_up(gateway, "the settings were read again: changed [providers.openai] base_url")
                # Every worker has it: else a question would get to the provider that answers nothing.
                for number in range(20):
                    assert eventually(lambda n=number: asked(gateway, n, fast))
                slow.go.set()
                got += stream.read()
            assert got.startswith(BEGINNING + REST + b": farthing {")
            assert {one.pid for one in gateway.family()} == family
            assert gateway.stop() == 0
            assert "Traceback" not in gateway.errors
        streamed = [row for row in rows(tmp_path) if row.request.stream]
        (row,) = [row for row in streamed if row.request.id == stream.headers["x-farthing-request-id"]]
        assert (row.state, row.request.error) == ("settled", None)
        assert row.request.cost_nano == 100 * 150 + 10 * 600


def asked(gateway, number, fast):
    before = len(fast.received)
    with gateway.asking(CHAT, question(f"Question {number}?")) as reply:
        return reply.status == 200 and len(fast.received) == before + 1


@both
def test_a_bad_file_changes_nothing_and_a_worker_that_dies_meanwhile_is_replaced(tmp_path, config, workers):
    with running() as sim:
        config(provider(sim.url))
        with serving(tmp_path, None, "--config", str(tmp_path / "f.toml"), FARTHING_SERVER_WORKERS=workers) as gateway:
            assert gateway.say().status == 200
            config("[server]\nprot = 1\n")
            hang_up(gateway, "f.toml line 2: [server] prot: there is no such setting; did you mean port?")
            assert gateway.errors.count("the new settings are refused, the old ones stay") == 1
            if workers == "2":
                first = gateway.workers()[0]
                first.kill()
                first.wait()
                eventually(lambda: "takes its place" in gateway.errors)
            for number in range(10):
                assert gateway.say(f"Question {number}?").status == 200
            config(provider(sim.url, 'mode = "save"'))
            hang_up(gateway, "the settings were read again: changed mode")
            eventually(lambda: [gateway.say().headers["x-farthing-cache"] for _ in range(4)] == ["exact"] * 4)
            assert gateway.stop() == 0
            assert "Traceback" not in gateway.errors


def test_settings_that_need_a_restart_are_named(tmp_path, config):
    with serving(tmp_path, None, "--config", str(tmp_path / "f.toml")) as gateway:
        assert gateway.ask("/healthz").status == 200
        config('[server]\nworkers = 3\n[store]\nretention = "1d"\n[cache]\nttl = "1d"\n')
        hang_up(gateway, "without effect until the next start: [server] workers, [store] retention")
        assert "changed [cache] ttl\n" in gateway.errors
        assert gateway.stop() == 0


@both
def test_a_key_in_the_environment_file_is_rotated_by_its_file_alone(tmp_path, config, workers):
    """With the watch, nobody has to send a signal."""
    keys = tmp_path / "keys.env"
    keys.write_text("OPENAI_API_KEY=sk-one\n")
    with running() as sim:
        config(provider(sim.url, "server = { watch = true }"))
        with serving(
            tmp_path, None, "--config", str(tmp_path / "f.toml"), "--env-file", str(keys), FARTHING_SERVER_WORKERS=workers
        ) as gateway:  # fmt: skip
            assert gateway.say(authorization=None).status == 200
            keys.write_text("OPENAI_API_KEY=sk-two\n")
            eventually(lambda: "changed OPENAI_API_KEY" in gateway.errors)

            def used():
                assert gateway.say(authorization=None).status == 200
                return [one.headers["authorization"] for one in list(sim.received)[-6:]] == ["Bearer sk-two"] * 6

            eventually(used)
            assert "sk-" not in gateway.errors
            assert gateway.stop() == 0


@both
def test_many_signals_one_after_the_other(tmp_path, config, workers):
    with running() as sim:
        config(provider(sim.url))
        with serving(tmp_path, None, "--config", str(tmp_path / "f.toml"), FARTHING_SERVER_WORKERS=workers) as gateway:
            assert gateway.say().status == 200
            family = {one.pid for one in gateway.family()}
            for number in range(20):
                gateway.process.send_signal(signal.SIGHUP)
                assert gateway.say(f"Question {number}?").status == 200
            assert {one.pid for one in gateway.family()} == family
            assert gateway.stop() == 0
            assert "Traceback" not in gateway.errors
        assert len(rows(tmp_path)) == 21


@pytest.mark.skipif(not shutil.which("setsid"), reason="gives a process a terminal")
@both
def test_a_terminal_that_is_closed_ends_it_as_ever(tmp_path, workers):
    """The system sends the same signal then."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *COMMAND, "serve", "--port", "0"], env=environment(tmp_path, FARTHING_SERVER_WORKERS=workers), cwd=tmp_path,
        stdin=slave, stdout=slave, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    said = b""
    try:
        while b"Anthropic" not in said:
            said += os.read(master, 4096)
        port = int(said.rpartition(b"base_url = ")[2].split(b":")[2].split(b"/")[0].split()[0])
        assert eventually(lambda: _is_up(port))
        os.close(master)
        assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _is_up(port):
    with suppress(OSError):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        connection.request("GET", "/readyz")
        try:
            return connection.getresponse().read() == b"ok"
        finally:
            connection.close()
    return False
