"""The model that was asked for is down, and one of the other API answers: no client notices."""

import pytest
from tests.matrix.clients import CLIENTS
from tests.matrix.families import FAMILIES, MODELS
from tests.matrix.house import gateway
from tests.matrix.performing import SCENARIOS, Cell
from tests.matrix.test_matrix import pytestmark  # noqa: F401 - the same of others' warnings

from farthing.policy.model import Retries
from farthing.simulator import Faults

WAYS = [(name, wire) for name, kind in CLIENTS.items() for wire in kind.wires]
OTHER = {"openai": "anthropic", "anthropic": "openai"}


@pytest.fixture(scope="module")
def house(sim, tmp_path_factory):
    """Each of the two stands in for the other."""
    instead = {MODELS[kind]: (FAMILIES[other].model,) for kind, other in OTHER.items()}
    with gateway(sim, tmp_path_factory.mktemp("fallback"), fallback=instead, retries=Retries()) as running:
        yield running


@pytest.mark.parametrize("scenario", ["plain", "stream", "parallel", "image", "loop"])
@pytest.mark.parametrize("asked", OTHER)
@pytest.mark.parametrize(("name", "wire"), [pytest.param(*way, id="-".join(way)) for way in WAYS])
def test_the_other_one_answers(name, wire, asked, scenario, client, house):
    house.begin()
    house.faults(**{MODELS[asked]: Faults(p_overloaded=1.0)})
    SCENARIOS[scenario](Cell(client(name, house), wire, FAMILIES[asked], house))
    rows = house.rows()
    assert {row.status for row in rows} == {200}
    assert {row.provider for row in rows} == {asked}
    assert {reply["x-farthing-provider"] for reply in house.replies} == {OTHER[asked]}
    assert all(MODELS[OTHER[asked]] in reply["x-farthing-route"] for reply in house.replies)
    assert sum(row.cost_nano for row in rows) == house.sim.invoice.total_nano_usd
