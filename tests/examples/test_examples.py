"""Every file of ``examples/`` runs as a user runs it, in front of the simulator, and is in the ledger."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.serving import environment, rows, serving

from farthing.simulator import running

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
GATEWAY = ("gateway_", "otel")
"""Their argument is the gateway's address; the others' a provider's."""
REQUESTS = {"gateway_langchain": 2, "gateway_litellm": 2, "langchain_cache": 2}
"""One, where nothing else is said."""


def ran(example, url, folder, **more):
    """What an example prints. Its ledger lies in the folder."""
    done = subprocess.run(
        [sys.executable, example, url], env=environment(folder, PYTHONWARNINGS="ignore", **more), cwd=folder,
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_is_in_the_ledger(example, tmp_path):
    with running(seed=1) as sim:
        if example.stem.startswith(GATEWAY):
            with serving(tmp_path, sim.url) as served:
                said = ran(example, f"http://127.0.0.1:{served.port}", tmp_path)
                served.stop()
        else:
            said = ran(example, sim.url, tmp_path)
        found = [row.request for row in rows(tmp_path)]
        bill = sim.invoice.total_nano_usd
    assert len(found) == REQUESTS.get(example.stem, 1), said
    assert sum(row.cost_nano for row in found) == bill > 0
    if example.stem == "langchain_cache":
        assert {row.cache for row in found} == {"off", "exact"}


def test_there_is_one_for_every_neighbour():
    assert {path.stem for path in EXAMPLES} >= {
        "gateway_anthropic", "gateway_langchain", "gateway_litellm", "gateway_openai", "langchain_cache",
        "langchain_callback", "litellm_logger", "litellm_router", "otel",
    }  # fmt: skip
