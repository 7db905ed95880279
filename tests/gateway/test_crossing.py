"""A model of the other API, through a running gateway: the client cannot tell, and the books are right."""

import asyncio

import anthropic
import openai
import pytest

from farthing.policy.model import Provider, Tiers
from farthing.policy.provider import Quirks
from farthing.simulator import Faults
from farthing.simulator.server import Control

pytestmark = pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")
ASK = [{"role": "user", "content": "How do I top up my card?"}]
CLAUDE = {"model": "claude-haiku-4-5", "messages": ASK}
GPT = {"model": "gpt-4o", "messages": ASK}
NO_KEY = {"authorization": None, "x_api_key": None}
KEYS = {"OPENAI_API_KEY": "sk-env", "ANTHROPIC_API_KEY": "sk-ant-env"}
VIRTUAL = {"api_key": "sk-env"}
"""The key that farthing has itself: its owner asks."""


async def straight_claude(sim, **fields):
    async with anthropic.AsyncAnthropic(base_url=sim.url, api_key="k", max_retries=0) as client:
        return await client.messages.create(**{**CLAUDE, "max_tokens": 8192, **fields})


async def straight_gpt(sim, **fields):
    async with openai.AsyncOpenAI(base_url=sim.openai_url, api_key="k", max_retries=0) as client:
        return await client.chat.completions.create(**{**GPT, **fields})


def same_books(house, sim):
    assert house.bill() == sim.invoice.by_model()
    assert sum(row.cost_nano for row in house.rows) == sim.invoice.total_nano_usd


async def test_an_openai_client_gets_claude_s_answer(start, sim, simulate):
    house = await start(sim, mode="observe")
    async with simulate() as other:
        said = (await straight_claude(other)).content[0].text
    async with house.openai(**VIRTUAL) as client:
        told = await client.chat.completions.with_raw_response.create(**CLAUDE)
        reply = told.parse()
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == (said, "stop")
    assert told.headers["x-farthing-provider"] == "anthropic"
    assert told.headers["x-farthing-route"] == "translated to anthropic.messages"
    assert told.headers["content-type"] == "application/json"
    row = house.row
    assert (row.wire, row.path, row.provider, row.model) == (
        "openai.chat", "/v1/chat/completions", "anthropic", "claude-haiku-4-5",
    )  # fmt: skip
    assert row.cost_nano == row.baseline_nano
    assert row.calls[0].cost_source == "usage"
    usage = row.calls[0].usage
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (usage.prompt_tokens, usage.output)
    same_books(house, sim)


async def test_an_openai_stream_of_claude(start, sim, simulate):
    house = await start(sim)
    async with simulate() as other:
        said = (await straight_claude(other)).content[0].text
    async with house.openai(**VIRTUAL) as client:
        chunks = [chunk async for chunk in await client.chat.completions.create(**CLAUDE, stream=True)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == said
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks), "it was not asked for"
    await house.settled()
    assert house.row.ttft_us is not None
    same_books(house, sim)


async def test_an_anthropic_client_gets_gpt_s_answer(start, sim, simulate):
    house = await start(sim)
    async with simulate() as other:
        said = (await straight_gpt(other)).choices[0].message.content
    async with house.anthropic(**VIRTUAL) as client:
        reply = await client.messages.create(**GPT, max_tokens=1000)
        async with client.messages.stream(**GPT, max_tokens=999) as stream:
            streamed = await stream.get_final_message()
    for one in (reply, streamed):
        assert (one.content[0].text, one.stop_reason) == (said, "end_turn")
    usage = house.rows[0].calls[0].usage
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (usage.input, usage.output)
    assert (streamed.usage.input_tokens, streamed.usage.output_tokens) == (usage.input, usage.output)
    await house.settled(2)
    same_books(house, sim)


async def test_a_responses_client_gets_claude_s_answer(start, sim, simulate):
    house = await start(sim)
    async with simulate() as other:
        said = (await straight_claude(other)).content[0].text
    async with house.openai(**VIRTUAL) as client:
        reply = await client.responses.create(model="claude-haiku-4-5", input=ASK[0]["content"])
        async with client.responses.stream(model="anthropic/claude-haiku-4-5", input=ASK[0]["content"]) as stream:
            streamed = await stream.get_final_response()
    assert reply.output_text == streamed.output_text == said
    assert reply.status == streamed.status == "completed"
    same_books(house, sim)


async def test_what_does_not_matter_is_left_out_and_named(start, sim):
    house = await start(sim)
    told = await house.say(model="claude-haiku-4-5", headers=NO_KEY, seed=7, presence_penalty=0.5)
    assert told.status == 200
    assert told.get("x-farthing-route") == "translated to anthropic.messages; without seed, presence_penalty"
    assert house.row.route == told.get("x-farthing-route")


