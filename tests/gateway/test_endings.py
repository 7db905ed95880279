"""Every way in which a request can end: one row in the ledger, the provider's own bill, and a client that knows."""

import asyncio
import json

import aiohttp
import anthropic
import openai
import pytest

from farthing.simulator import Faults
from farthing.simulator.server import Control

CHAT = "/v1/chat/completions"
PATHS = [CHAT, "/v1/responses", "/v1/messages"]
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"
MESSAGES = [{"role": "user", "content": "Count to three"}]
STREAMED = {"model": "gpt-4o", "stream": True, "messages": MESSAGES}


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(**fields):
    return b"data: " + json.dumps({"id": "c", "model": "gpt-4o-2024-08-06", **fields}).encode() + b"\n\n"


def word(text):
    return event(choices=[{"index": 0, "delta": {"content": text}}])


LAST = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])


def usage(prompt, output):
    return event(choices=[], usage={"prompt_tokens": prompt, "completion_tokens": output})


def streamed(path):
    if path == "/v1/responses":
        return {"model": "gpt-4o", "stream": True, "input": "Count to three"}
    model = {"model": "claude-haiku-4-5", "max_tokens": 500} if path == "/v1/messages" else {"model": "gpt-4o"}
    return {"stream": True, "messages": MESSAGES, **model}


def fault(sim, **faults):
    sim.control(Control(faults={"*": Faults(**faults)}, reset=True))


def only_call(house):
    """One request, opened once, settled once, with one call of the provider that was announced."""
    (opened,) = house.opened
    (call,) = house.row.calls
    assert (opened.id, opened.call_id) == (house.row.id, call.id)
    return call


async def read_on(house, path, body):
    """All bytes of a stream, and whether its connection broke."""
    got = bytearray()
    async with house.request("POST", path, body) as reply:
        try:
            async for part in reply.content.iter_any():
                got += part
        except aiohttp.ClientPayloadError:
            return bytes(got), True
    return bytes(got), False


# ------------------------------------------------------------ the provider breaks off


@pytest.mark.parametrize("path", PATHS)
async def test_a_cut_stream_is_told_broken_off_and_marked(house, sim, path):
    fault(sim, drop_after=6)
    got, broken = await read_on(house, path, streamed(path))
    assert broken
    assert b"farthing_upstream_cut" in got
    assert b": farthing {" not in got
    assert (house.row.status, house.row.error) == (200, "cut")
    call = only_call(house)
    assert (call.error, call.status, call.cost_source) == ("cut", 200, "estimated")
    assert call.cost_nano > 0
    assert len(sim.invoice.lines) == 1
    if path == "/v1/messages":  # its first event has told the input
        assert call.usage.input == sim.invoice.lines[0].tokens.input


async def test_the_official_clients_raise_on_a_cut(house, sim):
    fault(sim, drop_after=3)
    async with house.openai() as client:
        stream = await client.chat.completions.create(**STREAMED)
        with pytest.raises(openai.APIError, match="broke off"):
            _ = [part async for part in stream]
        stream = await client.responses.create(**streamed("/v1/responses"))
        with pytest.raises(openai.APIError, match="broke off"):
            _ = [part async for part in stream]
    async with house.anthropic() as client:
        stream = await client.messages.create(**streamed("/v1/messages"))
        with pytest.raises(anthropic.APIError, match="broke off"):
            _ = [part async for part in stream]


async def test_a_cut_inside_an_event_still_tells_the_error(start, script):
    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(STREAM + chunk(word("one") + b'data: {"choices"'))
        await writer.drain()
        writer.close()

    _, url = await script(answer)
    house = await start(url)
    async with house.openai() as client:
        stream = await client.chat.completions.create(**{**STREAMED, "stream_options": {"include_usage": True}})
        with pytest.raises((openai.APIError, json.JSONDecodeError)):
            _ = [part async for part in stream]
    assert house.row.error == "cut"


async def test_a_cut_download_gets_no_event_in_its_bytes(start, script):
    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    _, url = await script(answer)
    house = await start(url)
    async with house.request("GET", "/v1/files/f/content") as reply:
        with pytest.raises(aiohttp.ClientPayloadError):
            await reply.read()
        assert reply.content.total_bytes == 4
    assert house.row.error == "cut"


