"""Every client on every wire before every family, in every scenario: it gets what the model said, and it is billed."""

from itertools import product
from pathlib import Path

import pytest
from tests.matrix.clients import CLIENTS
from tests.matrix.families import FAMILIES
from tests.matrix.performing import SCENARIOS, Cell
from tests.serving import eventually

from farthing.types import TOKEN_CLASSES as CLASSES

pytestmark = [
    pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Items? .* on TypedDict class:UserWarning"),  # LiteLLM
    pytest.mark.filterwarnings("ignore:Accessing the 'model_"),  # LiteLLM
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),  # LiteLLM
]
WIRES = {"chat": "openai.chat", "responses": "openai.responses", "messages": "anthropic.messages"}
CANNOT = {
    (name, wire): "the library does not speak it"
    for name, kind in CLIENTS.items()
    for wire in WIRES
    if wire not in kind.wires
}
"""The parts of the product that cannot exist, and why."""
WHOLE = list(product(CLIENTS, WIRES, FAMILIES, SCENARIOS))
CELLS = [cell for cell in WHOLE if cell[:2] not in CANNOT]


def cells():
    return [pytest.param(*cell, id="-".join(cell)) for cell in CELLS]


@pytest.mark.parametrize(("name", "wire", "family", "scenario"), cells())
def test_cell(name, wire, family, scenario, client, houses):
    house = houses["observe" if scenario == "error" else "save"]
    house.begin()
    cell = Cell(client(name, house), wire, FAMILIES[family], house)
    SCENARIOS[scenario](cell)
    check_books(cell, failing=scenario == "error")


def test_no_cell_is_silently_skipped():
    """What is run and what is listed is the whole product; nothing here can be skipped or expected to fail."""
    assert sorted(CELLS + [cell for cell in WHOLE if cell[:2] in CANNOT]) == sorted(WHOLE)
    assert set(SCENARIOS) == {"plain", "stream", "tools", "parallel", "structured", "image", "loop", "error"}
    assert {wire for _, wire, _, _ in CELLS} == set(WIRES)
    assert {name for name, _, _, _ in CELLS} == set(CLIENTS)
    sources = [path.read_text() for path in Path(__file__).parent.rglob("*.py") if path != Path(__file__)]
    assert not any(word in text for text in sources for word in (".skip", "xfail"))


def test_the_page_says_what_is_run():
    assert table() in (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text(), table()


def table():
    """A row for each client: on which wires how many cells are run."""
    rows = [("client", *WIRES), ("---",) * (1 + len(WIRES))]
    for name, kind in CLIENTS.items():
        counts = [sum(cell[:2] == (name, wire) for cell in CELLS) for wire in WIRES]
        rows.append(
            (kind.__doc__.partition(",")[0].rstrip(".").replace("``", "`"), *(str(count or "") for count in counts))
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def check_books(cell, *, failing):
    """The ledger is the invoice, call by call; headers say who answered."""
    rows, lines = [], cell.house.sim.invoice.lines
    # A client may leave a broken stream before it has been entered.
    eventually(lambda: rows.extend(cell.house.rows()) or (len(rows) == len(cell.house.replies) and lines))
    calls = [call for row in rows for call in row.calls]
    assert {row.wire for row in rows} == {WIRES[cell.wire]}
    assert {call.provider for call in calls} == {cell.family.name}
    assert {reply["x-farthing-provider"] for reply in cell.house.replies} == {cell.family.name}
    if failing:
        assert [call.cost_source for call in calls] == ["free", "free", "free", "estimated"]
        assert len(lines) == 1
        return
    assert len(lines) == len(calls) > 0
    for call, line in zip(calls, lines, strict=True):
        assert call.model_reported == line.model
        assert [getattr(call.usage, name) for name in CLASSES] == [getattr(line.tokens, name) for name in CLASSES]
        assert call.cost_nano == line.nano_usd
