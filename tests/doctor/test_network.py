"""Providers by the way that requests take, with the simulator as provider."""

import socket
import time

import pytest

from farthing.doctor.network import answered, clock_skew, providers
from farthing.policy import Provider
from farthing.simulator import Simulator

from .conftest import only, states


@pytest.fixture
async def sim():
    async with Simulator(keys=["sk-good", "sk-ant-good"]) as sim:
        yield sim


@pytest.fixture
def asked(policy_of):
    """What is said of these providers, without the clock."""

    async def asked(environ=None, clock=time.time, **named):
        policy = policy_of(providers=named)
        found = [one async for one in providers(policy, environ or {}, clock, time.perf_counter)]
        asked.clock = [one for one in found if one.check == "clock"]
        return [one for one in found if one.check != "clock"]

    return asked


async def test_a_provider_that_takes_the_key(sim, asked):
    found = await asked(
        {"O": "sk-good", "A": "sk-ant-good"},
        openai=Provider(sim.openai_url, "openai", "O"),
        anthropic=Provider(sim.url, "anthropic", "A"),
    )
    assert states(found) == [("provider openai", "ok"), ("provider anthropic", "ok")]
    assert [one.path for one in sim.received] == []  # no call that is billed
    assert states(asked.clock) == [("clock", "ok")]


async def test_a_provider_that_refuses_the_key_is_not_one_that_cannot_be_reached(sim, asked):
    one = only(await asked({"O": "sk-wrong-secret"}, openai=Provider(sim.openai_url, "openai", "O")))
    assert (one.state, "refuses the key in O (401)" in one.found) == ("bad", True)
    assert "secret" not in str(one)


async def test_a_provider_without_a_key(sim, asked):
    one = only(await asked(openai=Provider(sim.openai_url, "openai", "O")))
    assert (one.state, one.found) == ("ok", f"{sim.openai_url} answers, and wants a key (401)")


async def test_every_endpoint_and_every_key_is_asked(sim, asked):
    provider = Provider(sim.openai_url, "openai", "O", base_urls=(sim.url + "/nowhere",), api_key_envs=("P",))
    found = await asked({"O": "sk-good", "P": "sk-bad"}, openai=provider)
    assert [one.state for one in found] == ["ok", "bad", "warn", "warn"]


async def test_a_name_that_is_not_known(asked):
    one = only(await asked(openai=Provider("http://nosuch.invalid/v1")))
    assert (one.state, "DNS" in one.found) == ("bad", True)


async def test_a_door_that_nobody_opens(asked):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    one = only(await asked(openai=Provider(f"http://127.0.0.1:{port}/v1")))
    assert (one.state, "cannot be reached" in one.found) == ("bad", True)
    assert "DNS" not in one.found


async def test_no_tls(sim, asked):
    one = only(await asked(openai=Provider(sim.openai_url.replace("http:", "https:"))))
    assert (one.state, one.found.startswith("no TLS with")) == ("bad", True)


async def test_a_proxy_that_is_not_there(sim, asked, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    one = only(await asked({"http_proxy": proxy}, openai=Provider(sim.openai_url)))
    assert (one.state, "through the proxy" in one.found) == ("bad", True)


async def test_a_clock_that_is_wrong(sim, asked):
    await asked(clock=lambda: time.time() + 90, openai=Provider(sim.openai_url))
    one = only(asked.clock)
    assert (one.state, one.found.endswith("s ahead of the providers'")) == ("warn", True)


@pytest.mark.parametrize(
    ("skew", "said"),
    [([], None), ([4.0, 900.0], "agrees"), ([-90.0, -91.0], "90 s behind"), ([90.0, 600.0], "90 s ahead of")],
)
def test_the_nearest_clock_counts(skew, said):
    found = list(clock_skew(skew))
    assert found == [] if said is None else said in only(found).found


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, "ok"), (401, "bad"), (403, "bad"), (404, "warn"), (407, "bad"), (429, "warn"), (503, "warn")],
)
def test_what_a_status_means(status, state):
    assert answered("provider x", "https://x/v1", status, "KEY").state == state
