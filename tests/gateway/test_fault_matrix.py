"""Every fault, plain and as a stream, on both wires, to a client that stays or hangs up: books and bill agree.

Call by call: what the ledger says the provider's usage cost is on the invoice to the nano-dollar; what it says was free
is not on it; what it cannot know it calls estimated or unsettled, and no line of the invoice is without its call.
"""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from farthing.policy.model import Retries
from farthing.simulator import Faults
from farthing.simulator.server import Control
from farthing.upstream import retry

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
FDS = Path("/proc/self/fd")
FIRM = "free usage"
LONG_S = 20.0
SLOW = {"ttft_ms": 40, "ms_per_token": 4}
"""So that a client can leave before the end."""


class Case:
    """A fault, and the sources that the costs of the calls then have: of a reply in one piece and of a stream, for a
    client that stays and one that leaves; ``|`` stands between what may be.
    """

    def __init__(self, faults, plain, stream, left_plain, left_stream, *, statuses=(200, 200), leaves="begun"):
        self.faults, self.leaves = faults, leaves
        self.sources = {(False, False): plain, (True, False): stream, (False, True): left_plain}
        self.sources[True, True] = left_stream
        self.status = {False: statuses[0], True: statuses[1]}


def refused(**faults):
    """It is tried again, and then it works; who leaves does so during the wait, or just before or after it."""
    left = "free | free usage"
    return Case(faults | {"times": 1}, FIRM, FIRM, left, f"{left} | free unsettled", leaves="asked")


CASES = {
    "429 with retry-after": refused(p_limited=1.0, retry_after_ms=0),
    "429 without retry-after": refused(p_limited=1.0),
    "500": refused(p_error=1.0),
    "529": refused(p_overloaded=1.0),
    "reset before headers": refused(p_reset=1.0),
    "drop mid-stream": Case({"drop_after": 6}, "usage", "estimated", "usage", "estimated"),
    "stall": Case({"stall_s": 0.4}, "unsettled", "estimated", "unsettled", "estimated", statuses=(504, 200)),
    "slow first byte": Case({"ttft_ms": 80}, "usage", "usage", "usage", "unsettled", leaves="asked"),
    "malformed JSON": Case({"malformed_json": True}, "estimated", "usage", "estimated", "estimated"),
    "truncated SSE": Case({"truncate_after": 6}, "usage", "estimated", "usage", "estimated"),
    "wrong content-length": Case(
        {"wrong_content_length": True, "times": 1}, "unsettled usage", "usage", "unsettled", "estimated"
    ),
}


def sockets():
    """The open sockets of this process."""
    found = 0
    for number in FDS.iterdir() if FDS.exists() else ():
        with suppress(OSError):  # the one that lists them
            found += number.readlink().name.startswith("socket:")
    return found


async def until(look):
    """Let the loop run until it is so."""
    async with asyncio.timeout(10):
        while not look():
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
async def nothing_left():
    """When everything has been closed, no task and no socket is left of it."""
    tasks, before = asyncio.all_tasks(), sockets()
    yield
    await until(lambda: asyncio.all_tasks() - {asyncio.current_task()} <= tasks and sockets() <= before)


@pytest.fixture
def gateway(start, monkeypatch):
    """In save mode, with retries that do not wait long, before a provider."""

    async def gateway(provider, *, hangs_up, **server):
        monkeypatch.setattr(retry, "FIRST_S", LONG_S if hangs_up else 0.01)
        monkeypatch.setattr(retry, "LONGEST_S", LONG_S)
        return await start(provider, retries=Retries(), server=server)

    return gateway


def asked(path, *, stream, text="Tell me all about the card."):
    model = {"model": "gpt-4o"} if path == CHAT else {"model": "claude-haiku-4-5", "max_tokens": 400}
    return model | {"stream": stream, "messages": [{"role": "user", "content": text}]}


async def stay(house, path, body):
    """The status that the client sees; a stream may break."""
    async with house.request("POST", path, body) as reply:
        while not reply.content.at_eof():
            try:
                await reply.content.readany()
            except (OSError, aiohttp.ClientPayloadError):
                break
        return reply.status


