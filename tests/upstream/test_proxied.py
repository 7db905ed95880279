"""Through a forward proxy, from the pool alone to the whole gateway."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress

import pytest
from tests.serving import BEGINNING, CHAT, REST, entered, question, serving, settled

from farthing.errors import UpstreamError
from farthing.simulator import Simulator
from farthing.upstream.pool import Cut, open_pool
from farthing.upstream.proxied import ProxiedPool

NOBODY = "http://127.0.0.1:1"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


async def message(reader):
    """A request: its head and its body, as they came."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if line)
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return head, await reader.readuntil(b"0\r\n\r\n")
    return head, await reader.readexactly(int(fields.get(b"content-length", 0)))


class Listener:
    """Answers connections of loopback; ``lost`` is set when the other side has gone."""

    def __init__(self):
        self.seen, self.connections = [], 0
        self.asked, self.lost = asyncio.Event(), asyncio.Event()
        self._tasks = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._tasks.add(asyncio.current_task())
        try:
            await self.answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.lost.set()
            writer.close()


class Provider(Listener):
    """Says the same to everybody: bytes, or an event to wait for."""

    def __init__(self, *parts):
        super().__init__()
        self._parts = parts

    async def answer(self, reader, writer):
        while True:
            self.seen.append(await message(reader))
            self.asked.set()
            for part in self._parts:
                if isinstance(part, bytes):
                    writer.write(part)
                    await writer.drain()
                elif part is None:
                    return
                else:
                    gone = asyncio.ensure_future(reader.read(1))
                    waited = asyncio.ensure_future(part.wait())
                    await asyncio.wait({gone, waited}, return_when=asyncio.FIRST_COMPLETED)
                    if gone.done():
                        return


class Proxy(Listener):
    """A forward proxy: takes requests for whole addresses and hands them on."""

    async def answer(self, reader, writer):
        upstream = None
        pumping = None
        try:
            while True:
                head, body = await message(reader)
                method, target, rest = head.split(b" ", 2)
                self.seen.append(f"{method.decode()} {target.decode()}")
                host, slash, path = target.removeprefix(b"http://").partition(b"/")
                if upstream is None:
                    back, upstream = await asyncio.open_connection(*host.decode().split(":"))
                    pumping = asyncio.ensure_future(self._pump(back, writer))
                upstream.write(method + b" " + slash + path + b" " + rest + body)
        finally:
            if upstream is not None:
                upstream.close()
                pumping.cancel()
                await asyncio.gather(pumping, return_exceptions=True)

    async def _pump(self, back, writer):
        with suppress(ConnectionError):
            while data := await back.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
async def stack():
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def start(stack):
    async def start(listener):
        await listener.start()
        stack.push_async_callback(listener.stop)
        return listener

    return start


@pytest.fixture
async def proxy(start):
    return await start(Proxy())


@pytest.fixture
def pool_of(stack, monkeypatch):
    """A pool in an environment with this proxy."""

    def pool_of(proxy, *, read_timeout=5.0, **more):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        environ = ({} if proxy is None else {"http_proxy": proxy}) | more
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        pool = open_pool(connect_timeout=5.0, read_timeout=read_timeout, environ=environ, monotonic=lambda: 0.0)
        assert isinstance(pool, ProxiedPool)
        stack.push_async_callback(pool.close)
        return pool

    return pool_of


async def ask(pool, url, method="POST", headers=(), body=b"{}"):
    own = [(b"accept-encoding", b"identity"), *headers]
    return await pool.send(method, url + "/v1/x?y=%2F1", own, body).response()


# ------------------------------------------------------------ the pool


async def test_a_request_goes_through_the_proxy_as_it_is_and_comes_back_so(start, proxy, pool_of):
    raw = b"HTTP/1.1 201 Created\r\nSet-Cookie: a\r\nX-B: c\r\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\n{}"
    provider = await start(Provider(raw))
    pool = pool_of(proxy.url)
    response = await ask(
        pool, provider.url, headers=[(b"x-a", b"1"), (b"authorization", b"Bearer sk")], body=b'{"q":1}'
    )
    assert await response.read() == b"{}"
    assert response.status == 201
    assert response.headers == [
        (b"set-cookie", b"a"), (b"x-b", b"c"), (b"set-cookie", b"b"), (b"content-length", b"2"),
    ]  # fmt: skip
    assert proxy.seen == [f"POST {provider.url}/v1/x?y=%2F1"]
    head, body = provider.seen[0]
    assert body == b'{"q":1}'
    assert sorted(line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:-2]) == [
        b"accept-encoding", b"authorization", b"content-length", b"host", b"x-a",
    ]  # fmt: skip


async def test_a_connection_is_used_again(start, proxy, pool_of):
    provider = await start(Provider(OK))
    pool = pool_of(proxy.url)
    for _ in range(5):
        assert await (await ask(pool, provider.url)).read() == b"{}"
    assert (proxy.connections, len(proxy.seen)) == (1, 5)


async def test_a_stream_is_not_collected(start, proxy, pool_of):
    more = asyncio.Event()
    provider = await start(Provider(STREAM + chunk(b"one"), more, chunk(b"two") + b"0\r\n\r\n"))
    response = await ask(pool_of(proxy.url), provider.url)
    chunks = response.chunks()
    assert await anext(chunks) == b"one"
    more.set()
    assert [part async for part in chunks] == [b"two"]


async def test_an_upload_is_passed_on(start, proxy, pool_of):
    async def body():
        yield b"first"
        yield b"second"

    provider = await start(Provider(OK))
    assert await (await ask(pool_of(proxy.url), provider.url, body=body())).read() == b"{}"
    assert provider.seen[0][1] == b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n"


