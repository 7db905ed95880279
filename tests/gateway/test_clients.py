"""The official clients, unchanged: what they get through farthing is what the provider says, and so is the bill."""

import asyncio

import anthropic
import openai
import pytest
from pydantic import BaseModel

pytestmark = pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
RESPONSES_TOOL = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": False}
CLAUDE_TOOL = {"name": "get_weather", "input_schema": PARAMETERS}
ASK = [{"role": "user", "content": "How do I top up my card?"}]
CLAUDE = {"model": "claude-haiku-4-5", "messages": ASK}
MESSAGE = {**CLAUDE, "max_tokens": 1000}
LONG = [{"type": "text", "text": "You answer questions about cards. " * 1200, "cache_control": {"type": "ephemeral"}}]


class Ticket(BaseModel):
    title: str
    urgent: bool
    tags: list[str]


CHAT = {"model": "gpt-4o", "messages": ASK}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
OPENAI = {
    "chat": ("chat.completions.create", CHAT),
    "chat with a system prompt that the provider caches": (
        "chat.completions.create",
        {"model": "gpt-4o-mini", "messages": [{"role": "system", "content": "Be short. " * 1000}, *ASK]},
    ),
    "chat stream": ("chat.completions.create", {**CHAT, "stream": True}),
    "chat stream with usage": ("chat.completions.create", {**CHAT, **USAGE}),
    "chat tools": ("chat.completions.create", {**CHAT, "tools": [TOOL], "tool_choice": "required"}),
    "chat tools stream": ("chat.completions.create", {**CHAT, "tools": [TOOL], "tool_choice": "required", **USAGE}),
    "chat three choices": ("chat.completions.create", {**CHAT, "n": 3}),
    "chat cut at max_tokens": ("chat.completions.create", {**CHAT, "max_tokens": 3}),
    "structured output": ("chat.completions.parse", {**CHAT, "response_format": Ticket}),
    "reasoning": ("chat.completions.create", {"model": "gpt-5-mini", "messages": ASK}),
    "responses": ("responses.create", {"model": "gpt-4.1-mini", "input": "How do I top up?"}),
    "responses stream": ("responses.create", {"model": "gpt-5-mini", "input": "How do I top up?", "stream": True}),
    "responses tools": (
        "responses.create",
        {"model": "gpt-4o", "input": "x", "tools": [RESPONSES_TOOL], "tool_choice": "required", "stream": True},
    ),
    "responses parsed": ("responses.parse", {"model": "gpt-4o", "input": "A ticket", "text_format": Ticket}),
    "embeddings": ("embeddings.create", {"model": "text-embedding-3-small", "input": ["lost card", "good morning"]}),
    "models": ("models.list", {}),
    "one model": ("models.retrieve", {"model": "gpt-4o"}),
}
ANTHROPIC = {
    "messages": ("messages.create", MESSAGE),
    "messages stream": ("messages.create", {**MESSAGE, "stream": True}),
    "messages tools": (
        "messages.create",
        {**MESSAGE, "tools": [CLAUDE_TOOL], "tool_choice": {"type": "tool", "name": "get_weather"}},
    ),
    "messages tools stream": (
        "messages.create",
        {**MESSAGE, "tools": [CLAUDE_TOOL], "tool_choice": {"type": "any"}, "stream": True},
    ),
    "messages with a cached prefix": ("messages.create", {**MESSAGE, "system": LONG}),
    "messages stream with a cached prefix": ("messages.create", {**MESSAGE, "system": LONG, "stream": True}),
    "count_tokens": ("messages.count_tokens", CLAUDE),
    "models": ("models.list", {}),
}


def method(client, path):
    for name in path.split("."):
        client = getattr(client, name)
    return client


def dumped(value):
    return value.model_dump(mode="json", warnings=False)


def ask(client, path, given):
    with client:
        result = method(client, path)(**given)
        if path == "models.list":
            return [dumped(model) for model in result]
        return [dumped(event) for event in result] if given.get("stream") else dumped(result)


async def aask(client, path, given):
    async with client:
        if path == "models.list":
            return [dumped(model) async for model in client.models.list()]
        result = await method(client, path)(**given)
        return [dumped(event) async for event in result] if given.get("stream") else dumped(result)