async def leave(house, path, body, *, when):
    """Hang up when it is so, or when the reply has begun."""

    async def begin():
        async with house.request("POST", path, body) as reply:
            await reply.content.readany()
            if when is not None:
                await asyncio.Event().wait()
            reply.close()

    asking = asyncio.create_task(begin())
    if when is not None:
        await until(when)
        asking.cancel()
    await asyncio.wait([asking])
    if not asking.cancelled():
        asking.result()


def agree(calls, lines):
    """The ledger and the invoice, call by call."""
    billed = {line.request_id: line for line in lines}
    unknown = 0
    for call in calls:
        line = billed.pop(call.provider_request_id, None)
        if call.cost_source == "usage":
            assert (call.cost_nano, call.usage) == (line.nano_usd, line.tokens)
        elif call.cost_source == "free":
            assert (call.cost_nano, line) == (0, None)
        elif call.cost_source == "estimated":
            assert call.cost_nano > 0
            assert line is not None
            assert call.provider == "openai" or call.usage.input == line.tokens.input or call.error == "truncated"
        else:
            assert (call.cost_source, call.cost_nano) == ("unsettled", None)
            unknown += line is None
    assert len(billed) == unknown  # what else is on the invoice are calls whose answer has not even begun


async def books_agree(house, sim, expected):
    """The only request's row, once the invoice has everything that the provider still had to do."""
    (row,) = await house.settled()
    calls = row.calls
    assert " ".join(call.cost_source for call in calls) in expected.split(" | ")
    assert [one.call_id for one in house.opened] == [call.id for call in calls]
    await until(lambda: len(sim.invoice.lines) >= sum(call.cost_source != "free" for call in calls))
    agree(calls, sim.invoice.lines)
    if all(call.cost_source in ("free", "usage") for call in calls):
        assert row.cost_nano == sim.invoice.total_nano_usd
    if any(call.cost_nano is None for call in calls):
        assert row.cost_nano is None
    return row


async def goes_on(house, sim, path):
    """Whatever has been: the next request is served, its price is exact, and no connection is busy with anything."""
    sim.control(Control(reset=True))
    sim.invoice.lines.clear()
    assert await stay(house, path, asked(path, stream=False, text="And another one?")) == 200
    agree(house.rows[-1].calls, sim.invoice.lines)
    await until(lambda: not house.tasks)
    pool = house.app.runtime._pool
    await until(lambda: len(sim._runner.server.connections) == sum(map(len, pool._idle.values())))


@pytest.mark.parametrize("hangs_up", [False, True], ids=["stays", "hangs-up"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES], ids=["openai", "anthropic"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", CASES)
async def test_the_books_and_the_bill_agree(gateway, sim, name, stream, path, hangs_up):
    case = CASES[name]
    faults = (SLOW if hangs_up else {}) | case.faults
    if hangs_up and "retry_after_ms" in faults:
        faults |= {"retry_after_ms": 1000}  # which whoever comes next waits for, too
    sim.control(Control(faults={"*": Faults(**faults)}))
    house = await gateway(sim, hangs_up=hangs_up, **({"read_timeout": "150ms"} if name == "stall" else {}))
    body = asked(path, stream=stream)
    if hangs_up:
        await leave(house, path, body, when=None if stream and case.leaves == "begun" else lambda: sim.received)
    else:
        assert await stay(house, path, body) == case.status[stream]
    row = await books_agree(house, sim, case.sources[stream, hangs_up])
    assert row.error == "client_gone" if hangs_up else (row.error is None) == (row.calls[-1].error is None)
    await goes_on(house, sim, path)


@pytest.mark.parametrize("hangs_up", [False, True], ids=["stays", "hangs-up"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES], ids=["openai", "anthropic"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_refused_connection(gateway, simulate, stream, path, hangs_up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    house = await gateway(f"http://127.0.0.1:{port}/v1", hangs_up=hangs_up)
    body = asked(path, stream=stream)
    if hangs_up:
        await leave(house, path, body, when=lambda: house.opened)
    else:
        assert await stay(house, path, body) == 502
    async with simulate(port=port) as sim:
        row = await books_agree(house, sim, "free | free free | free free free")
        assert len(row.calls) == 3 or hangs_up
        assert {call.error for call in row.calls} <= {"upstream_unreachable", "not_sent"}
        assert row.cost_nano == 0
        await goes_on(house, sim, path)
