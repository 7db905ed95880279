"""An app as a process of its own, with its keeper: however it ends, what its callers saw is in the ledger, once."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from tests.serving import PATIENCE_S, entered, environment, eventually, patient, rows, run, serving, settled

from farthing.simulator import Faults, running

START = """
import os, sys, threading
import openai
import farthing
client = farthing.wrap(openai.OpenAI(api_key="sk-sim", max_retries=0))
def ask(text, **more):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, **more)
"""
ENDS = {
    "by itself": ("ask('a')\nask('b')", 0),
    "by an exception": ("ask('a')\nask('b')\nraise ValueError('over')", 1),
    "by exit": ("ask('a')\nask('b')\nsys.exit(3)", 3),
    "with a thread at work": ("threading.Thread(target=ask, args=('a',)).start()\nask('b')", 0),
    "after a close": ("ask('a')\nfarthing.close()\nask('b')", 0),
}
FORKS = {
    "the child ends by itself": "ask('parent')\nif (child := os.fork()) == 0:\n    ask('child')\n    sys.exit(0)",
    "the child ends at once": "ask('parent')\nif (child := os.fork()) == 0:\n    ask('child')\n    os._exit(0)",
    "nobody has called yet": "if (child := os.fork()) == 0:\n    ask('child')\n    sys.exit(0)\nask('parent')",
}
JOIN = "\nassert os.waitpid(child, 0)[1] == 0\nask('parent again')\n"
STREAMS = """
def work(number):
    for part in range(1000):
        reply = client.chat.completions.with_streaming_response.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": f"{number} {part}"}], stream=True)
        with reply as reply:
            text = reply.read().decode()
            if "[DONE]" in text:
                os.write(1, (reply.headers["x-farthing-request-id"] + "\\n").encode())
for number in range(8):
    threading.Thread(target=work, args=(number,), daemon=False).start()
"""


@pytest.fixture
def sim():
    with running(seed=3) as sim:
        yield sim


def app(folder, sim, program, **more):
    """Run a program to its end."""
    return run(folder, command=(sys.executable, "-c", START + program), provider=sim.url, **more)


def all_there(folder, sim, count):
    """The ledger is the simulator's invoice."""
    found = entered(folder, count)
    assert len(found) == count
    assert sum(row.request.cost_nano for row in found) == sim.invoice.total_nano_usd


@patient
@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_an_app(tmp_path, sim, end):
    program, code = ENDS[end]
    done = app(tmp_path, sim, program)
    assert done.returncode == code, done.stderr
    assert len(settled(tmp_path)) == 2, done.stderr  # at once: the end has waited for it
    all_there(tmp_path, sim, 2)


@patient
def test_a_flush(tmp_path, sim):
    done = app(tmp_path, sim, "ask('a')\nassert farthing.flush(60)\nos._exit(0)")
    assert done.returncode == 0, done.stderr
    assert len(settled(tmp_path)) == 1


@patient
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("fork", FORKS)
def test_a_fork(tmp_path, sim, fork):
    program = FORKS[fork] + JOIN
    done = app(tmp_path, sim, program, PYTHONWARNINGS="ignore::DeprecationWarning")
    assert done.returncode == 0, done.stderr
    all_there(tmp_path, sim, 3)


@patient
def test_two_apps_and_a_gateway_on_one_ledger(tmp_path, sim):
    with serving(tmp_path, sim.url) as gateway:
        assert gateway.say().status == 200
        commands = [[sys.executable, "-c", START + f"ask('{name}')"] for name in ("one", "two")]
        apps = [subprocess.Popen(one, env=environment(tmp_path, sim.url), cwd=tmp_path) for one in commands]
        assert [one.wait(PATIENCE_S) for one in apps] == [0, 0]
        gateway.stop()
    all_there(tmp_path, sim, 3)


@patient
@pytest.mark.crash
@pytest.mark.parametrize("seen", [1, 20, 60])
def test_a_killed_app(tmp_path, seen):
    with running(seed=3, faults={"*": Faults(ttft_ms=5.0, ms_per_token=0.2)}) as sim:
        command = [sys.executable, "-c", START + STREAMS]
        with subprocess.Popen(
            command, env=environment(tmp_path, sim.url), cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as process:
            ids = [process.stdout.readline().strip() for _ in range(seen)]
            process.kill()
            ids += process.stdout.read().split("\n")[:-1]
        finished = [one for one in ids if one.startswith("fr_") and len(one) == len(ids[0])]
        eventually(lambda: not list((tmp_path / "farthing.db.journal").glob("*.jsonl")))  # its keeper goes on by itself
        found = rows(tmp_path)
    assert set(Counter(row.request.id for row in found).values()) == {1}
    by_id = {row.request.id: row for row in found}
    assert [one for one in finished if by_id[one].state != "settled" or not by_id[one].request.cost_nano] == []
