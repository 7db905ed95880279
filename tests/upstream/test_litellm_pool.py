"""What LiteLLM opens is closed, whoever leaves when."""

import asyncio
import json

import pytest

from farthing.policy.provider import Provider, Quirks
from farthing.upstream.litellm_pool import LiteLlmPool

URL = "litellm://cohere/chat/completions"
ASK = json.dumps({"model": "command", "messages": [], "stream": True}).encode()
HEADERS = [(b"authorization", b"Bearer k")]
CHUNK = {"id": "c", "model": "command", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}


class Chunk:
    def model_dump(self):
        return CHUNK


class Stream:
    """A stream of LiteLLM's that never ends by itself."""

    chunks = ()

    def __init__(self):
        self.closed = asyncio.Event()

    async def __anext__(self):
        return Chunk()

    async def aclose(self):
        self.closed.set()


class Library:
    suppress_debug_info = True

    def __init__(self):
        self.stream = Stream()

    def get_supported_openai_params(self, **_):
        return []

    async def acompletion(self, **_):
        return self.stream


@pytest.fixture
def library():
    return Library()


@pytest.fixture
def pool(library):
    return LiteLlmPool(library, Provider(URL, "openai", "K", via="litellm/cohere", quirks=Quirks(responses=False)), 5.0)


async def test_a_reply_that_nobody_has_begun_to_read_is_closed(pool, library):
    (await pool.send("POST", URL, HEADERS, ASK).response()).close()
    async with asyncio.timeout(5):
        await library.stream.closed.wait()
    await pool.close()


async def test_a_reply_that_is_left_halfway_is_closed(pool, library):
    response = await pool.send("POST", URL, HEADERS, ASK).response()
    first = await anext(response.chunks())
    assert json.loads(first.removeprefix(b"data: "))["choices"][0]["delta"] == {"content": "Hi"}
    response.close()
    async with asyncio.timeout(5):
        await library.stream.closed.wait()
    await pool.close()


async def test_a_stop_leaves_nothing_open(pool, library):
    response = await pool.send("POST", URL, HEADERS, ASK).response()
    await anext(response.chunks())
    await pool.close()
    assert library.stream.closed.is_set()
