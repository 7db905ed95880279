"""What is claimed: writes are no hits, baselines are the requests as sent, the overhead has the waiting in it."""

import asyncio
import json
import time

import pytest

from farthing.prices.book import PriceBook
from farthing.types import Usage

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
MODELS = {CHAT: "gpt-4o", MESSAGES: "claude-haiku-4-5"}
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FIRST = b'data: {"type":"a"}\n\n'
SAID = {"messages": [{"role": "user", "content": "What does a card cost?"}]}


def reply(usage):
    body = json.dumps(
        {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
            "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "usage": usage,
        }
    ).encode()  # fmt: skip
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


WRITTEN = {"input_tokens": 7, "output_tokens": 5, "cache_creation_input_tokens": 4_000, "cache_read_input_tokens": 0}


async def test_unexpected_write_is_billed(start, saying):
    """The request marks nothing and the provider writes its cache all the same: what the usage says is on the bill."""
    _, url = await saying(reply(WRITTEN))
    house = await start(url)
    body = {"model": "claude-haiku-4-5", "max_tokens": 9} | SAID
    assert (await house.ask("POST", MESSAGES, body)).status == 200
    (call,) = house.row.calls
    price = PriceBook.load().price(
        "anthropic", "anthropic", "claude-haiku-4-5", Usage(input=7, cache_write_5m=4_000, output=5), house.row.ts
    )
    assert call.usage == Usage(input=7, cache_write_5m=4_000, output=5)
    assert call.cost_nano == price.cost_nano > 4_000 * 1_000  # a token is dearer than a micro-dollar


async def test_write_is_not_a_hit(start, saying):
    _, url = await saying(reply(WRITTEN))
    house = await start(url)
    told = await house.ask("POST", MESSAGES, {"model": "claude-haiku-4-5", "max_tokens": 9} | SAID)
    assert told.get("x-farthing-cache") == house.row.cache == "miss"
    assert house.row.calls[0].usage.cache_read == 0
    assert house.row.saved == ()
    assert house.row.baseline_nano == house.row.cost_nano


async def test_baseline_is_the_request_as_sent(start, sim):
    """Not the dearest model that there is: what this model would have cost."""
    house = await start(sim)
    for model in ("gpt-4o-mini", "gpt-4o"):
        for _ in range(2):
            await house.ask("POST", CHAT, {"model": model} | SAID)
    cheap, cheap_hit, dear, dear_hit = house.rows
    assert (cheap_hit.cache, dear_hit.cache) == ("exact", "exact")
    assert (cheap_hit.baseline_nano, dear_hit.baseline_nano) == (cheap.cost_nano, dear.cost_nano)
    assert [row.baseline_nano for row in (cheap, dear)] == [line.nano_usd for line in sim.invoice.lines]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_ttft_with_levers_on(start, script, path):
    """In save mode, too, the first token is with the client before the provider has said the second."""
    seen = asyncio.Event()

    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(STREAM + b"%x\r\n%b\r\n" % (len(FIRST), FIRST))
        await seen.wait()
        writer.write(b"0\r\n\r\n")

    _, url = await script(answer)
    house = await start(url, mode="save")
    async with house.request("POST", path, {"model": MODELS[path], "stream": True} | SAID) as streaming:
        assert await streaming.content.readany() == FIRST
        assert not seen.is_set()
        seen.set()
        await streaming.content.read()
    (row,) = await house.settled()
    assert 0 < row.ttft_us <= row.latency_us


async def test_overhead_includes_queue(start, sim):
    """A request that has arrived and waits for its turn waits for us, not for the provider."""
    stops = []

    def stamp(_headers):
        if not stops:
            stops.append(1)
            time.sleep(0.05)
        return 1_795_000_000.0

    house = await start(sim, timestamp=stamp)
    both = [house.ask("POST", CHAT, {"model": "gpt-4o", "user": str(n)} | SAID) for n in range(2)]
    told = [float(one.get("x-farthing-overhead-ms")) for one in await asyncio.gather(*both)]
    assert min(told) >= 0
    assert sorted(told)[1] >= 50
    assert max(row.overhead_us for row in house.rows) >= 50_000


@pytest.mark.parametrize(
    "line",
    [
        b"GET /farthing/ HTTP/1.1\r\nhost: 127.0.0.1/healthz",
        b"GET http://127.0.0.1/farthing/ HTTP/1.1\r\nhost: healthz",
        b"GET /farthing/api/report HTTP/1.1\r\nhost: 127.0.0.1\r\nx-original-url: /healthz\r\nx-forwarded-host: localhost",
        b"GET //healthz/../farthing/ HTTP/1.1\r\nhost: 127.0.0.1",
        b"GET /farthing/%2e%2e/healthz HTTP/1.1\r\nhost: 127.0.0.1",
    ],
)
async def test_auth_uses_scope_path(start, sim, line):
    """Nothing in the headers moves a request past the login."""
    house = await start(sim, server={"host": "0.0.0.0"})
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(line + b"\r\nconnection: close\r\n\r\n")
    answer = await reader.read()
    assert int(answer.split(b" ", 2)[1]) in (401, 403, 404)
    assert b"<html" not in answer.lower()
    writer.close()


@pytest.mark.parametrize(
    "body", [b"", b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "\\ud83d lone"}]}']
)
async def test_what_cannot_be_keyed_is_no_fault_of_the_cache(house, caplog, body):
    """Any client could fill the log with it."""
    told = await house.ask("POST", CHAT, body, content_type="application/json")
    assert told.status == 400
    assert (told.error["code"] == "farthing_invalid_json") == (not body)  # the other one is the provider's to refuse
    assert not caplog.records


async def test_a_reply_that_breaks_off_is_unsettled_and_not_unpriced(start, saying):
    """Its price is known; what was generated is not."""
    whole = reply(WRITTEN)
    _, url = await saying(whole[:-20], b"")
    house = await start(url, server={"read_timeout": "50ms"})
    told = await house.ask("POST", MESSAGES, {"model": "claude-haiku-4-5", "max_tokens": 9} | SAID)
    assert (told.status, told.error["code"]) == (502, "farthing_upstream_cut")
    (call,) = house.row.calls
    assert (call.error, call.cost_source, call.cost_nano) == ("cut", "unsettled", None)
    assert house.row.overhead_us < house.row.latency_us


async def test_a_reply_that_is_no_json_is_estimated_with_what_it_says(start, saying):
    text = b'{"choices": [{"message": {"content": "' + b"a long answer, " * 40
    _, url = await saying(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text)
    )
    house = await start(url)
    assert (await house.ask("POST", CHAT, {"model": "gpt-4o"} | SAID)).body == text
    (call,) = house.row.calls
    assert call.cost_source == "estimated"
    assert call.usage.output > 100


@pytest.mark.parametrize("mode", ["save", "observe"])
async def test_a_refusal_of_the_cache_is_explained(start, sim, mode):
    house = await start(sim, mode=mode)
    ask = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What is the weather in Paris today?"}]}
    assert (await house.ask("POST", CHAT, ask)).get("x-farthing-cache-reason") == "live_data"
    assert (await house.ask("POST", CHAT, {"model": "gpt-4o"} | SAID)).get("x-farthing-cache-reason") is None
