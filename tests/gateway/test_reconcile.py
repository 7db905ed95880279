"""What went through the gateway, held against the simulated provider's own invoice."""

import json
from functools import partial
from pathlib import Path

from farthing.cli import main
from farthing.ledger.keeper import Keeper
from farthing.ledger.store import open_store

from .conftest import MODELS, NOW


def held_against(house, sim, tmp_path, capsys, *more):
    """The command's exit code and its answer."""
    statement = tmp_path / "invoice.json"
    statement.write_text(json.dumps(sim.invoice.report(lines=True)))
    store = open_store(house.policy.store.url, lambda: NOW)
    keeper = Keeper(store, Path(house.policy.store.journal), lambda: NOW)
    keeper.run_once()
    keeper.close()
    store.close()
    code = main(["reconcile", str(statement), "--json", "--store", house.policy.store.url, *more])
    return code, json.loads(capsys.readouterr().out)["statements"][0]


async def test_the_ledger_is_the_invoice_and_a_call_past_the_gateway_is_named(start, sim, tmp_path, capsys):
    house = await start(sim, timestamp=lambda _: NOW)
    for path in MODELS:
        for number in range(3):
            await house.say(f"How do I top up card number {number}?", path)
            await house.say(f"And account number {number}?", path, stream=True)
    check = partial(held_against, house, sim, tmp_path, capsys)
    code, found = check()
    assert (code, found["equal"], found["totals"]["requests"]["statement"]) == (0, True, 18)
    assert found["totals"]["cost_nano_usd"]["ledger"] == sim.invoice.total_nano_usd

    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "past the gateway"}]}
    async with house.session.post(
        f"{sim.openai_url}/chat/completions", json=body, headers={"authorization": "Bearer x"}
    ) as reply:
        id_ = reply.headers["x-request-id"]
    code, found = check()
    assert code == 1
    assert [(one["provider_request_id"], one["cause"]) for one in found["calls"]] == [
        (id_, "did not go through farthing")
    ]
    assert {one["model"] for one in found["differences"]} == {sim.invoice.lines[-1].model}
