"""New settings for a gateway that serves: the next request has them, the one under way keeps its own."""

import asyncio
import logging

import pytest

from farthing.gateway.reload import Reload, report
from farthing.policy import Source
from farthing.simulator import Simulator

from .conftest import NOW


class Files:
    """The settings of a gateway of the fixture, as files."""

    def __init__(self, house, folder):
        self.house, self.config, self.env = house, folder / "f.toml", folder / "keys.env"
        self.env.write_text("OPENAI_API_KEY=sk-env\nANTHROPIC_API_KEY=sk-ant-env\n")
        self.reload = Reload(house.app, Source({}, self.config, self.env), report)

    async def write(self, provider, more="", mode="save"):
        policy = self.house.policy
        self.config.write_text(
            f'mode = "{mode}"\n[server]\nport = {policy.server.port}\ngrace = "2s"\n'
            f'[store]\nurl = "{policy.store.url}"\n[retries]\nattempts = 1\n'
            f'[providers.openai]\nbase_url = "{provider.openai_url}"\n'
            f'[providers.anthropic]\nbase_url = "{provider.url}"\n{more}'
        )
        await self.reload.run()


@pytest.fixture
async def files(house, tmp_path, caplog):
    caplog.set_level(logging.INFO, "farthing")
    return Files(house, tmp_path)


@pytest.fixture
async def other():
    async with Simulator(clock=lambda: NOW, seed=2) as running:
        yield running


async def test_a_changed_address_is_used_by_the_next_request(house, sim, other, files, caplog):
    assert (await house.say("One?")).status == 200
    old = house.app.runtime
    await files.write(other)
    assert house.app.runtime is not old
    assert (await house.say("Two?")).status == 200
    assert (len(sim.received), len(other.received)) == (1, 1)
    assert len(house.rows) == 2
    assert caplog.messages == [
        "the settings were read again: changed [providers.anthropic] base_url, [providers.openai] base_url"
    ]


async def test_the_cache_the_journal_and_the_readiness_go_over(house, sim, files):
    assert [(await house.say()).get("x-farthing-cache") for _ in range(2)] == ["miss", "exact"]
    for _ in range(3):
        await files.write(sim)
    assert (await house.say()).get("x-farthing-cache") == "exact"
    assert (await house.ask("GET", "/readyz")).body == b"ok"
    assert len(house.rows) == 3
    assert len(sim.received) == 1


async def test_the_cache_can_be_turned_off_and_on_again(house, sim, files):
    await house.say()
    await files.write(sim, "[cache]\nexact = false\n")
    assert (await house.say()).get("x-farthing-cache") == "off"
    await files.write(sim)
    assert (await house.say()).get("x-farthing-cache") == "exact"


async def test_a_key_in_the_environment_file_is_taken_on_and_never_logged(house, sim, files, caplog):
    await house.say("One?", headers={"authorization": None})
    files.env.write_text("OPENAI_API_KEY=sk-new-secret\nANTHROPIC_API_KEY=sk-ant-env\n")
    await files.write(sim)
    await house.say("Two?", headers={"authorization": None})
    assert [one.headers["authorization"] for one in sim.received] == ["Bearer sk-env", "Bearer sk-new-secret"]
    assert caplog.messages == ["the settings were read again: changed OPENAI_API_KEY"]


async def test_a_stream_that_runs_through_it_comes_complete_and_is_in_the_ledger(house, sim, other, files, script):
    go = asyncio.Event()

    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        writer.write(b'data: {"choices":[{"index":0,"delta":{"content":"It"}}]}\n\n')
        await writer.drain()
        await go.wait()
        writer.write(b'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11}}\n\n')
        writer.write(b"data: [DONE]\n\n")
        writer.close()

    _, url = await script(answer)
    slow = type("Slow", (), {"openai_url": url, "url": sim.url})
    await files.write(slow)
    old = house.app.runtime
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    async with house.request("POST", "/v1/chat/completions", body) as reply:
        begun = await reply.content.readline()
        await files.write(other)
        assert (await house.say("Meanwhile?")).status == 200
        assert len(other.received) == 1
        (leaving,) = house.app._leaving
        assert leaving.runtime is old
        go.set()
        rest = await reply.content.read()
        await leaving._ending
    assert b"It" in begun
    assert rest.rstrip().splitlines()[-1].startswith(b": farthing {")
    assert house.app._leaving == set()
    (row,) = [row for row in await house.settled(2) if row.stream]
    assert (row.error, row.calls[0].cost_source, row.calls[0].usage.input) == (None, "usage", 10)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server\n", "f.toml: not valid TOML"),
        ('[cache]\nttl = "soon"\n', "line 2: [cache] ttl: 'soon' is not a duration"),
        ('[prices]\nfile = "nosuch.toml"\n', "nosuch.toml: cannot be read"),
    ],
)
async def test_a_bad_file_changes_nothing_and_is_named(house, sim, files, caplog, text, said):
    old = house.app.runtime
    files.config.write_text(text)
    await files.reload.run()
    assert house.app.runtime is old
    assert (await house.say()).status == 200
    (message,) = caplog.messages
    assert message.startswith("the new settings are refused, the old ones stay: ")
    assert said in message


async def test_a_fault_inside_changes_nothing_either(house, sim, files, caplog, monkeypatch):
    old = house.app.runtime

    async def fails(*_):
        raise OSError("too many files")

    monkeypatch.setattr(old, "following", fails)
    await files.write(sim)
    assert house.app.runtime is old
    assert (await house.say()).status == 200
    assert caplog.messages == ["the settings could not be read again; the old ones stay"]


async def test_what_needs_a_restart_is_named_and_stays(house, sim, files, caplog):
    await files.write(sim, '[cache]\nmax_size = "5MB"\n[metrics]\nmost_values = 7\n')
    assert caplog.messages == [
        "the settings were read again: nothing in them has changed",
        "changed as well, and without effect until the next start: [cache] max_size, [metrics] most_values",
    ]
    assert house.app.runtime.policy.cache.max_size == "1GB"


async def test_the_dashboard_and_the_metrics_go_on_and_tell_the_new_mode(house, sim, files):
    assert (await house.ask("GET", "/farthing/")).status == 200
    await files.write(sim, mode="observe")
    assert (await house.ask("GET", "/farthing/")).status == 200
    assert house.app._dashboard._opened[0] is house.app.runtime
    assert b'mode="observe"' in (await house.ask("GET", "/metrics")).body