async def test_what_matters_is_refused_with_its_name(start, sim):
    house = await start(sim)
    told = await house.say(model="claude-haiku-4-5", headers=NO_KEY, n=2)
    assert (told.status, told.error["code"]) == (400, "farthing_cannot_cross")
    assert "several choices" in told.error["message"]
    assert (house.row.cost_nano, house.row.calls) == (0, ())


async def test_an_error_is_one_of_the_client_s_api(start, sim):
    house = await start(sim)
    sim.control(Control(faults={"claude-haiku-4-5": Faults(p_overloaded=1.0), "gpt-4o": Faults(p_error=1.0)}))
    async with house.openai(**VIRTUAL) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(**CLAUDE)
    assert (caught.value.status_code, caught.value.code) == (503, "server_is_overloaded")
    async with house.anthropic(**VIRTUAL) as client:
        with pytest.raises(anthropic.InternalServerError) as raised:
            await client.messages.create(**GPT, max_tokens=10)
    assert raised.value.body["error"]["type"] == "api_error"
    assert [row.cost_nano for row in house.rows] == [0, 0]


async def test_a_strange_key_goes_to_no_other_provider(start, sim):
    house = await start(sim)
    before = len(sim.received)
    async with house.openai(api_key="sk-somebody") as client:
        with pytest.raises(openai.AuthenticationError, match="key of anthropic") as caught:
            await client.chat.completions.create(**CLAUDE)
    assert caught.value.code == "farthing_no_credential"
    assert len(sim.received) == before


async def test_who_names_the_provider_brings_its_key(start, sim):
    house = await start(sim)
    async with house.openai(api_key="sk-ant-own") as client:
        await client.chat.completions.create(**{**CLAUDE, "model": "anthropic/claude-haiku-4-5"})
    sent = dict(sim.received[-1].headers)
    assert sent["x-api-key"] == "sk-ant-own"
    assert "authorization" not in sent
    assert sent["anthropic-version"] == "2023-06-01"


async def test_an_answer_is_kept_in_the_client_s_own_words(start, sim):
    house = await start(sim)
    async with house.openai(**VIRTUAL) as client:
        first = await client.chat.completions.create(**CLAUDE, temperature=0)
        again = await client.chat.completions.with_raw_response.create(**CLAUDE, temperature=0)
        stream = [chunk async for chunk in await client.chat.completions.create(**CLAUDE, temperature=0, stream=True)]
    assert again.headers["x-farthing-cache"] == "exact"
    assert again.parse().choices == first.choices
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == first.choices[0].message.content
    assert [row.cache for row in house.rows] == ["miss", "exact", "exact"]
    assert house.rows[1].baseline_nano == house.rows[0].cost_nano
    same_books(house, sim)


async def test_a_stream_is_kept_in_the_client_s_own_words(start, sim):
    house = await start(sim)
    async with house.anthropic(**VIRTUAL) as client:
        fields = {**GPT, "max_tokens": 1000, "system": "Be short."}
        async with client.messages.stream(**fields) as stream:
            first = await stream.get_final_message()
        await house.settled()
        raw = await client.messages.with_raw_response.create(**fields)
        again = await raw.parse()
    assert raw.headers["x-farthing-cache"] == "exact"
    assert again.content[0].text == first.content[0].text


@pytest.mark.parametrize("streams", [False, True])
async def test_a_model_of_the_other_api_takes_over(start, sim, streams):
    house = await start(sim, environ=KEYS, tiers=Tiers(complex=("gpt-4o", "claude-haiku-4-5")))
    sim.control(Control(faults={"gpt-4o": Faults(p_error=1.0)}))
    told = await house.say(model="gpt-4o", headers=NO_KEY, stream=streams)
    assert told.status == 200
    assert told.get("x-farthing-provider") == "anthropic"
    assert told.get("x-farthing-route").startswith("fallback anthropic/claude-haiku-4-5: openai/gpt-4o ")
    await house.settled()
    row = house.row
    assert [(call.provider, call.model) for call in row.calls] == [
        ("openai", "gpt-4o"), ("anthropic", "claude-haiku-4-5"),
    ]  # fmt: skip
    assert row.baseline_nano is not None
    assert row.saved == (("fallback", row.baseline_nano - row.cost_nano),)
    same_books(house, sim)


async def test_thinking_signature_pins_model(start, sim):
    """litellm#26005: a turn that Claude signed is nobody else's, also not in the words of the other API."""
    house = await start(sim, environ=KEYS, tiers=Tiers(complex=("claude-sonnet-4-5", "gpt-4o")))
    sim.control(Control(faults={"claude-sonnet-4-5": Faults(p_error=1.0)}))
    thought = [{"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"}]
    turn = {"role": "assistant", "content": "Yes.", "thinking_blocks": thought}
    signed = await house.say(model="claude-sonnet-4-5", headers=NO_KEY, messages=[*ASK, turn, *ASK])
    assert (signed.status, signed.get("x-farthing-provider")) == (400, "anthropic"), "whoever signed it looks at it"
    assert (await house.say(model="claude-sonnet-4-5", headers=NO_KEY)).get("x-farthing-provider") == "openai"


