"""The cache through the gateway: what has been answered is not asked again, and nobody gets what is not theirs."""

import asyncio
import json
from contextlib import suppress

import aiohttp
import pytest

from farthing.errors import StoreError
from farthing.levers.recall.flight import Flights
from farthing.policy.model import Cache
from farthing.simulator import Faults
from farthing.simulator.server import Control
from farthing.wire.openai_chat import OpenAIChat

CHAT, RESPONSES, MESSAGES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"
PATHS = [CHAT, RESPONSES, MESSAGES]
QUESTION = "How do I top up my card?"
LONG = "You answer questions about cards, and only those. " * 400
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
WAYS = {"plain": {}, "stream": {"stream": True}, "usage": {"stream": True, "stream_options": {"include_usage": True}}}


def body_for(path, text=QUESTION, **fields):
    ask = [{"role": "user", "content": text}]
    if path == CHAT:
        return {"model": "gpt-4o", "messages": [{"role": "system", "content": LONG}, *ask], **fields}
    if path == RESPONSES:
        return {"model": "gpt-4.1-mini", "instructions": LONG, "input": text, **fields}
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    return {"model": "claude-haiku-4-5", "max_tokens": 1000, "system": system, "messages": ask, **fields}


async def text_of(house, path, way):
    """What the official client reads, and the usage that it is told (``None`` if it is told none)."""
    given = body_for(path, **WAYS[way])
    if path == MESSAGES:
        async with house.anthropic() as client:
            if way == "plain":
                reply = await client.messages.create(**given)
            else:
                given.pop("stream")
                async with client.messages.stream(**given) as stream:
                    reply = await stream.get_final_message()
            return reply.content[0].text, reply.usage.output_tokens
    async with house.openai() as client:
        if path == RESPONSES:
            if way == "plain":
                reply = await client.responses.create(**given)
            else:
                given.pop("stream")
                async with client.responses.stream(**given) as stream:
                    reply = await stream.get_final_response()
            return reply.output_text, reply.usage.output_tokens
        if way == "plain":
            reply = await client.chat.completions.create(**given)
            return reply.choices[0].message.content, reply.usage.completion_tokens
        chunks = [chunk async for chunk in await client.chat.completions.create(**given)]
        assert chunks[-1].usage is None or way == "usage"
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        return said, chunks[-1].usage.completion_tokens if way == "usage" else None


WAYS_OF = [(path, first, second) for path in PATHS for first in WAYS for second in WAYS if path == CHAT or "usage" not in (first, second)]  # fmt: skip


@pytest.mark.parametrize(("path", "first", "second"), WAYS_OF)
async def test_a_repeat_is_answered_in_the_caller_s_own_way(house, sim, simulate, path, first, second):
    text, used = await text_of(house, path, first)
    again, used_again = await text_of(house, path, second)
    assert again == text
    assert None in (used, used_again) or used_again == used
    assert len(sim.received) == 1
    miss, hit = house.rows
    assert (miss.cache, hit.cache, hit.calls, hit.cost_nano) == ("miss", "exact", (), 0)
    assert hit.served_model == miss.served_model
    async with simulate() as direct:  # what the same two requests cost without farthing
        for way in (first, second):
            body = json.dumps(body_for(path, **WAYS[way])).encode()
            headers = {"x-api-key": "k", "authorization": "Bearer k", "anthropic-version": "2023-06-01"}
            async with house.session.post(direct.url + path, data=body, headers=headers) as reply:
                await reply.read()
        without = [line.nano_usd for line in direct.invoice.lines]
    assert [miss.cost_nano, hit.baseline_nano] == without
    assert without[1] < without[0]  # the provider's own cache would have helped: that is not claimed
    assert dict(hit.saved) == {"exact": without[1]}


async def test_embeddings_are_recalled(house, sim):
    async with house.openai() as client:
        given = {"model": "text-embedding-3-small", "input": ["lost card", "my balance now"]}
        one, two = [await client.embeddings.create(**given) for _ in range(2)]
        assert [item.embedding for item in one.data] == [item.embedding for item in two.data]
        await client.embeddings.create(**given, encoding_format="float")
    assert [row.cache for row in house.rows] == ["miss", "exact", "miss"]
    assert len(sim.received) == 2
    assert house.rows[1].saved == (("exact", house.rows[0].cost_nano),)