async def test_a_cut_reply_in_one_piece_is_a_502_with_an_unknown_cost(house, sim):
    fault(sim, wrong_content_length=True)
    reply = await house.ask("POST", CHAT, {"model": "gpt-4o", "messages": MESSAGES})
    assert (reply.status, reply.error["code"]) == (502, "farthing_upstream_cut")
    assert "broke off" in reply.error["message"]
    call = only_call(house)
    assert (call.status, call.error, call.cost_nano) == (200, "cut", None)
    assert house.row.cost_nano is None


async def test_a_reset_before_the_answer(house, sim):
    fault(sim, p_reset=1.0)
    reply = await house.ask("POST", CHAT, {"model": "gpt-4o", "messages": MESSAGES})
    assert (reply.status, reply.error["code"]) == (502, "farthing_upstream_closed")
    assert (only_call(house).status, only_call(house).error) == (None, "upstream_closed")


@pytest.mark.parametrize("path", PATHS)
async def test_overloaded_inside_stream(house, sim, path):
    """An error instead of the first event is an error that costs nothing, whatever the status says."""
    fault(sim, stream_error_after=0)
    reply = await house.ask("POST", path, streamed(path))
    assert reply.status == 200
    call = only_call(house)
    assert call.error in ("server_error", "overloaded_error")
    assert (house.row.status, house.row.error) == (200, call.error)
    assert (call.cost_nano, call.cost_source, call.usage) == (0, "free", None)
    assert sim.invoice.lines == []


@pytest.mark.parametrize("path", PATHS)
async def test_an_error_after_the_first_event_is_no_firm_nothing(house, sim, path):
    """Not a word has come, but the prompt has been read: the provider bills it."""
    fault(sim, stream_error_after=1)
    await house.ask("POST", path, streamed(path))
    call = only_call(house)
    assert call.error in ("server_error", "overloaded_error")
    assert (call.cost_source, call.cost_nano > 0) == ("estimated", True)
    assert sum(line.nano_usd for line in sim.invoice.lines) > 0


@pytest.mark.parametrize("path", PATHS)
async def test_a_stream_that_ends_as_none_ends_is_an_error_and_estimated(house, sim, path):
    fault(sim, truncate_after=6)
    await house.ask("POST", path, streamed(path))
    call = only_call(house)
    assert (house.row.status, house.row.error, call.cost_source) == (200, "truncated", "estimated")
    assert call.cost_nano > 0
    fault(sim)
    assert (await house.ask("POST", path, streamed(path))).get("x-farthing-cache") == "miss"


@pytest.mark.parametrize("path", PATHS)
async def test_half_a_reply_is_an_error_and_estimated(house, sim, path):
    fault(sim, malformed_json=True)
    await house.ask("POST", path, streamed(path) | {"stream": False})
    call = only_call(house)
    assert (house.row.status, house.row.error, call.cost_source) == (200, "truncated", "estimated")
    assert call.cost_nano > 0


@pytest.mark.parametrize("path", PATHS)
async def test_an_error_event_after_200_passes_and_is_in_the_ledger(house, sim, path):
    fault(sim, p_stream_error=1.0)
    reply = await house.ask("POST", path, streamed(path))
    assert reply.status == 200
    assert b"farthing_" not in reply.body
    assert b"rror" in reply.body.rpartition(b": farthing {")[0]
    call = only_call(house)
    assert call.error in ("server_error", "overloaded_error")
    assert house.row.error == call.error
    assert call.cost_source == "estimated"


async def test_the_official_clients_raise_on_an_error_event(house, sim):
    fault(sim, p_stream_error=1.0)
    async with house.openai() as client:
        stream = await client.chat.completions.create(**STREAMED)
        with pytest.raises(openai.APIError, match="The server had an error"):
            _ = [part async for part in stream]
    async with house.anthropic() as client:
        stream = await client.messages.create(**streamed("/v1/messages"))
        with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
            _ = [part async for part in stream]


# ------------------------------------------------------------ what the provider says of usage


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", PATHS)
async def test_no_usage_is_estimated_and_marked(house, sim, path, stream):
    fault(sim, no_usage=True)
    await house.ask("POST", path, streamed(path) | {"stream": stream})
    call = only_call(house)
    assert call.cost_source == "estimated"
    assert call.raw_usage is None
    assert min(call.usage.input, call.usage.output, call.cost_nano) > 0
    billed = sim.invoice.lines[0].tokens.output
    assert billed / 2 < call.usage.output < billed * 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", PATHS)
