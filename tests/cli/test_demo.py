"""``farthing demo``: the bill is the simulated provider's invoice, and the exit code says how it went."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from decimal import Decimal

import pytest
from tests.serving import COMMAND, environment, patient, run

from farthing.cli import main
from farthing.cli.text import dollars

pytestmark = patient
INVOICE = re.compile(r"The simulated provider's own invoice says \$([\d.]+)\.")

LATE = "the keeper of the ledger is still at work; it ends by itself when it has done\n"
"""On a busy machine; it is no complaint."""


def nano(text):
    return int(Decimal(text) * 10**9)


def once(folder, *arguments, command=COMMAND):
    return run(folder, "demo", "--once", "--requests", "40", "--port", "0", *arguments, command=command)


@contextmanager
def showing(folder, *arguments):
    """A demo that goes on, from its first line on."""
    command = [*COMMAND, "demo", "--port", "0", *arguments]
    demo = subprocess.Popen(
        command, env=environment(folder), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield demo
    finally:
        demo.kill()
        demo.communicate()


def read_until(demo, text):
    said = ""
    for line in demo.stdout:
        said += line
        if text in line:
            return said
    return pytest.fail(f"it ended too early: {said} {demo.stderr.read()}")


def test_once_prints_the_bill_which_is_the_invoice_and_ends(tmp_path):
    done = once(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    invoice = INVOICE.search(done.stdout)
    assert nano(invoice[1]) > 0
    assert re.search(r"^Bill +(\S+)", done.stdout, re.MULTILINE)[1] == dollars(nano(invoice[1]))
    assert "By feature" in done.stdout
    assert "Saved" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_ledger_behind_the_dashboard_agrees_with_the_invoice_to_the_nano_dollar(tmp_path):
    with showing(tmp_path, "--requests", "40") as demo:
        said = read_until(demo, "any key starting with sk-sim")
        base = re.search(r"dashboard is at (http://\S+)/farthing/", said)[1]
        with urllib.request.urlopen(f"{base}/farthing/api/report?since=2000-01-01") as reply:
            total = json.loads(reply.read())["total"]
        assert total["cost_nano_usd"] == nano(INVOICE.search(said)[1])
        assert (total["unpriced_calls"], total["unsettled_calls"]) == (0, 0)
        demo.send_signal(signal.SIGINT)
        assert demo.wait() == 0
        assert demo.stderr.read() in ("", LATE)


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--once"], 130)])
def test_who_stops_it_in_the_middle_hears_no_complaint(tmp_path, arguments, code):
    """But without its bill, a demo that was to print one has not done it."""
    with showing(tmp_path, "--requests", "3000", *arguments) as demo:
        read_until(demo, "Replaying")
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate()
        assert (demo.returncode, out) == (code, "")
        assert err in ("", LATE)


def test_a_port_in_use_is_a_plain_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(tmp_path, "demo", "--once", "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"farthing: port {port} on 127.0.0.1 is in use: ")
    assert done.stderr.count("\n") == 1


def failing(patch):
    """The command, with something in it that fails."""
    return (sys.executable, "-c", f"{patch}\nimport sys\nfrom farthing.cli import main\nsys.exit(main())")


def test_a_failure_inside_is_not_code_0(tmp_path):
    patch = "import farthing.demo.replay as r\nasync def replay(*_): raise RuntimeError('as a test wants it')\nr.replay = replay"
    done = once(tmp_path, command=failing(patch))
    assert done.returncode == 1
    assert "RuntimeError: as a test wants it" in done.stderr
    assert "invoice" not in done.stdout


def test_a_ledger_that_does_not_catch_up_is_told_in_one_line(tmp_path):
    patch = """
import farthing.cli.demo as d, farthing.ledger.query as q
from types import SimpleNamespace
d.PATIENCE_S = -1.0
q.report = lambda *_: SimpleNamespace(total=SimpleNamespace(requests=0))
"""
    done = once(tmp_path, command=failing(patch))
    assert done.returncode == 1
    assert done.stderr == "farthing: the ledger did not catch up with the demo within a minute\n"


def test_it_neither_reads_nor_changes_the_user_s_settings(tmp_path):
    (tmp_path / "farthing.toml").write_text("this is not TOML")
    assert once(tmp_path).returncode == 0
    assert [one.name for one in tmp_path.iterdir()] == ["farthing.toml"]


@pytest.mark.parametrize("arguments", [["--requests", "0"], ["--port", "-1"], ["--mode", "fast"], ["--nosuch"]])
def test_bad_options(arguments, capsys):
    assert main(["demo", *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