def same_bill(house, sim, direct):
    assert house.bill() == sim.invoice.by_model() == direct.invoice.by_model()
    assert sum(row.cost_nano for row in house.rows) == sim.invoice.total_nano_usd
    assert all(row.error is None and row.status == 200 and len(row.calls) == 1 for row in house.rows)
    assert all(call.cost_source in ("usage", "free") for row in house.rows for call in row.calls)
    assert len(house.opened) == len(house.rows)


@pytest.mark.parametrize("mode", ["observe", "save"])
@pytest.mark.parametrize("name", OPENAI)
async def test_openai(start, sim, simulate, name, mode):
    path, given = OPENAI[name]
    async with simulate() as direct:
        house = await start(sim, mode=mode)
        kind = openai.AsyncOpenAI if mode == "save" else openai.OpenAI
        through = house.openai(kind)
        straight = kind(base_url=direct.openai_url, api_key="sk-sim", max_retries=0)
        if mode == "save":
            assert await aask(through, path, given) == await aask(straight, path, given)
        else:
            assert await asyncio.to_thread(ask, through, path, given) == await asyncio.to_thread(
                ask, straight, path, given
            )
        same_bill(house, sim, direct)


@pytest.mark.parametrize("mode", ["observe", "save"])
@pytest.mark.parametrize("name", ANTHROPIC)
async def test_anthropic(start, sim, simulate, name, mode):
    path, given = ANTHROPIC[name]
    async with simulate() as direct:
        house = await start(sim, mode=mode)
        kind = anthropic.AsyncAnthropic if mode == "save" else anthropic.Anthropic
        through = house.anthropic(kind)
        straight = kind(base_url=direct.url, api_key="sk-sim", max_retries=0)
        if mode == "save":
            assert await aask(through, path, given) == await aask(straight, path, given)
        else:
            assert await asyncio.to_thread(ask, through, path, given) == await asyncio.to_thread(
                ask, straight, path, given
            )
        same_bill(house, sim, direct)


async def test_the_accumulating_helpers_of_the_clients(house, sim):
    async with house.openai() as client:
        async with client.chat.completions.stream(**CHAT, tools=[TOOL], tool_choice="required") as stream:
            final = await stream.get_final_completion()
        assert final.choices[0].message.tool_calls[0].function.name == "get_weather"
        async with client.responses.stream(model="gpt-4o", input="How do I top up?") as stream:
            assert (await stream.get_final_response()).output_text
    async with house.anthropic() as client, client.messages.stream(**MESSAGE) as stream:
        assert await stream.get_final_text()
    assert house.bill() == sim.invoice.by_model()


async def test_a_tool_s_round_trip(house, sim):
    question = {"role": "user", "content": "Use get_weather for Bern"}
    async with house.openai() as client:
        first = await client.chat.completions.create(model="gpt-4o", messages=[question], tools=[TOOL])
        message = first.choices[0].message
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "rain"}
        turns = [question, message.model_dump(exclude_none=True), result]
        second = await client.chat.completions.create(model="gpt-4o", messages=turns, tools=[TOOL])
    assert second.choices[0].message.content
    assert house.bill() == sim.invoice.by_model()


async def test_raw_response_of_the_client_shows_farthing_s_headers(house):
    async with house.openai() as client:
        raw = await client.chat.completions.with_raw_response.create(**CHAT)
        assert raw.headers["x-farthing-cache"] == "miss"
        assert raw.parse().choices[0].message.content


async def test_many_at_once_are_all_on_the_bill(house, sim):
    async with house.openai() as oai, house.anthropic() as ant:
        asks = []
        for n in range(20):
            question = [{"role": "user", "content": f"How do I top up card {n}?"}]
            asks.append(oai.chat.completions.create(model="gpt-4o-mini", messages=question))
            asks.append(ant.messages.create(model="claude-haiku-4-5", max_tokens=500, messages=question))
        await asyncio.gather(*asks)
    assert house.bill() == sim.invoice.by_model()
    assert len({row.id for row in house.rows}) == 40
    assert len({call.id for row in house.rows for call in row.calls}) == 40
