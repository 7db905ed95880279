"""Providers that LiteLLM speaks with, through a running gateway: the client's own API, our retries, our books."""

import anthropic
import openai
import pytest

from farthing.policy.model import Provider, Retries
from farthing.policy.provider import Quirks
from farthing.simulator import Faults
from farthing.simulator.server import Control

pytestmark = pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")
KEYS = {"OPENAI_API_KEY": "sk-env", "ANTHROPIC_API_KEY": "sk-ant-env"}
OWNER = {"api_key": "sk-env"}
ASK = [{"role": "user", "content": "How do I top up my card?"}]
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
WAYS = {"oai/gpt-4o": "gpt-4o", "ant/claude-haiku-4-5": "claude-haiku-4-5"}


@pytest.fixture
async def house(start, sim):
    def via(name, url, key):
        return Provider(url, "openai", key, via=f"litellm/{name}", quirks=Quirks(responses=False))

    return await start(
        sim,
        environ=KEYS,
        providers={
            "oai": via("openai", sim.openai_url, "OPENAI_API_KEY"),
            "ant": via("anthropic", sim.url, "ANTHROPIC_API_KEY"),
        },
        retries=Retries(attempts=2),
    )


def same_books(house, sim):
    assert sum(row.cost_nano for row in house.rows) == sim.invoice.total_nano_usd > 0
    assert all(call.cost_source in ("usage", "free") for row in house.rows for call in row.calls)


@pytest.mark.parametrize("model", WAYS)
async def test_a_reply_and_its_bill(house, sim, model):
    async with house.openai(**OWNER) as client:
        told = await client.chat.completions.with_raw_response.create(model=model, messages=ASK)
    reply = told.parse()
    assert reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert told.headers["x-farthing-provider"] == model.partition("/")[0]
    usage = house.row.calls[0].usage
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (usage.prompt_tokens, usage.output)
    same_books(house, sim)


@pytest.mark.parametrize("model", WAYS)
async def test_a_stream_and_its_bill(house, sim, model):
    async with house.openai(**OWNER) as client:
        whole = await client.chat.completions.create(
            model=model, messages=ASK, extra_headers={"x-farthing-cache": "no-store"}
        )
        stream = await client.chat.completions.create(
            model=model, messages=ASK, stream=True, extra_headers={"x-farthing-cache": "no-store"}
        )
        chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert all(chunk.usage is None for chunk in chunks), "it was not asked for"
    await house.settled(2)
    same_books(house, sim)


@pytest.mark.parametrize("model", WAYS)
async def test_a_call_of_a_tool(house, sim, model):
    async with house.openai(**OWNER) as client:
        reply = await client.chat.completions.create(model=model, messages=ASK, tools=[TOOL], tool_choice="required")
    (call,) = reply.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert reply.choices[0].finish_reason == "tool_calls"
    same_books(house, sim)


async def test_clients_of_the_other_apis_get_there_too(house, sim):
    async with house.anthropic(api_key="sk-ant-env") as client:
        message = await client.messages.create(model="oai/gpt-4o", max_tokens=500, messages=ASK)
    async with house.openai(**OWNER) as client:
        response = await client.responses.create(model="ant/claude-haiku-4-5", input=ASK[0]["content"])
    assert message.content[0].text
    assert response.output_text
    same_books(house, sim)


async def test_what_it_is_refused_is_tried_again_and_told_in_the_client_s_words(house, sim):
    sim.control(Control(faults={"gpt-4o": Faults(p_error=1.0)}))
    async with house.openai(**OWNER) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="oai/gpt-4o", messages=ASK)
    assert "sk-env" not in str(caught.value)
    assert [call.status for call in house.row.calls] == [500, 500], "our retries, none of LiteLLM's"
    assert house.row.cost_nano == 0


async def test_a_limit_is_a_limit(house, sim):
    sim.control(Control(faults={"claude-haiku-4-5": Faults(p_limited=1.0, retry_after_ms=120_000)}))
    async with house.anthropic(api_key="sk-ant-env") as client:
        with pytest.raises(anthropic.RateLimitError):
            await client.messages.create(model="ant/claude-haiku-4-5", max_tokens=5, messages=ASK)


async def test_a_client_that_leaves_is_settled_once(house, sim):
    sim.control(Control(faults={"gpt-4o": Faults(ms_per_token=20)}))
    async with house.openai(**OWNER) as client:
        stream = await client.chat.completions.create(model="oai/gpt-4o", messages=ASK, stream=True)
        await anext(aiter(stream))
        await stream.close()
    rows = await house.settled()
    assert len(rows) == 1
    assert rows[0].calls[0].cost_source in ("usage", "estimated")


async def test_what_is_no_chat_is_told(house, sim):
    told = await house.ask("POST", "/v1/embeddings", {"model": "oai/x", "input": "x"}, authorization="Bearer sk-env")
    assert (told.status, told.error["code"]) == (404, "farthing_no_such_route")
    assert house.row.cost_nano == 0