async def test_a_hit_says_so_in_its_headers_and_its_last_comment(house):
    await house.say(stream=True)
    plain, stream = await house.say(), await house.say(stream=True)
    assert plain.get("x-farthing-cache") == stream.get("x-farthing-cache") == "exact"
    assert plain.get("x-farthing-cost-usd") == "0"
    assert plain.get("x-farthing-saved-usd") == plain.get("x-farthing-baseline-usd") != "0"
    assert plain.get("x-farthing-model") == "gpt-4o-2024-08-06"
    comment = json.loads(stream.body.rpartition(b": farthing ")[2])
    assert comment["cache"] == "exact"
    assert float(comment["saved_usd"]) > 0


async def test_no_store_leaves_no_trace_and_no_cache_asks_anew(house, sim):
    async def cache_of(wish=None):
        headers = {"x_farthing_cache": wish} if wish else {}
        return (await house.say(headers=headers)).get("x-farthing-cache")

    assert [await cache_of("no-store"), await cache_of("no-store")] == ["off", "off"]
    assert await cache_of() == "miss"
    assert await cache_of("no-store") == "off"
    assert [await cache_of("no-cache"), await cache_of()] == ["miss", "exact"]
    assert len(sim.received) == 5


async def test_no_cache_refreshes_what_is_stored(house, sim):
    await house.say()
    fresh = await house.say(headers={"x_farthing_cache": "no-cache"})
    assert (await house.say()).json["id"] == fresh.json["id"]


async def test_the_header_observe_takes_one_request_out(house, sim):
    await house.say()
    reply = await house.say(headers={"x_farthing_mode": "observe"})
    assert reply.get("x-farthing-cache") == "off"
    assert len(sim.received) == 2
    assert house.rows[1].saved == ()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
async def test_observe_changes_nothing_and_says_what_would_have_been_saved(start, sim, path, stream):
    house = await start(sim, mode="observe")
    for _ in range(3):
        assert (await house.say(path=path, stream=stream)).get("x-farthing-cache") == "off"
    assert len(sim.received) == 3
    assert house.bill() == sim.invoice.by_model()
    assert [row.would_cache for row in house.rows] == ["miss", "exact", "exact"]
    assert [row.would_save for row in house.rows[1:]] == [(("exact", line.nano_usd),) for line in sim.invoice.lines[1:]]
    assert all(row.saved == () and row.baseline_nano == row.cost_nano for row in house.rows)


async def test_what_observe_mode_has_seen_is_never_served(start, sim, tmp_path):
    house = await start(sim)
    observed = {"x_farthing_mode": "observe"}
    await house.say(headers=observed)
    await house.say(headers=observed)
    assert (await house.say()).get("x-farthing-cache") == "miss"
    assert (await house.say()).get("x-farthing-cache") == "exact"