async def test_closing_in_mid_stream_drops_both_connections(start, proxy, pool_of):
    provider = await start(Provider(STREAM + chunk(b"one"), asyncio.Event()))
    response = await ask(pool_of(proxy.url), provider.url)
    assert await anext(response.chunks()) == b"one"
    response.close()
    await provider.lost.wait()


async def test_cancelling_drops_both_connections(start, proxy, pool_of):
    provider = await start(Provider(asyncio.Event()))
    task = asyncio.ensure_future(ask(pool_of(proxy.url), provider.url))
    await provider.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await provider.lost.wait()


async def test_a_cut_stream_gives_what_came_and_then_the_cut(start, proxy, pool_of):
    provider = await start(Provider(STREAM + chunk(b"one"), None))
    response = await ask(pool_of(proxy.url), provider.url)
    chunks = response.chunks()
    assert await anext(chunks) == b"one"
    with pytest.raises(Cut):
        await anext(chunks)
    response.close()


async def test_a_connection_that_ends_before_the_reply(start, proxy, pool_of):
    provider = await start(Provider(None))
    with pytest.raises(UpstreamError) as raised:
        await ask(pool_of(proxy.url), provider.url)
    assert (raised.value.status, raised.value.code) == (502, "farthing_upstream_closed")


async def test_silence_is_a_504(start, proxy, pool_of):
    provider = await start(Provider(asyncio.Event()))
    with pytest.raises(UpstreamError) as raised:
        await ask(pool_of(proxy.url, read_timeout=0.05), provider.url)
    assert (raised.value.status, raised.value.code) == (504, "farthing_upstream_timeout")


async def test_a_proxy_that_is_down_is_named(start, pool_of):
    provider = await start(Provider(OK))
    with pytest.raises(UpstreamError, match=r"127\.0\.0\.1:1\b") as raised:
        await ask(pool_of(NOBODY), provider.url)
    assert (raised.value.status, raised.value.code) == (502, "farthing_upstream_unreachable")
    assert provider.connections == 0


async def test_what_no_proxy_names_goes_straight(start, proxy, pool_of):
    provider = await start(Provider(OK))
    assert await (await ask(pool_of(proxy.url, no_proxy="127.0.0.1"), provider.url)).read() == b"{}"
    assert (proxy.seen, len(provider.seen)) == ([], 1)


async def test_a_proxy_for_everything_is_used(start, proxy, pool_of):
    provider = await start(Provider(OK))
    assert await (await ask(pool_of(None, all_proxy=proxy.url), provider.url)).read() == b"{}"
    assert len(proxy.seen) == 1


async def test_a_netrc_file_adds_no_credential(start, proxy, pool_of, tmp_path):
    (tmp_path / "netrc").write_text("default login mara password secret\n")
    provider = await start(Provider(OK))
    pool = pool_of(proxy.url, NETRC=str(tmp_path / "netrc"))
    assert await (await ask(pool, provider.url, headers=[(b"authorization", b"Bearer sk")])).read() == b"{}"
    assert await (await ask(pool, provider.url, headers=[(b"x-api-key", b"sk")])).read() == b"{}"
    assert not any(b"Basic" in head for head, _ in provider.seen)


# ------------------------------------------------------------ the gateway


async def test_a_gateway_behind_a_proxy_serves_plain_and_streamed(tmp_path, proxy):
    async with Simulator(seed=1) as sim:
        with serving(tmp_path, sim.url, HTTP_PROXY=proxy.url) as gateway:
            plain = await asyncio.to_thread(gateway.say)
            assert (plain.status, plain.json["object"]) == (200, "chat.completion")
            streamed = await asyncio.to_thread(gateway.ask, CHAT, question(stream=True))
            assert streamed.headers["content-type"].startswith("text/event-stream")
            assert b"data: [DONE]" in streamed.body
            assert set(proxy.seen) == {f"POST {sim.openai_url}/chat/completions"}
            assert await asyncio.to_thread(gateway.stop) == 0
            assert gateway.errors == ""
        assert sum(row.request.cost_nano for row in settled(tmp_path)) == sim.invoice.total_nano_usd > 0


async def test_a_client_that_hangs_up_closes_the_provider_s_connection(tmp_path, start, proxy):
    provider = await start(Provider(STREAM + chunk(BEGINNING), asyncio.Event(), chunk(REST) + b"0\r\n\r\n"))

    def hang_up():
        with gateway.asking(CHAT, question(stream=True)) as stream:
            assert stream.read(len(BEGINNING)) == BEGINNING

    with serving(tmp_path, provider.url, HTTP_PROXY=proxy.url) as gateway:
        await asyncio.to_thread(hang_up)
        await provider.lost.wait()
        (row,) = await asyncio.to_thread(entered, tmp_path, 1)
        assert row.request.error == "client_gone"
        assert await asyncio.to_thread(gateway.stop) == 0
        assert "Traceback" not in gateway.errors


async def test_a_proxy_that_is_down_is_an_error_in_the_client_s_shape(tmp_path):
    claude = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": question()["messages"]}
    with serving(tmp_path, "http://127.0.0.1:2", HTTP_PROXY=NOBODY) as gateway:
        openai = await asyncio.to_thread(gateway.say)
        anthropic = await asyncio.to_thread(gateway.ask, "/v1/messages", claude, x_api_key="sk")
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.errors
    assert (openai.status, anthropic.status) == (502, 502)
    assert openai.json["error"]["code"] == "farthing_upstream_unreachable"
    assert openai.json["error"].keys() == {"message", "type", "param", "code"}
    assert anthropic.json["type"] == "error"
    assert "farthing_upstream_unreachable" in json.dumps(anthropic.json)
    assert {row.request.status for row in settled(tmp_path)} == {502}
