"""When something fails, a wrapped client sees what a plain one would see; and farthing's own trouble is no trouble."""

import errno
import socket

import anthropic
import httpx2
import openai
import pytest
from tests.gateway.test_clients import CHAT, MESSAGE

import farthing
from farthing.ledger import journal
from farthing.pipeline.intake import Intake
from farthing.sdk.engines import ENGINES
from farthing.simulator import Faults


@pytest.fixture
def nobody():
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_provider_that_is_not_there(app_of, nobody):
    app = app_of(nobody)
    with pytest.raises(openai.APIConnectionError) as caught:
        app.wrap(openai.OpenAI).chat.completions.create(**CHAT)
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)
    assert "127.0.0.1" in str(caught.value.__cause__)
    with pytest.raises(anthropic.APIConnectionError):
        app.wrap(anthropic.Anthropic).messages.create(**MESSAGE)
    assert [(row.error, row.cost_nano) for row in app.rows] == [("farthing_upstream_unreachable", 0)] * 2


async def test_the_same_for_asyncio(app_of, nobody):
    with pytest.raises(openai.APIConnectionError):
        await app_of(nobody).wrap(openai.AsyncOpenAI).chat.completions.create(**CHAT)


def test_a_stream_that_breaks_off(app_of, simulate):
    with simulate(faults={"*": Faults(drop_after=3)}) as sim:
        app = app_of(sim.url)
        stream = app.wrap(openai.OpenAI).chat.completions.create(**CHAT, stream=True)
        with pytest.raises(openai.APIError):
            list(stream)
        (row,) = app.settled()  # the client raises as soon as it is told
        assert (row.error, row.calls[0].cost_source) == ("cut", "estimated")


def test_calls_go_on_without_farthing(app, sim, monkeypatch):
    client = app.wrap(openai.OpenAI, base_url=sim.openai_url)
    monkeypatch.setattr(ENGINES, "working_seat", lambda _setup: None)
    assert client.chat.completions.create(**CHAT).choices[0].message.content
    assert not app.rows
    client.close()


async def test_and_so_do_those_of_asyncio(app, sim, monkeypatch):
    async with app.wrap(openai.AsyncOpenAI, base_url=sim.openai_url) as client:
        monkeypatch.setattr(ENGINES, "working_seat", lambda _setup: None)
        assert (await client.chat.completions.create(**CHAT)).choices[0].message.content


def test_an_engine_that_cannot_begin_again_is_said_once(app, sim, monkeypatch, caplog):
    client = app.wrap(openai.OpenAI, base_url=sim.openai_url)
    farthing.close()
    app.journal.rename(app.folder / "kept")
    app.journal.write_text("in the way")
    for _ in range(2):
        assert client.chat.completions.create(**CHAT).choices[0].message.content
    assert caplog.text.count("calls go on without it") == 1
    app.journal.unlink()
    assert client.chat.completions.create(**CHAT).choices[0].message.content
    assert len(app.rows) == 1
    client.close()


def test_a_fault_of_ours_before_anything_was_sent(app, sim, monkeypatch, caplog):
    client = app.wrap(openai.OpenAI, base_url=sim.openai_url)
    monkeypatch.setattr(Intake, "exchange", lambda *_: 1 / 0)
    assert client.chat.completions.create(**CHAT).choices[0].message.content
    assert "failed on a request before it was sent" in caplog.text
    client.close()


def test_a_full_disk(app, sim, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left")

    client = app.wrap(openai.OpenAI)
    with monkeypatch.context() as patch:
        patch.setattr(journal.os, "write", full)
        assert client.chat.completions.create(**CHAT).choices[0].message.content
        assert not app.rows
    assert client.chat.completions.create(**CHAT).choices[0].message.content
    assert len(app.rows) == 2
    assert app.bill() == sim.invoice.by_model()