# ------------------------------------------------------------ isolation


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"x_farthing_tenant": "a"}, {"x_farthing_tenant": "b"}),
        ({"authorization": "Bearer sk-a"}, {"authorization": "Bearer sk-b"}),
        ({"authorization": "Bearer sk-a"}, {"authorization": None}),
        ({"openai_organization": "org-a"}, {"openai_organization": "org-b"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_no_answer_crosses_tenants(house, sim, mine, theirs, stream):
    for headers in (mine, theirs):
        assert (await house.say(headers=headers, stream=stream)).get("x-farthing-cache") == "miss"
    for headers in (mine, theirs):
        assert (await house.say(headers=headers, stream=stream)).get("x-farthing-cache") == "exact"
    assert len(sim.received) == 2


async def test_no_answer_crosses_tenants_while_it_is_under_way(start, script):
    """A follower waits only for its own tenant's leader."""
    asked = asyncio.Event()

    async def answer(it, reader, writer):
        await it.request(reader)
        if len(it.requests) == 2:
            asked.set()
        await asked.wait()
        writer.write(plain(b"%d" % it.connections))

    provider, url = await script(answer)
    house = await start(url)
    await asyncio.gather(*(house.say(headers={"x_farthing_tenant": name}) for name in "ab"))
    assert len(provider.requests) == 2


async def test_users_share_answers_unless_the_policy_says_no(start, sim):
    for scope, expected in (("tenant", "exact"), ("user", "miss")):
        house = await start(sim, cache=Cache(scope=scope))
        await house.say(headers={"x_farthing_user": "ada"})
        assert (await house.say(headers={"x_farthing_user": "grace"})).get("x-farthing-cache") == expected
        assert (await house.say(headers={"x_farthing_user": "ada"})).get("x-farthing-cache") == "exact"


@pytest.mark.parametrize(
    "change",
    [
        {"model": "gpt-4o-mini"}, {"temperature": 0.5}, {"seed": 7}, {"max_tokens": 4000}, {"top_p": 0.9},
        {"response_format": {"type": "json_object"}},
    ],
)  # fmt: skip
async def test_a_question_put_otherwise_is_another_one(house, change):
    await house.say()
    assert (await house.say(**change)).get("x-farthing-cache") == "miss"


# ------------------------------------------------------------ what is not kept


async def test_tool_turns_bypass_the_cache(house, sim):
    for _ in range(2):
        assert (await house.say(tools=[TOOL])).get("x-farthing-cache") == "off"
    turns = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Sure."}, {"role": "user", "content": "Go on"}]  # fmt: skip
    for _ in range(2):
        assert (await house.say(messages=turns)).get("x-farthing-cache") == "off"
    assert len(sim.received) == 4


@pytest.mark.parametrize("text", ["What is the weather in Bern now?", "Tell me a joke", "What's my balance?"])
async def test_questions_whose_answer_changes_are_asked_every_time(house, sim, text):
    for _ in range(2):
        assert (await house.say(text)).get("x-farthing-cache") == "off"
    assert len(sim.received) == 2


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
async def test_truncated_answers_are_not_kept(house, sim, path, stream):
    limit = {"max_output_tokens": 16} if path == RESPONSES else {"max_tokens": 3}
    for _ in range(2):
        assert (await house.say(path=path, stream=stream, **limit)).get("x-farthing-cache") == "miss"
    assert len(sim.received) == 2


@pytest.mark.parametrize(
    "faults", [{"drop_after": 3}, {"p_stream_error": 1.0}, {"p_error": 1.0}, {"malformed_json": True}]
)
@pytest.mark.parametrize("path", PATHS)
async def test_broken_answers_are_not_kept(house, sim, path, faults):
    sim.control(Control(faults={"*": Faults(**faults)}))
    with suppress(aiohttp.ClientPayloadError):
        await house.ask("POST", path, body_for(path, stream=True))
    sim.control(Control(reset=True))
    again = await house.ask("POST", path, body_for(path, stream=True))
    assert again.get("x-farthing-cache") == "miss"
    assert len(sim.received) == 2


async def test_an_answer_is_not_served_after_its_time(start, sim):
    now = [1_000.0]
    house = await start(sim, timestamp=lambda _: now[0], cache=Cache(ttl="1h"))
    await house.say()
    now[0] += 3599
    assert (await house.say()).get("x-farthing-cache") == "exact"
    now[0] += 1
    assert (await house.say()).get("x-farthing-cache") == "miss"


# ------------------------------------------------------------ twins


def plain(text=b"yes"):
    body = b'{"id":"c","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"%b"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}' % text  # fmt: skip
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def events(*contents, end=True):
    made = [{"delta": {"content": content}} for content in contents]
    made += [{"delta": {}, "finish_reason": "stop"}] if end else []
    parts = [b"data: " + json.dumps({"id": "c", "model": "gpt-4o", "choices": [{"index": 0} | one]}).encode() + b"\n\n" for one in made]  # fmt: skip
    if end:
        told = {"prompt_tokens": 9, "completion_tokens": 1}
        parts += [
            b"data: " + json.dumps({"id": "c", "model": "gpt-4o", "choices": [], "usage": told}).encode() + b"\n\n"
        ]
        parts += [b"data: [DONE]\n\n"]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + (b"0\r\n\r\n" if end else b"")


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


class Gate:
    """A provider that answers when it is told to."""

    def __init__(self, reply):
        self.reply, self.open = reply, asyncio.Event()

    async def __call__(self, it, reader, writer):
        while True:
            await it.request(reader)
            await self.open.wait()
            writer.write(self.reply)


@pytest.fixture
def boarding(monkeypatch):
    """Count those who have come to the point where twins meet."""
    seen = []
    original = Flights.board

    async def board(self, key, wait_s):
        seen.append(key)
        return await original(self, key, wait_s)

    monkeypatch.setattr(Flights, "board", board)
    return seen


@pytest.mark.parametrize("stream", [False, True])
async def test_single_flight(start, script, boarding, stream):
    gate = Gate(STREAM + events("yes") if stream else plain())
    provider, url = await script(gate)
    house = await start(url)
    asking = [asyncio.create_task(house.say(stream=stream)) for _ in range(8)]
    await until(lambda: len(boarding) == 8)
    gate.open.set()
    replies = await asyncio.gather(*asking)
    assert len(provider.requests) == 1
    assert sorted(reply.get("x-farthing-cache") for reply in replies) == ["exact"] * 7 + ["miss"]
    assert len({reply.body.partition(b": farthing")[0] for reply in replies}) == 1
    rows = house.rows
    assert len(rows) == 8
    assert sum(row.cost_nano for row in rows) == max(row.cost_nano for row in rows)
    assert sum(amount for row in rows for _, amount in row.saved) == sum(
        row.baseline_nano - row.cost_nano for row in rows
    )


async def test_twins_that_ask_in_different_ways_share_one_call(start, script, boarding):
    gate = Gate(STREAM + events("yes"))
    provider, url = await script(gate)
    house = await start(url)
    asking = [asyncio.create_task(house.say(stream=True))]
    await until(lambda: provider.requests)
    asking += [asyncio.create_task(house.say(stream=stream)) for stream in (False, True)]
    await until(lambda: len(boarding) == 3)
    gate.open.set()
    replies = await asyncio.gather(*asking)
    assert [reply.get("x-farthing-cache") for reply in replies] == ["miss", "exact", "exact"]
    assert replies[1].json["choices"][0]["message"]["content"] == "yes"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_leader_who_hangs_up_leaves_the_follower_answered(start, script, boarding, stream):
    gate = Gate(STREAM + events("yes") if stream else plain())
    provider, url = await script(gate)
    house = await start(url, server={"hangup": "cancel"})
    leader = asyncio.create_task(house.say(stream=stream))
    await until(lambda: provider.requests)
    follower = asyncio.create_task(house.say(stream=stream))
    await until(lambda: len(boarding) == 2)
    leader.cancel()
    await until(lambda: len(provider.requests) == 2)  # the follower has taken over
    gate.open.set()
    assert (await follower).status == 200
    rows = await house.settled(2)
    assert sorted(row.error or "" for row in rows) == ["", "client_gone"]


async def test_a_leader_who_hangs_up_in_mid_stream_leaves_the_follower_answered(start, script, boarding):
    async def answer(it, reader, writer):
        await it.request(reader)
        if len(it.requests) == 1:
            writer.write(STREAM + events("y", end=False))
            return
        writer.write(STREAM + events("yes"))

    provider, url = await script(answer)
    house = await start(url)
    body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "How do I top up my card?"}]}
    async with house.request("POST", CHAT, body) as leader:
        await leader.content.readany()
        follower = asyncio.create_task(house.ask("POST", CHAT, body))
        await until(lambda: len(boarding) == 2)
        leader.close()
    reply = await follower
    assert b'"yes"' in reply.body
    assert len(provider.requests) == 2


