"""The protocol under the gateway, over a real socket: one write a reply, hang-ups, idle connections, broken replies."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import uvicorn

from farthing.gateway.http import Protocol
from farthing.gateway.outbox import Outbox
from farthing.gateway.server import bind

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
OPEN = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b")]}
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@asynccontextmanager
async def served(app, before=None, **options):
    """An app on a free port; yields a function that opens connections, and the protocols' write calls.

    ``before``: what to note where the outbox does what has to be done before a write.
    """
    writes = []

    class Noted(Protocol):
        def connection_made(self, transport):
            super().connection_made(transport)
            original = transport.write

            class Transport:
                def write(self, data):
                    writes.append(bytes(data))
                    original(data)

                def __getattr__(self, name):
                    return getattr(transport, name)

            self.transport = Transport()
            if before is not None:
                self.outbox.before = lambda: writes.append(before)

    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(app, http=Noted, ws="none", lifespan="off", log_config=None, access_log=False, **options)
    server = uvicorn.Server(config)
    ended = asyncio.Event()

    async def serve():
        await server.serve(sockets=[listener])
        ended.set()

    task = asyncio.create_task(serve())
    opened = []

    async def connect():
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
        opened.append(writer)
        return reader, writer

    try:
        yield connect, writes, server
    finally:
        for writer in opened:
            writer.close()
        server.should_exit = True
        await ended.wait()
        await task


async def reply_of(connect, request=GET):
    reader, writer = await connect()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    return head, reader, writer


def answering(*messages):
    async def app(_scope, _receive, send):
        for message in messages:
            await send(message)

    return app


def body(data, *, more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_head_and_body_of_one_turn_are_one_write():
    async with served(answering(HEAD, body(b"ok"))) as (connect, writes, _):
        head, reader, _ = await reply_of(connect)
        assert head == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
        assert await reader.readexactly(2) == b"ok"
    assert writes == [head + b"ok"]


async def test_a_head_does_not_wait_for_a_body_that_is_still_to_come():
    go = asyncio.Event()

    async def app(_scope, _receive, send):
        await send(OPEN)
        await go.wait()
        await send(body(b"late", more=True))
        await send(body(b""))

    async with served(app) as (connect, writes, _):
        head, reader, _ = await reply_of(connect)
        assert b"transfer-encoding: chunked" in head
        assert writes == [head]
        go.set()
        assert await reader.readuntil(b"0\r\n\r\n") == b"4\r\nlate\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([HEAD, body(b"ok")], ["journal", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]),
        (
            [HEAD, body(b"o", more=True), body(b"k")],
            ["journal", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no", "journal", b"k", "journal"],
        ),
    ],
)
async def test_nothing_is_sent_before_the_journal_is_written(messages, expected):
    async with served(answering(*messages), before="journal") as (connect, writes, _):
        _, reader, _ = await reply_of(connect)
        assert await reader.readexactly(2) == b"ok"
        while len(writes) < len(expected):
            await asyncio.sleep(0)
    assert writes == expected


async def test_replies_of_one_turn_share_what_comes_before_them():
    go = asyncio.Event()
    waiting = []

    async def app(_scope, _receive, send):
        waiting.append(None)
        await go.wait()
        await send(HEAD)
        await send(body(b"ok"))

    shared = []
    async with served(app) as (connect, writes, server):
        connections = [await connect() for _ in range(3)]
        for _, writer in connections:
            writer.write(GET)
        while len(waiting) < 3:
            await asyncio.sleep(0)
        outbox = Outbox(lambda: shared.append(len(writes)))
        for connection in server.server_state.connections:
            connection.cycle.outbox = outbox
        go.set()
        for reader, _ in connections:
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK")
    assert shared == [0]


@pytest.mark.parametrize("chunks", [[b"a"], [b"a", b"", b"bc"], []])
async def test_chunks_are_framed(chunks):
    async with served(answering(OPEN, *(body(c, more=True) for c in chunks), body(b""))) as (connect, _, _):
        _, reader, _ = await reply_of(connect)
        framed = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks if c) + b"0\r\n\r\n"
        assert await reader.readexactly(len(framed)) == framed


@pytest.mark.parametrize("moment", ["waiting", "streaming"])
async def test_a_hang_up_cancels_the_request_and_nothing_is_logged(moment, caplog):
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def app(_scope, _receive, send):
        try:
            if moment == "streaming":
                await send(OPEN)
                await send(body(b"x", more=True))
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with served(app) as (connect, _, server):
        _, writer = await connect()
        writer.write(GET)
        await begun.wait()
        writer.close()
        await cancelled.wait()
        while server.server_state.tasks:
            await asyncio.sleep(0)
    assert not [record for record in caplog.records if record.levelname in {"ERROR", "WARNING"}]


async def test_a_request_whose_client_left_before_it_had_begun_is_forgotten():
    begun = []

    async def app(_scope, _receive, _send):
        begun.append(None)

    async with served(app) as (connect, _, server):
        await connect()
        while not server.server_state.connections:
            await asyncio.sleep(0)
        (connection,) = server.server_state.connections
        connection.data_received(GET)
        connection.connection_lost(None)
        assert len(server.server_state.tasks) == 1
        while server.server_state.tasks:
            await asyncio.sleep(0)
    assert begun == []


async def test_after_its_answer_a_request_is_not_cancelled():
    closed, finished = asyncio.Event(), asyncio.Event()

    async def app(_scope, _receive, send):
        await send(HEAD)
        await send(body(b"ok"))
        await closed.wait()
        finished.set()

    async with served(app) as (connect, _, server):
        _, reader, writer = await reply_of(connect)
        await reader.readexactly(2)
        writer.close()
        while server.server_state.connections:
            await asyncio.sleep(0)
        closed.set()
        await finished.wait()


async def test_pipelined_requests_are_answered_in_order():
    async def app(scope, _receive, send):
        path = scope["path"].encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send(body(path))

    async with served(app) as (connect, _, _):
        reader, writer = await connect()
        writer.write(GET.replace(b"/ ", b"/1 ") + GET.replace(b"/ ", b"/2 ") + GET.replace(b"/ ", b"/3 "))
        for path in (b"/1", b"/2", b"/3"):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(2) == path


async def test_a_connection_that_is_idle_too_long_is_closed_and_a_busy_one_is_not():
    clock = asyncio.get_running_loop()
    async with served(answering(HEAD, body(b"ok")), timeout_keep_alive=1) as (connect, _, _):
        reader, writer = await connect()
        began = clock.time()
        for _ in range(3):
            writer.write(GET)
            await reader.readuntil(b"ok")
        assert await reader.read() == b""  # closed by the server, after the last answer and not before the time
        assert clock.time() - began > 0.9


async def test_a_failing_app_is_a_500_and_the_connection_goes_on(caplog):
    async def app(_scope, _receive, _send):
        raise RuntimeError("no")

    async with served(app) as (connect, _, _):
        head, _, _ = await reply_of(connect)
    assert head.startswith(b"HTTP/1.1 500 ")
    assert "failed" in caplog.text


@pytest.mark.parametrize("sent", [[b"only"], [b"too", b" long"]])
async def test_a_body_of_another_length_than_announced_is_broken_off(sent, caplog):
    start = {**HEAD, "headers": [(b"content-length", b"5")]}
    async with served(answering(start, *(body(c, more=True) for c in sent), body(b""))) as (connect, _, _):
        _, reader, _ = await reply_of(connect)
        rest = await reader.read()
    assert len(rest) < 5
    assert "not as long" in caplog.text


async def test_a_reply_that_is_begun_and_not_ended_is_broken_off():
    async with served(answering(OPEN, body(b"half", more=True))) as (connect, _, _):
        _, reader, _ = await reply_of(connect)
        assert await reader.read() == b"4\r\nhalf\r\n"  # and no last chunk: the client can tell


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: x=1", b"a\nb", b"a\rb"])
async def test_a_line_break_in_a_header_goes_nowhere(value, caplog):
    start = {**HEAD, "headers": [(b"x-model", value), (b"content-length", b"2")]}
    async with served(answering(start, body(b"ok"))) as (connect, _, _):
        reader, writer = await connect()
        writer.write(GET)
        answer = await reader.read()
    assert b"set-cookie" not in answer
    assert b"x-model" not in answer
    assert "line break" in caplog.text


async def test_head_and_304_have_no_body():
    async with served(answering(HEAD, body(b"ok"))) as (connect, _, _):
        head, reader, writer = await reply_of(connect, GET.replace(b"GET", b"HEAD"))
        assert head.endswith(b"content-length: 2\r\n\r\n")
        writer.write(GET)
        assert await reader.readuntil(b"ok") == head + b"ok"
    async with served(answering({**OPEN, "status": 304, "headers": []}, body(b""))) as (connect, _, _):
        assert (await reply_of(connect))[0] == b"HTTP/1.1 304 Not Modified\r\n\r\n"


async def test_http_1_0_and_connection_close_are_closed_after_the_answer():
    for request in (GET.replace(b"1.1", b"1.0"), GET.replace(b"host: x", b"host: x\r\nconnection: close")):
        async with served(answering(HEAD, body(b"ok"))) as (connect, _, _):
            head, reader, _ = await reply_of(connect, request)
            assert b"connection: close" in head
            assert await reader.read() == b"ok"


async def test_expect_100_continue_is_answered():
    async def app(_scope, receive, send):
        message = await receive()
        await send({**HEAD, "headers": [(b"content-length", b"%d" % len(message["body"]))]})
        await send(body(message["body"]))

    async with served(app) as (connect, _, _):
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi")
        assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200 OK")
