"""Who stops reading hangs up: the provider's connection ends, and the ledger has the call once."""

import asyncio
import gc
import re
import socket
import threading
from contextlib import closing, suppress

import anthropic
import openai
import pytest
from tests.serving import held

from farthing.policy import Server
from farthing.sdk.engines import ENGINES

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "How do I top up my card?"}]}
STREAMED = CHAT | {"stream": True}


@pytest.fixture
def provider():
    with held() as provider:
        yield provider


class Silent:
    """A provider that takes one request whole, and says nothing."""

    def __init__(self, listener):
        self.url, self.asked = f"http://127.0.0.1:{listener.getsockname()[1]}", threading.Event()
        self._listener = listener

    def listen(self):
        with suppress(OSError), self._listener.accept()[0] as connection:
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            missing = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
            while missing > 0:
                missing -= len(connection.recv(missing))
            self.asked.set()
            connection.recv(1)


@pytest.fixture
def silent():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        provider = Silent(listener)
        threading.Thread(target=provider.listen, daemon=True).start()
        yield provider


def once(app):
    """The only row, which says that its client left in the middle of the reply."""
    (row,) = app.settled()
    assert (row.error, row.calls[0].cost_source) == ("client_gone", "estimated")
    assert row.cost_nano > 0
    assert len(app.opened) == 1


@pytest.mark.parametrize("how", ["close", "break", "drop"])
def test_a_stream_that_is_left(app_of, provider, how):
    app = app_of(provider.url)
    stream = app.wrap(openai.OpenAI).chat.completions.create(**STREAMED)
    assert next(stream).choices[0].delta.content == "It "
    if how == "close":
        stream.close()
    elif how == "break":
        for _ in stream:
            break
    del stream
    gc.collect()
    once(app)


def test_a_reply_that_nobody_ever_reads(app_of, provider):
    app = app_of(provider.url)
    with app.wrap(openai.OpenAI).chat.completions.with_streaming_response.create(**STREAMED):
        pass
    app.settled()
    assert app.row.error == "client_gone"


async def test_a_task_that_is_cancelled_in_a_stream(app_of, provider):
    app = app_of(provider.url)
    stream = await app.wrap(openai.AsyncOpenAI).chat.completions.create(**STREAMED)
    begun = asyncio.Event()

    async def read():
        async for _ in stream:
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(once, app)


async def test_a_task_that_is_cancelled_before_the_answer(app_of, silent):
    app = app_of(silent.url)
    task = asyncio.create_task(app.wrap(openai.AsyncOpenAI).chat.completions.create(**STREAMED))
    await asyncio.to_thread(silent.asked.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (row,) = await asyncio.to_thread(app.settled)
    assert (row.error, row.cost_nano) == ("client_gone", None)


@pytest.mark.parametrize("given", [CHAT, STREAMED])
def test_a_client_s_timeout_is_its_own(app_of, silent, given):
    app = app_of(silent.url).with_(server=Server(hangup="cancel"))
    with pytest.raises(openai.APITimeoutError):
        app.wrap(openai.OpenAI, timeout=0.2).chat.completions.create(**given)
    (row,) = app.settled()
    assert (row.error, row.calls[0].cost_source) == ("client_gone", "unsettled")


async def test_a_timeout_of_asyncio(app_of, silent):
    app = app_of(silent.url)
    with pytest.raises(anthropic.APITimeoutError):
        await app.wrap(anthropic.AsyncAnthropic, timeout=0.2).messages.create(
            **STREAMED | {"model": "claude-haiku-4-5"}, max_tokens=5
        )
    await asyncio.to_thread(app.settled)


def test_silence_in_a_stream(app_of, provider):
    app = app_of(provider.url)
    stream = app.wrap(openai.OpenAI, timeout=0.3).chat.completions.create(**STREAMED)
    with pytest.raises(openai.APITimeoutError):
        list(stream)
    once(app)


def test_closing_ends_what_is_under_way(app_of, provider):
    app = app_of(provider.url)
    stream = app.wrap(openai.OpenAI).chat.completions.create(**STREAMED)
    next(stream)
    ENGINES.close(5.0)
    with pytest.raises(openai.APIConnectionError, match="Connection error"):
        list(stream)
    once(app)


def test_a_loop_that_ended_is_a_reader_that_left(app_of, provider):
    app = app_of(provider.url)
    client, streams = app.wrap(openai.AsyncOpenAI), []

    async def begin():
        streams.append(await client.chat.completions.create(**STREAMED))

    asyncio.run(begin())
    provider.go.set()
    (row,) = app.settled()
    assert row.status == 200
    streams.clear()