async def test_a_client_that_leaves_is_settled_once(start, sim):
    house = await start(sim)
    sim.control(Control(faults={"claude-haiku-4-5": Faults(ms_per_token=20)}))
    async with house.openai(**VIRTUAL) as client:
        stream = await client.chat.completions.create(**CLAUDE, stream=True)
        await anext(aiter(stream))
        await stream.close()
    rows = await house.settled()
    assert [row.wire for row in rows] == ["openai.chat"]
    assert rows[0].calls[0].cost_source in ("usage", "estimated")


async def test_a_compatible_provider_without_responses_is_spoken_to_in_chat(start, sim):
    house = await start(sim, providers={"own": Provider(sim.openai_url, "openai", "OPENAI_API_KEY")})
    async with house.openai(**VIRTUAL) as client:
        reply = await client.responses.create(model="own/gpt-4o", input="How do I top up?")
    assert reply.output_text


async def test_what_a_compatible_endpoint_refuses_is_written_again_for_it(start, sim):
    quirks = Quirks(call_ids="mistral", without=("seed", "messages.refusal"))
    own = Provider(sim.dialect_url("mistral"), "openai", "OPENAI_API_KEY", quirks=quirks)
    house = await start(sim, providers={"own": own})
    body = GPT | {
        "model": "own/gpt-4o",
        "messages": [*ASK, {"role": "assistant", "content": "Hm.", "refusal": None}, *ASK],
    }
    reply = await house.ask("POST", "/v1/chat/completions", body | {"seed": 1}, **NO_KEY)
    assert reply.json["choices"][0]["message"]["content"]
    assert reply.get("x-farthing-route") == "written again for own; without seed"
    same_books(house, sim)


async def test_what_it_does_not_refuse_goes_through_byte_for_byte(start, sim):
    own = Provider(sim.openai_url, "openai", "OPENAI_API_KEY", quirks=Quirks(without=("logprobs",), json_schema="tool"))
    house = await start(sim, providers={"own": own})
    await house.ask(
        "POST",
        "/v1/chat/completions",
        b'{"seed": 1, "model": "own/gpt-4o", "messages":[{"role":"user","content":"Hi"}]}',
        **NO_KEY,
    )
    assert sim.received[-1].body == b'{"seed": 1, "model": "gpt-4o", "messages":[{"role":"user","content":"Hi"}]}'


async def test_what_is_refused_and_cannot_be_left_out_is_the_endpoint_s_to_say(start, sim):
    own = Provider(sim.dialect_url("groq"), "openai", "OPENAI_API_KEY", quirks=Quirks(without=("logprobs",)))
    house = await start(sim, providers={"own": own})
    reply = await house.ask("POST", "/v1/chat/completions", GPT | {"model": "own/gpt-4o", "logprobs": True}, **NO_KEY)
    assert reply.status == 400
    assert reply.error["message"] == "property 'logprobs' is unsupported"


async def test_the_two_books_of_many_crossings_at_once(start, sim):
    house = await start(sim)

    async def one(number):
        if number % 2:
            async with house.openai(**VIRTUAL) as client:
                await client.chat.completions.create(**{**CLAUDE, "messages": [{**ASK[0], "content": f"{number}"}]})
        else:
            async with house.anthropic(**VIRTUAL) as client:
                await client.messages.create(
                    model="gpt-4o", max_tokens=100, messages=[{**ASK[0], "content": f"{number}"}]
                )

    await asyncio.gather(*(one(number) for number in range(40)))
    assert len(house.rows) == 40
    same_books(house, sim)


@pytest.mark.parametrize("mode", ["observe", "save"])
async def test_the_tokens_of_a_gpt_are_counted_here(start, sim, mode):
    house = await start(sim, mode=mode)
    before = len(sim.received)
    async with house.anthropic(**VIRTUAL) as client:
        counted = await client.messages.count_tokens(**GPT)
        told = await client.messages.create(**GPT, max_tokens=100)
    assert len(sim.received) == before + 1
    assert abs(counted.input_tokens - told.usage.input_tokens) <= 3
    assert (house.rows[0].cost_nano, house.rows[0].calls) == (0, ())


async def test_what_is_no_conversation_is_not_counted(start, sim):
    house = await start(sim)
    told = await house.ask("POST", "/v1/messages/count_tokens", {"model": "gpt-4o", "messages": "none"}, x_api_key=None)
    assert (told.status, told.error["code"]) == (400, "farthing_invalid_field")
