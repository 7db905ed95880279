"""``farthing doctor`` beside a gateway, without one, and where something is wrong."""

import json

import pytest
from tests.serving import eventually, on_linux, patient, run, serving

from farthing.ledger import pulse
from farthing.simulator import running

pytestmark = patient
KEYS = {"OPENAI_API_KEY": "sk-0123456789abcdef", "ANTHROPIC_API_KEY": "sk-ant-0123456789abcdef"}


@pytest.fixture(scope="module")
def sim():
    with running(seed=1) as sim:
        yield sim


def doctor(folder, *arguments, code=0, **more):
    done = run(folder, "doctor", "--json", *arguments, **more)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    assert not any(key in done.stdout for key in KEYS.values())
    return [json.loads(line) for line in done.stdout.splitlines()]


def wrong(found):
    return {one["check"]: one["found"] for one in found if one["state"] == "bad"}


def test_on_a_fresh_machine_nothing_is_wrong_and_nothing_is_made(tmp_path):
    found = doctor(tmp_path, "--offline", FARTHING_SERVER_PORT="1")
    assert wrong(found) == {}
    assert not any(one["check"].startswith("provider") for one in found)
    assert list(tmp_path.iterdir()) == []


@on_linux
def test_beside_a_gateway_that_serves(tmp_path, sim):
    with serving(tmp_path, sim.url, "--mode", "save", **KEYS) as gateway:
        assert gateway.say().status == 200
        eventually(lambda: pulse.is_held(tmp_path / "farthing.db.writer"))
        found = doctor(tmp_path, provider=sim.url, FARTHING_MODE="save", FARTHING_SERVER_PORT=str(gateway.port), **KEYS)
        said = {one["check"]: (one["state"], one["found"]) for one in found}
        assert said["port"] == ("ok", f"farthing answers at 127.0.0.1:{gateway.port}, process {gateway.process.pid}")
        assert said["keeper"][0] == said["ledger"][0] == said["cache"][0] == said["clock"][0] == "ok"
        assert said["provider openai"][1].endswith("takes the key in OPENAI_API_KEY")
        assert wrong(found) == {}
        assert gateway.stop() == 0
        assert gateway.errors == ""


def test_settings_that_cannot_be_read_are_the_finding(tmp_path):
    (tmp_path / "farthing.toml").write_text("[server]\nprot = 1\n")
    (found,) = doctor(tmp_path, code=1)
    assert found["check"] == "settings"
    assert "line 2: [server] prot" in found["found"]


def test_a_provider_that_cannot_be_reached_and_the_table(tmp_path):
    done = run(tmp_path, "doctor", provider="http://nosuch.invalid", FARTHING_SERVER_PORT="1")
    assert (done.returncode, done.stderr) == (1, "")
    assert "is not known (DNS)" in done.stdout
    assert "check base_url" in done.stdout


def test_bad_use(tmp_path):
    assert run(tmp_path, "doctor", "--nosuch").returncode == 2