async def test_zero_usage_for_an_answer_is_estimated_and_marked(house, sim, path, stream):
    """Not even input: such a server does not count. Its bill is right all the same."""
    fault(sim, zero_usage=True)
    await house.ask("POST", path, streamed(path) | {"stream": stream})
    call = only_call(house)
    assert call.cost_source == "estimated"
    billed = sim.invoice.lines[0].tokens.output
    assert billed / 2 < call.usage.output < billed * 2
    assert "0" in call.raw_usage


@pytest.mark.parametrize("stream", [False, True])
async def test_zero_usage_is_zero_and_not_unknown(start, saying, stream):
    said, said_nothing = usage(0, 0), {"index": 0, "message": {"content": ""}, "finish_reason": "stop"}
    whole = json.dumps({"id": "c", "choices": [said_nothing], "usage": {"prompt_tokens": 0, "completion_tokens": 0}})
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(whole)
    _, url = await saying(STREAM + b"".join(map(chunk, [LAST, said, DONE])) + END if stream else head + whole.encode())
    house = await start(url)
    await house.ask("POST", CHAT, STREAMED | {"stream": stream})
    call = only_call(house)
    assert (call.cost_nano, call.cost_source, call.usage.output) == (0, "usage", 0)
    assert house.row.cost_nano == 0


@pytest.mark.parametrize("faults", [{"usage_twice": True}, {"usage_on_last_choice": True}])
@pytest.mark.parametrize("path", PATHS)
async def test_usage_told_twice_counts_once(house, sim, path, faults):
    fault(sim, **faults)
    await house.ask("POST", path, streamed(path))
    only_call(house)
    assert house.bill() == sim.invoice.by_model()