async def test_when_the_leader_fails_everyone_asks_for_themselves(start, script, boarding):
    gate = Gate(b"HTTP/1.1 429 Slow\r\ncontent-length: 2\r\n\r\n{}")
    provider, url = await script(gate)
    house = await start(url)
    asking = [asyncio.create_task(house.say()) for _ in range(3)]
    await until(lambda: len(boarding) == 3)
    gate.open.set()
    assert [reply.status for reply in await asyncio.gather(*asking)] == [429] * 3
    assert len(provider.requests) == 3


async def test_a_follower_who_hangs_up_costs_nothing(start, script, boarding):
    gate = Gate(plain())
    provider, url = await script(gate)
    house = await start(url)
    leader = asyncio.create_task(house.say())
    await until(lambda: provider.requests)
    follower = asyncio.create_task(house.say())
    await until(lambda: len(boarding) == 2)
    follower.cancel()
    (gone,) = await house.settled(1)
    assert (gone.error, gone.cost_nano, gone.calls) == ("client_gone", 0, ())
    gate.open.set()
    assert (await leader).status == 200
    assert len(provider.requests) == 1


# ------------------------------------------------------------ law 2


@pytest.mark.parametrize("mode", ["observe", "save"])
@pytest.mark.parametrize("broken", [("get",), ("put",), ("touch",), ("get", "put", "touch")])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_broken_cache_never_fails_a_request(start, sim, monkeypatch, mode, broken, stream):
    house = await start(sim, mode=mode)

    def fail(*_args):
        raise OSError("the disk is on fire")

    for name in broken:
        monkeypatch.setattr(house.app.runtime.answers, name, fail)
    replies = [await house.say(stream=stream) for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert b"fire" not in b"".join(reply.body for reply in replies)
    assert house.bill() == sim.invoice.by_model()
    assert all(
        row.error is None and sum(v for _, v in row.saved) == row.baseline_nano - row.cost_nano for row in house.rows
    )


async def test_a_cache_that_cannot_be_opened_is_off_and_readyz_says_so(start, sim, monkeypatch):
    def fail(*_args):
        raise StoreError("no room")

    monkeypatch.setattr("farthing.pipeline.runtime.open_answers", fail)
    house = await start(sim)
    assert [(await house.say()).get("x-farthing-cache") for _ in range(2)] == ["off", "off"]
    ready = await house.ask("GET", "/readyz")
    assert (ready.status, ready.body) == (200, b"ok\nthe cache is off: no room")


async def test_an_answer_that_cannot_be_replayed_is_a_miss(house, sim, monkeypatch):
    def fail(*_args, **_more):
        raise ValueError("no such form")

    await house.say()
    monkeypatch.setattr(OpenAIChat, "to_stream", fail)
    reply = await house.say(stream=True)
    assert reply.body.count(b"[DONE]") == 1
    assert len(sim.received) == 2
    assert house.bill() == sim.invoice.by_model()
    assert (house.rows[1].cache, house.rows[1].saved) == ("miss", ())
    assert house.rows[1].baseline_nano == house.rows[1].cost_nano


async def test_texts_that_are_no_unicode_go_through_and_are_settled(house, sim):
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"half an emoji \\ud83d"}]}'
    reply = await house.ask("POST", CHAT, body)
    assert len(sim.received) == 1
    assert sim.received[0].body == body
    assert house.row.status == reply.status


async def test_a_repeat_that_is_not_read_again_is_booked_like_the_one_that_was(house):
    """The third time the body is known by its bytes: other callers, the same facts."""
    for user in ("ada", "ada", "bo"):
        told = await house.say("What does a card cost?", user="someone", headers={"x_farthing_user": user})
        assert told.status == 200
    first, second, third = house.rows
    assert [row.cache for row in house.rows] == ["miss", "exact", "exact"]
    assert [row.caller.user for row in house.rows] == ["ada", "ada", "bo"]
    assert first.shape == second.shape == third.shape
    assert second.saved == third.saved
    assert (second.model, second.stream, second.wire) == (third.model, third.stream, third.wire)
