"""One simulator and two gateways for all cells of a process, and one of each client."""

import os
from contextlib import ExitStack

import pytest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the network when it is imported

from tests.matrix.clients import CLIENTS
from tests.matrix.house import gateway
from tests.matrix.scenarios import script

from farthing.simulator import running


@pytest.fixture(scope="session")
def sim():
    with running(answers=script) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def houses(sim, tmp_path_factory):
    """By mode. Errors are looked at where no breaker remembers them: in ``observe``."""
    with ExitStack() as stack:
        yield {
            mode: stack.enter_context(gateway(sim, tmp_path_factory.mktemp(mode), mode=mode))
            for mode in ("save", "observe")
        }


@pytest.fixture(scope="session")
def client(houses):
    """Give one of the clients: ``client(name, house)``."""
    made = {}

    def client(name, house):
        if (name, house.url) not in made:
            made[name, house.url] = CLIENTS[name](house.url, house.key)
        return made[name, house.url]

    yield client
    for one in made.values():
        one.close()
