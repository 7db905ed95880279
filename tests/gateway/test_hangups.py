"""A client that has left: what is read on, how far, and what the ledger then knows."""

import asyncio
import json

import pytest

CHAT = "/v1/chat/completions"
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What does a card cost?"}]}
STREAMED = ASKED | {"stream": True}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
COST = 9 * 2500 + 2 * 10_000
"""What the answer below costs, in nano-dollars."""
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
MESSAGE = {
    "id": "c", "model": "gpt-4o", "object": "chat.completion", "usage": USAGE,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Ten."}, "finish_reason": "stop"}],
}  # fmt: skip


def plain(body):
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(data) + data


def event(**fields):
    data = b"data: " + json.dumps({"id": "c", "model": "gpt-4o", **fields}).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


def word(text, finish=None):
    return event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": finish}])


LAST = word("", "stop")
REST = event(choices=[], usage=USAGE) + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


@pytest.fixture
def held(script, start):
    """A gateway before a provider that says one part at once, and the rest when it is let go."""

    async def held(*parts, **server):
        go = asyncio.Event()

        async def answer(it, reader, writer):
            while True:
                await it.request(reader)
                first, *others = parts
                writer.write(first)
                for part in others:
                    if await gone(reader, go):
                        return
                    writer.write(part)

        provider, url = await script(answer)
        return await start(url, server=server), provider, go

    return held


async def gone(reader, go):
    """Whether the other side closes its connection before it may go on."""
    waits = [asyncio.ensure_future(reader.read(1)), asyncio.ensure_future(go.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await asyncio.wait(waits)
    return not waits[0].cancelled()


async def leave(house, provider, body, *, after=b""):
    """Ask, and hang up once the provider has the request and these bytes have come; gives what is under way."""
    if after:
        async with house.request("POST", CHAT, body) as reply:
            got = b""
            while after not in got:
                got += await reply.content.readany()
            reply.close()
        return
    asking = asyncio.create_task(house.ask("POST", CHAT, body))
    while not provider.requests:
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])


def firm(house):
    """What the provider itself has said that the only call costs, of a request whose client has left."""
    (call,) = house.row.calls
    assert (house.row.error, call.error, call.cost_source) == ("client_gone", None, "usage")
    assert house.row.cost_nano == call.cost_nano
    return call.cost_nano


async def settled_after(house, provider, go):
    """Let the provider go on; it may not have to."""
    go.set()
    await house.settled()
    assert len(house.opened) == len(house.rows) == 1


async def test_usage_of_a_stream_whose_client_left_is_not_lost(held):
    house, provider, go = await held(HEAD + word("Ten."), LAST + REST, hangup="drain")
    await leave(house, provider, STREAMED, after=b"Ten.")
    await settled_after(house, provider, go)
    assert firm(house) == COST


async def test_a_reply_in_one_piece_is_read_to_its_end(held):
    house, provider, go = await held(b"", plain(MESSAGE))
    await leave(house, provider, ASKED)
    await settled_after(house, provider, go)
    assert firm(house) == COST
    assert house.row.status is None


async def test_a_reply_in_one_piece_of_which_a_part_has_come(held):
    data = plain(MESSAGE)
    house, provider, go = await held(data[:-30], data[-30:])
    await leave(house, provider, ASKED)
    await settled_after(house, provider, go)
    assert firm(house) == COST


async def test_who_comes_again_gets_the_answer_that_was_read_for_nobody(held):
    house, provider, go = await held(b"", plain(MESSAGE))
    await leave(house, provider, ASKED)
    again = asyncio.create_task(house.ask("POST", CHAT, ASKED))
    await asyncio.sleep(0)
    go.set()
    assert (await again).json == MESSAGE
    assert [row.cache for row in house.rows] == ["miss", "exact"]
    assert len(provider.requests) == 1


async def test_a_stream_is_closed_at_once_and_estimated(held):
    house, provider, _ = await held(HEAD + word("Ten."), LAST + REST)
    await leave(house, provider, STREAMED, after=b"Ten.")
    await provider.lost.wait()
    (row,) = await house.settled()
    assert (row.error, row.calls[0].cost_source, row.calls[0].error) == ("client_gone", "estimated", "client_gone")


