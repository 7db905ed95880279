"""The client against a server that says exactly what a test scripts."""

import asyncio
import itertools
import time
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.errors import UpstreamError
from farthing.upstream.http1_pool import Http1Pool
from farthing.upstream.pool import Cut, content_type

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}"


class Script:
    """A server: what it read, and a function that answers each connection."""

    def __init__(self, answer):
        self.answer, self.read, self.connections = answer, bytearray(), 0
        self.asked, self.lost = asyncio.Event(), asyncio.Event()

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            await self.answer(self, reader, writer)
            while data := await reader.read(65536):
                self.read += data
                self.asked.set()
        except ConnectionError:
            pass
        finally:
            self.lost.set()
            writer.close()

    async def request(self, reader) -> bytes:
        """A whole request with a content-length."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
        whole = head + await reader.readexactly(length)
        self.read += whole
        self.asked.set()
        return whole


@asynccontextmanager
async def running(answer, *, read_timeout=5.0):
    script = Script(answer)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    pool = Http1Pool(connect_timeout=2.0, read_timeout=read_timeout, monotonic=time.perf_counter)
    try:
        yield script, pool, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await pool.close()
        server.close()


def saying(*parts: bytes, times: int = 1):
    async def answer(script, reader, writer):
        for _ in range(times):
            await script.request(reader)
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)

    return answer


async def ask(pool, url, method="POST", headers=(), body=b"{}"):
    return await pool.send(method, url + "/v1/x?y=1", list(headers), body).response()


async def test_the_request_goes_out_as_it_is():
    async with running(saying(OK)) as (script, pool, url):
        response = await ask(pool, url, headers=[(b"x-a", b"1"), (b"x-a", b"2")], body=b'{"q": "\xc3\xa9"}')
        assert await response.read() == b"{}"
        host = url.removeprefix("http://").encode()
        assert bytes(script.read) == (
            b"POST /v1/x?y=1 HTTP/1.1\r\nhost: " + host + b"\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 11\r\n\r\n"
            b'{"q": "\xc3\xa9"}'
        )


async def test_headers_come_back_in_order_with_repeats():
    raw = b"HTTP/1.1 201 Created\r\nSet-Cookie: a\r\nX-B: c\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"
    async with running(saying(raw)) as (_, pool, url):
        response = await ask(pool, url)
        assert response.status == 201
        assert response.headers == [
            (b"set-cookie", b"a"), (b"x-b", b"c"), (b"set-cookie", b"b"), (b"content-length", b"0"),
        ]  # fmt: skip
        assert await response.read() == b""


async def test_a_connection_is_used_again():
    async with running(saying(OK, times=5)) as (script, pool, url):
        for _ in range(5):
            assert await (await ask(pool, url)).read() == b"{}"
        assert script.connections == 1


async def test_connection_close_is_obeyed():
    close = OK.replace(b"content-length", b"connection: close\r\ncontent-length")
    async with running(saying(close)) as (script, pool, url):
        for _ in range(2):
            assert await (await ask(pool, url)).read() == b"{}"
        assert script.connections == 2


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, len(CHUNKED) - 1), max_size=6))
def test_a_chunked_body_survives_any_split(cuts):
    async def main():
        edges = [0, *sorted(set(cuts)), len(CHUNKED)]
        parts = [CHUNKED[a:b] for a, b in itertools.pairwise(edges)]
        async with running(saying(*parts)) as (_, pool, url):
            response = await ask(pool, url)
            assert b"".join([chunk async for chunk in response.chunks()]) == b"hello world"

    asyncio.run(main())


async def test_a_body_without_a_length_ends_with_the_connection():
    async def answer(script, reader, writer):
        await script.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        writer.write_eof()

    async with running(answer) as (_, pool, url):
        assert await (await ask(pool, url)).read() == b"until the end"


async def test_interim_responses_are_passed_over():
    async with running(saying(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK)) as (
        _,
        pool,
        url,
    ):
        response = await ask(pool, url)
        assert (response.status, content_type(response.headers)) == (200, "application/json")
        assert await response.read() == b"{}"


async def test_head_has_no_body():
    async with running(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")) as (_, pool, url):
        response = await ask(pool, url, method="HEAD", body=b"")
        assert await response.read() == b""


async def test_an_upload_is_passed_on_while_it_arrives():
    arrived = asyncio.Event()

    async def answer(script, reader, writer):
        script.read += await reader.readuntil(b"first\r\n")
        arrived.set()
        script.read += await reader.readuntil(b"0\r\n\r\n")
        writer.write(OK)

    async def body():
        yield b"first"
        await arrived.wait()
        yield b"second"

    async with running(answer) as (script, pool, url):
        assert await (await ask(pool, url, body=body())).read() == b"{}"
        assert b"transfer-encoding: chunked" in script.read
        assert bytes(script.read).endswith(b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")


async def test_nobody_there_names_the_address_and_the_way_out():
    pool = Http1Pool(connect_timeout=2.0, read_timeout=2.0, monotonic=time.perf_counter)
    with pytest.raises(UpstreamError, match=r"127\.0\.0\.1:1 cannot be reached.*base_url"):
        await ask(pool, "http://127.0.0.1:1")


async def test_a_reset_before_the_headers_is_an_error_of_its_own():
    async def answer(script, reader, writer):
        await script.request(reader)
        writer.transport.abort()

    async with running(answer) as (_, pool, url):
        with pytest.raises(UpstreamError) as raised:
            await ask(pool, url)
        assert raised.value.code == "farthing_upstream_closed"


async def test_nonsense_instead_of_http():
    async with running(saying(b"SSH-2.0-OpenSSH\r\n")) as (_, pool, url):
        with pytest.raises(UpstreamError, match="not HTTP"):
            await ask(pool, url)


async def test_a_cut_body_gives_what_came_and_then_the_cut():
    async def answer(script, reader, writer):
        await script.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await writer.drain()
        writer.close()

    async with running(answer) as (_, pool, url):
        response = await ask(pool, url)
        chunks = response.chunks()
        assert await anext(chunks) == b"hello"
        with pytest.raises(Cut):
            await anext(chunks)


async def test_silence_times_out_with_504():
    async with running(saying(), read_timeout=0.05) as (script, pool, url):
        with pytest.raises(UpstreamError) as raised:
            await ask(pool, url)
        assert (raised.value.status, raised.value.code) == (504, "farthing_upstream_timeout")
        await script.lost.wait()


async def test_cancelling_closes_the_connection_at_once():
    async with running(saying()) as (script, pool, url):
        task = asyncio.ensure_future(ask(pool, url))
        await script.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await script.lost.wait()


async def test_closing_in_mid_stream_drops_the_connection():
    async with running(saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")) as (
        script,
        pool,
        url,
    ):
        response = await ask(pool, url)
        assert await anext(response.chunks()) == b"hello"
        response.close()
        await script.lost.wait()


async def test_reading_pauses_for_a_slow_client_and_nothing_is_lost():
    size = 8 << 20

    async def answer(script, reader, writer):
        await script.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        for _ in range(size >> 16):
            writer.write(b"x" * 65536)
            await writer.drain()

    async with running(answer) as (_, pool, url):
        response = await ask(pool, url)
        got, most = 0, 0
        async for chunk in response.chunks():
            got += len(chunk)
            most = max(most, len(chunk))
            for _ in range(20):
                await asyncio.sleep(0)
        assert got == size
        assert most < 3 << 20


async def test_evicted_client_in_use_stays_open(monkeypatch):
    """Dropping idle connections never touches one that a reply is still arriving on."""
    go = asyncio.Event()

    async def answer(script, reader, writer):
        asked = await script.request(reader)
        if b"x-slow" not in asked:
            writer.write(OK)
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab")
        await go.wait()
        writer.write(b"cd")

    monkeypatch.setattr("farthing.upstream.http1_pool.MAX_IDLE", 0)
    async with running(answer) as (script, pool, url):
        slow = await ask(pool, url, headers=[(b"x-slow", b"1")])
        for _ in range(3):
            assert await (await ask(pool, url)).read() == b"{}"
        assert script.connections == 4  # none was kept
        go.set()
        assert await slow.read() == b"abcd"