async def test_an_unknown_model_of_a_compatible_provider_is_unpriced_never_zero(start, saying):
    body = b'{"model":"made-up-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1}}'
    _, url = await saying(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    house = await start(url)
    reply = await house.ask("POST", CHAT, {"model": "made-up-1", "messages": MESSAGES})
    call = only_call(house)
    assert (call.cost_nano, call.cost_source, call.usage.input) == (None, "unpriced", 9)
    assert (house.row.cost_nano, house.row.baseline_nano) == (None, None)
    assert not [name for name, _ in reply.headers if name.endswith("-usd")]


# ------------------------------------------------------------ refusals of the provider

REFUSALS = [
    (b"429 Too Many Requests", b'{"error": {"type":"rate_limit_error", "code":"rate_limit_exceeded" }}\n'),
    (b"500 Internal Server Error", b"<html>oops</html>"),
    (b"529 Overloaded", b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'),
    (b"401 Unauthorized", b'{"error":{"code":"invalid_api_key","message":"no"}}'),
    (b"400 Bad Request", b""),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("status", "body"), REFUSALS)
@pytest.mark.parametrize("path", PATHS)
async def test_errors_pass_through_byte_for_byte_and_cost_nothing(start, saying, path, status, body, stream):
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nretry-after: 7\r\ncontent-length: %d\r\n\r\n"
    _, url = await saying(head % (status, len(body)) + body)
    house = await start(url)
    reply = await house.ask("POST", path, streamed(path) | {"stream": stream})
    assert (reply.status, reply.body, reply.get("retry-after")) == (int(status[:3]), body, "7")
    call = only_call(house)
    assert (call.status, call.cost_nano, call.cost_source) == (int(status[:3]), 0, "free")
    assert (house.row.status, house.row.cost_nano) == (int(status[:3]), 0)


@pytest.mark.parametrize(
    ("faults", "openai_error", "anthropic_error"),
    [
        ({"p_error": 1.0}, openai.InternalServerError, anthropic.InternalServerError),
        ({"p_overloaded": 1.0}, openai.InternalServerError, anthropic.InternalServerError),
        ({"p_quota": 1.0}, openai.RateLimitError, anthropic.APIStatusError),
    ],
)
async def test_the_official_clients_raise_what_the_provider_s_errors_call_for(
    house, sim, faults, openai_error, anthropic_error
):
    fault(sim, **faults)
    async with house.openai() as client:
        with pytest.raises(openai_error) as ours:
            await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    async with openai.AsyncOpenAI(base_url=sim.openai_url, api_key="k", max_retries=0) as client:
        with pytest.raises(openai_error) as theirs:
            await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert (ours.value.code, ours.value.type, ours.value.body) == (
        theirs.value.code, theirs.value.type, theirs.value.body,
    )  # fmt: skip
    async with house.anthropic() as client:
        with pytest.raises(anthropic_error):
            await client.messages.create(model="claude-haiku-4-5", max_tokens=5, messages=MESSAGES)
    assert [row.cost_nano for row in house.rows] == [0, 0]
    assert sim.invoice.lines == []


async def test_the_client_s_own_retries_are_calls_of_their_own(house, sim):
    fault(sim, p_error=0.5)
    async with house.openai(max_retries=10) as client:
        client._calculate_retry_timeout = lambda *_: 0.0
        for n in range(4):
            await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": f"Case {n}?"}])
    assert len(house.rows) == len(sim.received) > 4
    assert house.bill() == sim.invoice.by_model()
    assert sum(row.cost_nano for row in house.rows) == sim.invoice.total_nano_usd


# ------------------------------------------------------------ the client hangs up


async def test_hangup_before_the_headers_is_settled(start, script):
    async def answer(it, reader, writer):
        await it.request(reader)

    provider, url = await script(answer)
    house = await start(url)
    asking = asyncio.create_task(house.ask("POST", CHAT, STREAMED))
    while not provider.requests:
        await asyncio.sleep(0)
    asking.cancel()
    await provider.lost.wait()  # the provider need not go on for somebody who is gone
    await house.settled()
    call = only_call(house)
    assert (house.row.error, house.row.status) == ("client_gone", None)
    assert (call.error, call.cost_nano, call.cost_source) == ("client_gone", None, "unsettled")
    assert house.row.cost_nano is None


@pytest.mark.parametrize("tail", [b"", b'data: {"half'])
async def test_hangup_during_the_stream_is_settled(start, script, tail):
    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(STREAM + chunk(word("one") + tail))

    provider, url = await script(answer)
    house = await start(url)
    async with house.request("POST", CHAT, STREAMED) as reply:
        assert await reply.content.readany() == word("one")
        reply.close()
    await provider.lost.wait()
    await house.settled()
    call = only_call(house)
    assert (house.row.error, house.row.status) == ("client_gone", 200)
    assert (call.error, call.cost_source) == ("client_gone", "estimated")
    assert call.usage.output > 0


async def test_hangup_after_the_end_leaves_one_row(start, script):
    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(STREAM + b"".join(map(chunk, [word("one"), LAST, usage(9, 1), DONE])))  # and does not end

    provider, url = await script(answer)
    house = await start(url)
    async with house.request("POST", CHAT, STREAMED) as reply:
        got = b""
        while DONE not in got:
            got += await reply.content.readany()
        (row,) = house.rows  # it was written before the client could know that it has everything
        reply.close()
    await provider.lost.wait()
    await house.ask("GET", "/healthz")  # whatever was left to do has been done
    assert house.row == row
    assert row.error is None
    assert (row.calls[0].usage.input, row.calls[0].usage.output, row.calls[0].cost_source) == (9, 1, "usage")


async def test_hangup_before_during_after_stream_is_settled(house, sim):
    """The official client leaves after each number of events: one row each, never two, never none."""
    asked = 0
    async with house.openai() as client:
        for leave_after in (0, 1, 2, 5, 1000):
            stream = await client.chat.completions.create(**STREAMED, seed=leave_after)
            asked += 1
            for _ in range(leave_after):
                if await anext(aiter(stream), None) is None:
                    break
            await stream.close()
            rows = await house.settled(asked)
            assert len(rows) == asked
    assert len({row.id for row in rows}) == asked == len(sim.invoice.lines)
    assert all(row.error in (None, "client_gone") for row in rows)
    assert rows[-1].error is None


async def test_hangup_inside_a_reply_in_one_piece(start, script):
    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")

    provider, url = await script(answer)
    house = await start(url, server={"hangup": "cancel"})
    asking = asyncio.create_task(house.ask("POST", CHAT, {"model": "gpt-4o", "messages": MESSAGES}))
    while not provider.requests:
        await asyncio.sleep(0)
    asking.cancel()
    await provider.lost.wait()
    await house.settled()
    assert only_call(house).error == "client_gone"
    assert only_call(house).cost_nano is None


async def test_hangup_during_an_upload(start, script):
    arrived = asyncio.Event()

    async def answer(it, reader, writer):
        await reader.readuntil(b"first")
        arrived.set()

    async def body():
        yield b"first"
        await asyncio.Event().wait()

    provider, url = await script(answer)
    house = await start(url)
    headers = {"content_type": "multipart/form-data; boundary=b"}
    asking = asyncio.create_task(house.ask("POST", "/v1/audio/transcriptions", body(), **headers))
    await arrived.wait()
    asking.cancel()
    await provider.lost.wait()
    await house.settled()
    assert house.row.error == "client_gone"
    assert only_call(house).cost_source == "unsettled"