async def test_a_stream_that_lacks_only_its_usage_is_read_on(held):
    house, provider, go = await held(HEAD + word("Ten.") + LAST, REST)
    await leave(house, provider, STREAMED, after=b'"stop"')
    await settled_after(house, provider, go)
    assert firm(house) == COST


async def test_a_stream_whose_client_left_before_its_first_byte(held):
    house, provider, go = await held(b"", HEAD + word("Ten.") + LAST + REST, hangup="drain")
    await leave(house, provider, STREAMED)
    await settled_after(house, provider, go)
    assert firm(house) == COST
    async with house.request("POST", CHAT, STREAMED) as reply:  # it was a whole answer: it is kept
        assert reply.headers["x-farthing-cache"] == "exact"
        assert b"Ten." in await reply.read()


@pytest.mark.parametrize(("body", "first"), [(ASKED, plain(MESSAGE)[:-30]), (STREAMED, HEAD + word("Ten."))])
async def test_draining_ends_in_time(held, body, first):
    house, provider, _ = await held(first, b"", hangup="drain", hangup_limit="50ms")
    await leave(house, provider, body, after=b"Ten." if body is STREAMED else b"")
    await provider.lost.wait()
    (row,) = await house.settled()
    (call,) = row.calls
    assert (row.error, call.error) == ("client_gone", "client_gone")
    assert call.cost_source == ("estimated" if body is STREAMED else "unsettled")


@pytest.mark.parametrize("body", [ASKED, STREAMED])
async def test_cancelling_closes_the_connection_at_once(held, body):
    house, provider, _ = await held(b"", plain(MESSAGE), hangup="cancel")
    await leave(house, provider, body)
    await provider.lost.wait()
    (row,) = await house.settled()
    assert (row.error, row.calls[0].cost_nano, row.calls[0].cost_source) == ("client_gone", None, "unsettled")


async def test_what_is_read_for_nobody_and_cut_is_not_kept(start, script):
    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(HEAD + word("Ten.") + LAST)
        await left.wait()
        writer.close()

    left = asyncio.Event()
    provider, url = await script(answer)
    house = await start(url)
    await leave(house, provider, STREAMED, after=b'"stop"')
    left.set()
    (row,) = await house.settled()
    assert (row.error, row.calls[0].cost_source) == ("client_gone", "estimated")
    async with house.request("POST", CHAT, STREAMED) as reply:
        assert reply.headers["x-farthing-cache"] == "miss"


async def test_what_is_not_billed_is_not_read_on(held):
    house, provider, _ = await held(b"", plain({}), hangup="drain")
    asking = asyncio.create_task(house.ask("GET", "/v1/models"))
    while not provider.requests:
        await asyncio.sleep(0)
    asking.cancel()
    await provider.lost.wait()
    (row,) = await house.settled()
    assert (row.error, row.calls[0].cost_nano) == ("client_gone", 0)


async def test_a_refusal_that_comes_for_nobody_costs_nothing(held):
    house, provider, go = await held(b"", b"HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n")
    await leave(house, provider, ASKED)
    await settled_after(house, provider, go)
    assert (house.row.error, house.row.cost_nano, len(house.row.calls)) == ("client_gone", 0, 1)


async def test_who_left_before_anything_was_sent_owes_nothing(start, script):
    async def silent(it, reader, writer):
        await reader.read()

    _, url = await script(silent)
    house = await start(url.replace("http:", "https:"))  # the handshake never ends
    asking = asyncio.create_task(house.ask("POST", CHAT, ASKED))
    while not house.opened:
        await asyncio.sleep(0)
    asking.cancel()
    (row,) = await house.settled()
    assert (row.error, row.calls[0].error, row.calls[0].cost_nano) == ("client_gone", "not_sent", 0)


async def test_a_stop_ends_what_is_read_on_and_enters_it(held):
    house, provider, _ = await held(HEAD + word("Ten."), b"", hangup="drain")
    await leave(house, provider, STREAMED, after=b"Ten.")
    (task,) = house.tasks
    await asyncio.sleep(0)
    task.cancel("the grace is over")
    await asyncio.wait([task])
    assert (house.row.error, house.row.calls[0].cost_source) == ("client_gone", "estimated")
    await provider.lost.wait()
