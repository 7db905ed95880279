"""Retries through a running gateway: each attempt a row, the bill exact, the client sees one answer."""

import asyncio
import json

import openai
import pytest

from farthing.policy.model import Retries

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
SAID = {"messages": [{"role": "user", "content": "What does a card cost?"}]}
BODIES = {CHAT: {"model": "gpt-4o"} | SAID, MESSAGES: {"model": "claude-haiku-4-5", "max_tokens": 9} | SAID}
FAST = b"retry-after-ms: 1\r\n"


def said(status, body, extra=b""):
    data = json.dumps(body).encode()
    head = b"HTTP/1.1 %d x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % (status, len(data))
    return head + extra + b"\r\n" + data


ANSWER = {
    CHAT: {
        "id": "c1", "model": "gpt-4o", "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Ten."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    },
    MESSAGES: {
        "id": "m1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Ten."}], "usage": {"input_tokens": 9, "output_tokens": 2},
    },
}  # fmt: skip
LIMITED = {
    CHAT: {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}},
    MESSAGES: {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}},
}


@pytest.fixture
def following(script, start):
    """A gateway in front of a provider that goes through a list of answers; ``None`` closes the connection."""

    async def following(*answers, **options):
        left = list(answers)

        async def answer(it, reader, writer):
            while True:
                await it.request(reader)
                say = left.pop(0) if len(left) > 1 else left[0]
                if say is None:
                    writer.close()
                    return
                writer.write(say)
                await writer.drain()

        _, url = await script(answer)
        return await start(url, **{"retries": Retries()} | options), left

    return following


@pytest.mark.parametrize("path", BODIES)
async def test_a_passing_failure_is_not_seen_by_the_client(following, path):
    house, _ = await following(said(429, LIMITED[path], FAST), said(529, LIMITED[path], FAST), said(200, ANSWER[path]))
    told = await house.ask("POST", path, BODIES[path])
    assert (told.status, told.json) == (200, ANSWER[path])
    row = house.row
    assert [call.status for call in row.calls] == [429, 529, 200]
    assert [call.cost_nano for call in row.calls[:2]] == [0, 0]
    assert row.cost_nano == row.baseline_nano == row.calls[2].cost_nano > 0
    assert (row.status, row.error) == (200, None)
    assert len({call.id for call in row.calls}) == 3
    assert len(house.opened) == 3


@pytest.mark.parametrize("path", BODIES)
async def test_the_last_failure_is_told_as_it_came_and_not_retried_again_by_the_client(following, path):
    house, _ = await following(said(429, LIMITED[path], FAST))
    told = await house.ask("POST", path, BODIES[path])
    assert (told.status, told.json) == (429, LIMITED[path])
    assert told.get("x-should-retry") == "false"
    assert told.get("retry-after-ms") == "1"
    assert len(house.row.calls) == 3


async def test_a_stream_that_is_refused_at_first(following):
    event = b'data: {"id":"c","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Ten."}}]}\n\ndata: [DONE]\n\n'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(event)
    house, _ = await following(said(503, {}, FAST), head + event)
    told = await house.ask("POST", CHAT, BODIES[CHAT] | {"stream": True})
    assert told.body.startswith(event[:40])
    assert [call.status for call in house.row.calls] == [503, 200]


async def test_a_limit_that_is_told_inside_a_stream(following):
    """OpenAI's code for it, as the first event after a status of 200."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n"
    refused = b"data: " + json.dumps(LIMITED[CHAT]).encode() + b"\n\n"
    event = b'data: {"id":"c","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Ten."}}]}\n\ndata: [DONE]\n\n'
    house, _ = await following(head % len(refused) + refused, head % len(event) + event)
    told = await house.ask("POST", CHAT, BODIES[CHAT] | {"stream": True})
    assert told.body.startswith(event[:40])
    assert [call.error for call in house.row.calls] == ["rate_limit_exceeded", None]


async def test_a_connection_that_breaks_before_the_answer(following):
    house, _ = await following(None, said(200, ANSWER[CHAT]))
    assert (await house.ask("POST", CHAT, BODIES[CHAT])).status == 200
    assert [call.error for call in house.row.calls] == ["upstream_closed", None]


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (said(400, {"error": {"code": "bad"}}), "the client's fault"),
        (said(429, {"error": {"code": "insufficient_quota"}}, FAST), "no money"),
        (said(429, LIMITED[CHAT], b"x-should-retry: false\r\n"), "the provider says no"),
        (said(429, LIMITED[CHAT], b"retry-after: 3600\r\n"), "longer than the deadline"),
    ],
)
async def test_what_does_not_help_is_not_tried(following, first, why):
    house, _ = await following(first, said(200, ANSWER[CHAT]))
    told = await house.ask("POST", CHAT, BODIES[CHAT])
    assert told.status >= 400, why
    assert len(house.row.calls) == 1


@pytest.mark.parametrize("how", [{"x_farthing_mode": "observe"}, {}])
async def test_observe_mode_touches_nothing(following, how):
    house, _ = await following(
        said(429, LIMITED[CHAT], FAST), said(200, ANSWER[CHAT]), mode="save" if how else "observe"
    )
    told = await house.ask("POST", CHAT, BODIES[CHAT], **how)
    assert (told.status, told.get("x-should-retry")) == (429, None)
    assert len(house.row.calls) == 1


async def test_attempts_and_budget_are_settings(following):
    house, _ = await following(said(500, {}, FAST), retries=Retries(attempts=1))
    await house.ask("POST", CHAT, BODIES[CHAT])
    assert len(house.row.calls) == 1


async def test_a_provider_that_is_down_is_not_hit_harder(following):
    house, _ = await following(said(500, {}, FAST), retries=Retries(budget=0.0))
    for n in range(40):
        await house.ask("POST", CHAT, BODIES[CHAT] | {"user": str(n)})
    assert sum(len(row.calls) for row in house.rows) == 40 + 10  # what was saved up at first


async def test_a_repeat_is_answered_from_what_came_at_the_second_try(following):
    house, _ = await following(said(500, {}, FAST), said(200, ANSWER[CHAT]))
    for _ in range(2):
        assert (await house.ask("POST", CHAT, BODIES[CHAT])).json == ANSWER[CHAT]
    assert [row.cache for row in house.rows] == ["miss", "exact"]


async def test_twins_wait_through_the_retries_of_the_first(following):
    house, _ = await following(said(500, {}, b"retry-after-ms: 30\r\n"), said(200, ANSWER[CHAT]))
    told = await asyncio.gather(*(house.ask("POST", CHAT, BODIES[CHAT]) for _ in range(5)))
    assert [one.status for one in told] == [200] * 5
    assert sum(len(row.calls) for row in house.rows) == 2


async def test_a_client_that_hangs_up_during_the_wait(following):
    house, _ = await following(said(500, {}, b"retry-after: 50\r\n"))
    asking = asyncio.create_task(house.ask("POST", CHAT, BODIES[CHAT]))
    while not house.opened:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    asking.cancel()
    (row,) = await house.settled()
    assert (row.error, row.status, [call.status for call in row.calls]) == ("client_gone", None, [500])


async def test_gateway_and_client_do_not_both_retry(following):
    """Three attempts, not nine."""
    house, _ = await following(said(500, {}, FAST))
    async with house.openai(max_retries=2) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(**BODIES[CHAT])
    assert [len(row.calls) for row in house.rows] == [3]
