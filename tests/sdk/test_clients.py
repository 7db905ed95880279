"""All four clients, unchanged but wrapped: what they get is what the provider says, and so is the bill."""

import asyncio
import threading

import anthropic
import openai
import pytest
from tests.gateway.test_clients import ANTHROPIC, ASK, CHAT, MESSAGE, OPENAI, TOOL, aask, ask, dumped
from tests.sdk.conftest import KEY

import farthing
from farthing.simulator import Faults

pytestmark = pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")
OPENAIS = (openai.OpenAI, openai.AsyncOpenAI)
ANTHROPICS = (anthropic.Anthropic, anthropic.AsyncAnthropic)


async def asked(client, path, given):
    """What a client of either kind gets."""
    if isinstance(client, (openai.AsyncOpenAI, anthropic.AsyncAnthropic)):
        return await aask(client, path, given)
    return await asyncio.to_thread(ask, client, path, given)


async def alike(app, sim, direct, through, straight, path, given):
    assert await asked(through, path, given) == await asked(straight, path, given)
    assert app.bill() == sim.invoice.by_model() == direct.invoice.by_model()
    row = app.row
    assert (row.error, row.status, row.cost_nano) == (None, 200, sim.invoice.total_nano_usd)
    assert len(app.opened) == 1


@pytest.mark.parametrize("kind", OPENAIS)
@pytest.mark.parametrize("name", OPENAI)
async def test_openai(app, sim, simulate, name, kind):
    path, given = OPENAI[name]
    with simulate() as direct:
        straight = kind(base_url=direct.openai_url, api_key=KEY, max_retries=0)
        await alike(app, sim, direct, app.wrap(kind), straight, path, given)


@pytest.mark.parametrize("kind", ANTHROPICS)
@pytest.mark.parametrize("name", ANTHROPIC)
async def test_anthropic(app, sim, simulate, name, kind):
    path, given = ANTHROPIC[name]
    with simulate() as direct:
        straight = kind(base_url=direct.url, api_key=KEY, max_retries=0)
        await alike(app, sim, direct, app.wrap(kind, mode="save"), straight, path, given)


def test_the_accumulating_helpers(app, sim):
    with app.wrap(openai.OpenAI) as client:
        with client.chat.completions.stream(**CHAT, tools=[TOOL], tool_choice="required") as stream:
            final = stream.get_final_completion()
        assert final.choices[0].message.tool_calls[0].function.name == "get_weather"
        with client.responses.stream(model="gpt-4o", input="How do I top up?") as stream:
            assert stream.get_final_response().output_text
    with app.wrap(anthropic.Anthropic) as client, client.messages.stream(**MESSAGE) as stream:
        assert stream.get_final_text()
    assert app.bill() == sim.invoice.by_model()


def test_raw_responses_show_our_headers(app):
    raw = app.wrap(openai.OpenAI).chat.completions.with_raw_response.create(**CHAT)
    assert raw.headers["x-farthing-cost-usd"]
    assert raw.parse().choices[0].message.content
    assert raw.headers["x-farthing-request-id"] == app.row.id


@pytest.mark.parametrize(("mode", "caches"), [("observe", ["off", "off"]), ("save", ["miss", "exact"])])
async def test_what_was_asked_before_is_not_paid_again_in_save_mode(app, sim, mode, caches):
    sync, later = app.wrap(openai.OpenAI, mode=mode), app.wrap(openai.AsyncOpenAI, mode=mode)
    first = await asyncio.to_thread(sync.chat.completions.create, **CHAT)
    second = await later.chat.completions.create(**CHAT)
    assert dumped(first)["choices"] == dumped(second)["choices"]
    assert [row.cache for row in app.rows] == caches
    assert app.bill() == sim.invoice.by_model()


def test_a_stream_from_the_cache(app, sim):
    client = app.wrap(openai.OpenAI, mode="save")
    first, second = (list(client.chat.completions.create(**CHAT, stream=True)) for _ in range(2))
    assert said(first) == said(second) != ""
    assert [row.cache for row in app.rows] == ["miss", "exact"]
    assert app.bill() == sim.invoice.by_model()


def test_errors_are_the_provider_s(app):
    with pytest.raises(openai.NotFoundError) as caught:
        app.wrap(openai.OpenAI).chat.completions.create(**CHAT | {"model": "gpt-nothing"})
    assert caught.value.response.headers["x-farthing-provider"] == "openai"
    with pytest.raises(anthropic.NotFoundError):
        app.wrap(anthropic.Anthropic).messages.create(**MESSAGE | {"model": "claude-nothing"})
    assert [(row.status, row.cost_nano) for row in app.rows] == [(404, 0), (404, 0)]


def test_the_client_s_own_retries(app_of, simulate):
    with simulate(faults={"*": Faults(times=1, p_error=1.0)}) as sim:
        app = app_of(sim.url)
        assert app.wrap(openai.OpenAI, max_retries=2).chat.completions.create(**CHAT).choices[0].message.content
        assert [row.status for row in app.rows] == [500, 200]
        assert app.bill() == sim.invoice.by_model()


def said(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_sixty_four_threads_and_one_client(app, sim):
    client, got, start = app.wrap(openai.OpenAI, mode="save"), [], threading.Barrier(64)

    def work(number):
        start.wait()
        with farthing.tags(user=f"u{number}"):
            for part in range(3):
                asked = [{"role": "user", "content": f"How do I top up card {number} part {part}?"}]
                reply = client.chat.completions.create(model="gpt-4o-mini", messages=asked, stream=part == 1)
                got.append(said(reply) if part == 1 else reply.choices[0].message.content)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 192
    assert all(got)
    assert app.bill() == sim.invoice.by_model()
    assert {row.caller.user for row in app.rows} == {f"u{number}" for number in range(64)}


async def test_many_tasks_and_two_clients(app, sim):
    oai, ant = app.wrap(openai.AsyncOpenAI), app.wrap(anthropic.AsyncAnthropic)

    async def one(number):
        asked = [{"role": "user", "content": f"How do I top up card {number}?"}]
        with farthing.tags(session=f"s{number}"):
            if number % 2:
                await ant.messages.create(model="claude-haiku-4-5", max_tokens=500, messages=asked)
                return
            stream = await oai.chat.completions.create(model="gpt-4o-mini", messages=asked, stream=True)
            assert said([chunk async for chunk in stream])

    await asyncio.gather(*(one(number) for number in range(60)))
    assert app.bill() == sim.invoice.by_model()
    assert {row.caller.session for row in app.rows} == {f"s{number}" for number in range(60)}
    assert len({entry.id for entry in app.opened}) == 60


def test_one_client_in_one_event_loop_after_another(app):
    client = app.wrap(openai.AsyncOpenAI)

    async def one():
        return await client.chat.completions.create(model="gpt-4o-mini", messages=ASK)

    assert [bool(asyncio.run(one()).choices[0].message.content) for _ in range(2)] == [True, True]
    assert len(app.rows) == 2
