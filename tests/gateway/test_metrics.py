"""``/metrics``: who may look, and that its figures are those of the ledger."""

import asyncio
import base64
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.gateway.conftest import KEY

from farthing.ledger.keeper import Keeper
from farthing.ledger.query import report
from farthing.ledger.store import open_store
from farthing.limits.keys import KeyRing
from farthing.policy.model import Metrics

OPEN = {"host": "0.0.0.0"}
NOBODY = {"authorization": None}


def ledger(house):
    return open_store(house.policy.store.url, time.time)


def entered(house):
    """Everything that the journal has is in the ledger."""
    store = ledger(house)
    keeper = Keeper(store, Path(house.policy.store.journal), time.time)
    keeper.run_once()
    keeper.close()
    store.close()


async def read(house, **headers):
    """Samples: (name, labels …) → value."""
    reply = await house.ask("GET", "/metrics", **(NOBODY | headers))
    assert reply.status == 200, reply.body
    assert reply.get("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(reply.body.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


async def test_the_figures_are_those_of_the_report(house):
    for text in ("How do I top up my card?", "How do I top up my card?", "Where is my money?"):
        await house.say(text, headers={"x_farthing_tenant": "acme", "x_farthing_feature": "support"})
    await house.say("hi", headers={"x_farthing_tenant": "globex"}, stream=True)
    await house.ask("POST", "/v1/chat/completions", b"{")
    entered(house)
    store = ledger(house)
    total, tenants = report(store).total, {row.key: row for row in report(store, "tenant").rows}
    (model,) = (row for row in report(store, "model").rows if (row.key or "").startswith("gpt-4o-2"))
    store.close()
    found = await read(house)
    assert found["farthing_requests_total", "acme"] == 3
    assert found["farthing_requests_total", "globex"] == 1
    assert found["farthing_cost_usd_total", "acme"] == pytest.approx(tenants["acme"].cost_nano_usd / 1e9, abs=1e-12)
    baseline = found["farthing_baseline_usd_total", "acme"]
    assert baseline == pytest.approx(tenants["acme"].baseline_nano_usd / 1e9, abs=1e-12)
    assert found["farthing_feature_cache_lookups_total", "support", "exact"] == 1
    assert found["farthing_model_tokens_total", model.key, "output"] == model.tokens["output"]
    assert found["farthing_responses_total", "200"] == 4
    assert found["farthing_responses_total", "400"] == 1
    assert found["farthing_lever_saved_usd", "exact"] == pytest.approx(total.saved_nano_usd / 1e9, abs=1e-12)
    assert found["farthing_request_duration_seconds_count",] == total.requests == 5
    assert found["farthing_time_to_first_token_seconds_bucket", "+Inf"] == 1
    assert found["farthing_unsettled_calls",] == found["farthing_ledger_behind_bytes",] == 0


async def test_what_is_under_way_is_told(start, script):
    async def hold(it, reader, _writer):
        await it.request(reader)

    provider, url = await script(hold)
    house = await start(url, server={"hangup": "cancel"})
    asking = house.request("POST", "/v1/chat/completions", {"model": "gpt-4o", "messages": []})
    waiting = asyncio.ensure_future(asking.__aenter__())
    while not provider.requests:
        await asyncio.sleep(0)
    assert (await read(house))["farthing_requests_in_flight",] == 1
    waiting.cancel()
    await house.settled()
    assert (await read(house))["farthing_requests_in_flight",] == 0


async def test_no_user_and_no_query_type_is_a_label(house):
    await house.say(headers={"x_farthing_user": "ada", "authorization": f"Bearer {KEY}"})
    entered(house)
    text = (await house.ask("GET", "/metrics")).body.decode()
    assert 'model="gpt-4o' in text
    assert [name for name in ("ada", "user=", "query_type") if name in text] == []


async def test_as_many_series_as_are_allowed(start, sim):
    house = await start(sim, metrics=Metrics(most_values=2))
    for number in range(5):
        await house.say(headers={"x_farthing_tenant": f"t{number}"})
    entered(house)
    found = await read(house)
    its = {key[1]: value for key, value in found.items() if key[0] == "farthing_requests_total"}
    assert len(its) == 3
    assert its["_other"] == 3


async def test_without_the_tenant_label_no_tenant_is_named(start, sim):
    house = await start(sim, metrics=Metrics(labels=("model",)))
    await house.say(headers={"x_farthing_tenant": "acme", "x_farthing_feature": "support"})
    await house.say(headers={"x_farthing_tenant": "globex"})
    entered(house)
    found = await read(house)
    assert found["farthing_requests_total",] == 2
    assert not any("acme" in key or "support" in key for key in found)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer fk-unknown"}, {"authorization": f"Bearer {KEY}"}])
async def test_strangers_off_loopback_are_told_nothing(start, sim, headers):
    house = await start(sim, server=OPEN)
    await house.say(headers={"x_farthing_tenant": "acme"})
    reply = await house.ask("GET", "/metrics", **(NOBODY | headers))
    assert reply.status == 401
    assert b"acme" not in reply.body


async def test_an_admin_key_opens_it_by_any_name_and_an_app_s_does_not(start, sim):
    house = await start(sim, server=OPEN)
    ring = KeyRing(Path(house.policy.store.keys))
    (_, app), (_, admin) = (ring.create(tenant="a", name="", role=role, clock=time.time) for role in ("app", "admin"))
    basic = base64.b64encode(f"prometheus:{admin}".encode()).decode()
    for authorization in (f"Bearer {admin}", f"Basic {basic}"):
        assert ("farthing_workers",) in await read(house, authorization=authorization, host="10.1.2.3:8321")
    assert (await house.ask("GET", "/metrics", authorization=f"Bearer {app}")).status == 401


async def test_it_can_be_opened_to_all_and_closed(start, sim):
    public = await start(sim, server=OPEN, metrics=Metrics(public=True))
    assert await read(public, host="10.1.2.3:8321")
    closed = await start(sim, metrics=Metrics(enabled=False))
    assert (await closed.ask("GET", "/metrics")).status == 404


async def test_a_page_in_the_same_browser_cannot_read_it(house):
    for foreign in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
        assert (await house.ask("GET", "/metrics", **(NOBODY | foreign))).status == 403
    assert (await house.ask("POST", "/metrics")).status == 405


async def test_a_ledger_that_cannot_be_read_leaves_its_figures_out(house, caplog):
    await house.say()
    Path(house.policy.store.path).write_text("this is no database, and long enough to be looked at as one" * 20)
    found = await read(house)
    assert found["farthing_ledger_up",] == 0
    assert found["farthing_workers",] == 1
    assert not any(key[0] == "farthing_requests_total" for key in found)
    assert "the metrics cannot read the ledger" in caplog.text


async def test_keys_that_cannot_be_read_let_nobody_in(start, sim):
    house = await start(sim, server=OPEN)
    Path(house.policy.store.keys).write_text("{")
    assert (await house.ask("GET", "/metrics", authorization="Bearer fk-x")).status == 503
