"""Who is let in: virtual keys, the provider's own, and what holds off loopback."""

import base64
import time
from pathlib import Path

import anthropic
import openai
import pytest

from farthing.errors import ConfigError
from farthing.gateway.server import check_keys
from farthing.limits.keys import KeyRing
from farthing.policy import Policy
from farthing.policy.model import Server, Store

CHAT = "/v1/chat/completions"
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
OPEN = {"host": "0.0.0.0"}


@pytest.fixture
def make():
    def make(house, *, tenant="acme", role="app"):
        return KeyRing(Path(house.policy.store.keys)).create(tenant=tenant, name="", role=role, clock=time.time)

    return make


async def test_a_virtual_key_is_exchanged_for_the_environment_s(house, sim, make):
    _, token = make(house)
    assert (await house.ask("POST", CHAT, BODY, authorization=f"Bearer {token}")).status == 200
    sent = sim.received[-1]
    assert sent.headers["authorization"] == "Bearer sk-env"
    assert token not in str(sent.headers)
    assert house.row.caller.tenant == "acme"


async def test_the_key_s_tenant_wins_over_the_header(house, make):
    _, token = make(house, tenant="acme")
    await house.ask("POST", CHAT, BODY, authorization=f"Bearer {token}", x_farthing_tenant="globex")
    await house.ask("POST", CHAT, BODY, x_farthing_tenant="globex")
    assert [row.caller.tenant for row in house.rows] == ["acme", "globex"]


async def test_the_official_clients_with_virtual_keys(house, sim, make):
    _, token = make(house)
    async with house.openai(api_key=token) as client:
        assert (await client.chat.completions.create(**BODY)).choices
    async with house.anthropic(api_key=token) as client:
        assert (await client.messages.create(model="claude-haiku-4-5", max_tokens=5, messages=BODY["messages"])).content
    assert sim.received[-1].headers["x-api-key"] == "sk-ant-env"
    assert {row.caller.tenant for row in house.rows} == {"acme"}


async def test_an_unknown_or_revoked_key_is_a_401(house, sim, make):
    key, token = make(house)
    assert (await house.ask("POST", CHAT, BODY, authorization=f"Bearer {token}")).status == 200
    KeyRing(Path(house.policy.store.keys)).revoke(key.id, time.time)
    for bad in (token, "fk-unknown", token + "x"):
        async with house.openai(api_key=bad) as client:
            with pytest.raises(openai.AuthenticationError) as raised:
                await client.chat.completions.create(**BODY)
            assert raised.value.code == "farthing_unknown_key"
            assert "farthing keys list" in raised.value.message
            assert bad not in raised.value.message
        async with house.anthropic(api_key=bad) as client:
            with pytest.raises(anthropic.AuthenticationError):
                await client.messages.create(model="claude-haiku-4-5", max_tokens=5, messages=BODY["messages"])
    assert len(sim.received) == 1


async def test_keys_that_cannot_be_read_let_nobody_in(house, sim, make, tmp_path):
    _, token = make(house)
    (tmp_path / "1.db.keys.json").write_text("{broken")
    reply = await house.ask("POST", CHAT, BODY, authorization=f"Bearer {token}")
    assert (reply.status, reply.error["code"]) == (503, "farthing_keys_unavailable")
    assert not sim.received


@pytest.mark.parametrize("path", [CHAT, "/v1/messages", "/v1/files"])
async def test_off_loopback_a_request_without_a_key_is_a_401(start, sim, make, path):
    house = await start(sim, server=OPEN)
    _, token = make(house)
    body = {"model": "m", "messages": []}
    reply = await house.ask("POST", path, body, authorization=None, x_api_key=None)
    assert (reply.status, reply.error["code"]) == (401, "farthing_unauthenticated")
    assert not sim.received
    assert (await house.ask("POST", CHAT, BODY, authorization=f"Bearer {token}")).status == 200


async def test_the_dashboard_off_loopback_needs_an_admin_key(start, sim, make):
    house = await start(sim, server=OPEN)
    _, app = make(house)
    _, admin = make(house, role="admin")
    basic = base64.b64encode(f"me:{admin}".encode()).decode()
    refused = [None, f"Bearer {app}", "Bearer sk-own", "Basic !", f"Basic {base64.b64encode(b'a:b').decode()}"]
    for path in ("/farthing/", "/farthing/api/report"):
        for authorization in refused:
            reply = await house.ask("GET", path, authorization=authorization)
            assert reply.status == 401, authorization
            assert reply.get("www-authenticate").startswith("Basic ")
        for authorization in (f"Bearer {admin}", f"Basic {basic}"):
            assert (await house.ask("GET", path, authorization=authorization)).status == 200


async def test_the_dashboard_on_loopback_is_open_to_loopback_s_names_only(house):
    assert (await house.ask("GET", "/farthing/", authorization=None)).status == 200
    assert (await house.ask("GET", "/farthing/", host="evil.example")).status == 403
    assert (await house.ask("GET", "/farthing/", origin="https://evil.example")).status == 403


def test_without_keys_it_refuses_to_start_off_loopback(tmp_path):
    policy = Policy(server=Server(**OPEN), store=Store(url=f"sqlite:///{tmp_path}/l.db"))
    with pytest.raises(ConfigError, match="farthing keys create"):
        check_keys(policy)
    ring = KeyRing(Path(policy.store.keys))
    key, _ = ring.create(tenant="acme", name="", role="app", clock=time.time)
    check_keys(policy)
    ring.revoke(key.id, time.time)
    with pytest.raises(ConfigError):
        check_keys(policy)
    check_keys(Policy(store=policy.store))
