"""The official clients work unchanged."""

import anthropic
import openai
import pytest
from pydantic import BaseModel

from farthing.simulator import Answer, Faults, Simulator, ToolCall, running

pytestmark = pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLAUDE_TOOL = {"name": "get_weather", "input_schema": TOOL["function"]["parameters"]}
ASK = [{"role": "user", "content": "How do I top up my card?"}]


class Ticket(BaseModel):
    title: str
    urgent: bool
    tags: list[str]


@pytest.fixture(scope="module")
def sim():
    with running() as sim:
        yield sim


@pytest.fixture
def oai(sim):
    with openai.OpenAI(base_url=sim.openai_url, api_key="sk-sim", max_retries=0) as client:
        yield client


@pytest.fixture
def ant(sim):
    with anthropic.Anthropic(base_url=sim.url, api_key="sk-sim", max_retries=0) as client:
        yield client


def last_line(sim):
    return sim.invoice.lines[-1]


def test_openai_chat(sim, oai):
    reply = oai.chat.completions.create(model="gpt-4o", messages=ASK)
    assert reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == "gpt-4o-2024-08-06"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply._request_id == last_line(sim).request_id
    assert reply.usage.completion_tokens == last_line(sim).tokens.output


def test_openai_chat_streams_the_same_text_as_in_one_piece(sim, oai):
    whole = oai.chat.completions.create(model="gpt-4o", messages=ASK)
    stream = oai.chat.completions.create(
        model="gpt-4o", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole.choices[0].message.content
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_openai_chat_helper_accumulates_a_stream_with_tools(oai):
    with oai.chat.completions.stream(model="gpt-4o", messages=ASK, tools=[TOOL], tool_choice="required") as stream:
        final = stream.get_final_completion()
    call = final.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert final.choices[0].finish_reason == "tool_calls"


def test_openai_tool_round_trip(oai):
    first = oai.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Use get_weather for Bern"}], tools=[TOOL]
    )
    message = first.choices[0].message
    call = message.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    again = [{"role": "user", "content": "Use get_weather for Bern"}, message.model_dump(exclude_none=True), result]
    second = oai.chat.completions.create(model="gpt-4o", messages=again, tools=[TOOL])
    assert second.choices[0].message.content
    assert not second.choices[0].message.tool_calls


def test_openai_structured_output(oai):
    reply = oai.chat.completions.parse(model="gpt-4o-mini", messages=ASK, response_format=Ticket)
    assert isinstance(reply.choices[0].message.parsed, Ticket)


def test_openai_responses(oai, sim):
    reply = oai.responses.create(model="gpt-4.1-mini", input="How do I top up?", instructions="Be short.")
    assert reply.output_text
    assert reply.usage.output_tokens == last_line(sim).tokens.output
    parsed = oai.responses.parse(model="gpt-4o", input="A ticket", text_format=Ticket)
    assert isinstance(parsed.output_parsed, Ticket)


def test_openai_responses_stream_with_reasoning_and_tools(oai, sim):
    tool = {"type": "function", **TOOL["function"], "strict": False}
    with oai.responses.stream(model="gpt-5-mini", input="x", tools=[tool], tool_choice="required") as stream:
        names = [event.type for event in stream]
        final = stream.get_final_response()
    assert names[0] == "response.created"
    assert names[-1] == "response.completed"
    assert [item.type for item in final.output] == ["reasoning", "function_call"]
    assert final.usage.output_tokens_details.reasoning_tokens > 0
    assert final.usage.output_tokens == last_line(sim).tokens.output


def test_openai_responses_stream_of_text(oai):
    with oai.responses.stream(model="gpt-4o", input="How do I top up?") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == text
    cut = oai.responses.create(model="gpt-4o", input="How do I top up?", max_output_tokens=16)
    assert cut.status == "incomplete"
    assert cut.usage.output_tokens == 16


def test_openai_embeddings(oai, sim):
    reply = oai.embeddings.create(model="text-embedding-3-small", input=["card lost", "lost card", "good morning"])
    same, twin, other = (item.embedding for item in reply.data)
    assert len(same) == 1536
    assert sum(a * b for a, b in zip(same, twin, strict=True)) == pytest.approx(1, abs=1e-5)
    assert abs(sum(a * b for a, b in zip(same, other, strict=True))) < 0.5
    assert reply.usage.prompt_tokens == last_line(sim).tokens.input == 6
    assert last_line(sim).nano_usd == 6 * 20


def test_openai_models_and_errors(oai):
    assert "gpt-4o-2024-08-06" in {model.id for model in oai.models.list()}
    assert oai.models.retrieve("gpt-4o").id == "gpt-4o-2024-08-06"
    with pytest.raises(openai.NotFoundError) as caught:
        oai.chat.completions.create(model="claude-3-haiku-20240307", messages=ASK)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="Unknown parameter: 'colour'"):
        oai.chat.completions.create(model="gpt-4o", messages=ASK, extra_body={"colour": 1})
    with pytest.raises(openai.BadRequestError, match="max_completion_tokens"):
        oai.chat.completions.create(model="gpt-5-mini", messages=ASK, max_tokens=10)


def test_anthropic_messages(ant, sim):
    reply = ant.messages.create(model="claude-sonnet-4-5", max_tokens=1000, messages=ASK)
    assert reply.content[0].text
    assert reply.stop_reason == "end_turn"
    assert reply._request_id == last_line(sim).request_id
    counted = ant.messages.count_tokens(model="claude-sonnet-4-5", messages=ASK)
    assert counted.input_tokens == reply.usage.input_tokens == last_line(sim).tokens.input


def test_anthropic_stream_is_the_same_text_and_usage(ant):
    whole = ant.messages.create(model="claude-3-haiku-20240307", max_tokens=1000, messages=ASK)
    with ant.messages.stream(model="claude-3-haiku-20240307", max_tokens=1000, messages=ASK) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.usage.input_tokens == whole.usage.input_tokens


def test_anthropic_tools_round_trip(ant):
    choice = {"type": "tool", "name": "get_weather"}
    kwargs = {"model": "claude-sonnet-4-5", "max_tokens": 1000, "tools": [CLAUDE_TOOL]}
    with ant.messages.stream(messages=ASK, tool_choice=choice, **kwargs) as stream:
        first = stream.get_final_message()
    call = first.content[0]
    assert first.stop_reason == "tool_use"
    assert "city" in call.input
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"}]}
    turn = {"role": "assistant", "content": [call.model_dump(include={"type", "id", "name", "input"})]}
    second = ant.messages.create(messages=[*ASK, turn, result], **kwargs)
    assert second.content[0].type == "text"


def test_anthropic_thinking_and_structured_output(ant):
    with ant.messages.stream(
        model="claude-sonnet-4-5",
        max_tokens=4000,
        messages=ASK,
        thinking={"type": "enabled", "budget_tokens": 1024},
    ) as stream:
        final = stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text"]
    parsed = ant.messages.parse(model="claude-sonnet-4-5", max_tokens=500, messages=ASK, output_format=Ticket)
    assert isinstance(parsed.parsed_output, Ticket)


def test_anthropic_errors(ant):
    with pytest.raises(anthropic.NotFoundError, match="model: gpt-4o"):
        ant.messages.create(model="gpt-4o", max_tokens=10, messages=ASK)
    with pytest.raises(anthropic.BadRequestError, match="8192, which is the maximum"):
        ant.messages.create(model="claude-3-5-sonnet-20241022", max_tokens=9000, messages=ASK)
    assert {model.id for model in ant.models.list()} >= {"claude-3-haiku-20240307"}


async def test_asynchronous_clients():
    async with Simulator() as sim:
        async with openai.AsyncOpenAI(base_url=sim.openai_url, api_key="sk-sim") as oai:
            stream = await oai.chat.completions.create(model="gpt-4o", messages=ASK, stream=True)
            assert [chunk async for chunk in stream][-1].choices[0].finish_reason == "stop"
        async with (
            anthropic.AsyncAnthropic(base_url=sim.url, api_key="sk-sim") as ant,
            ant.messages.stream(model="claude-haiku-4-5", max_tokens=1000, messages=ASK) as stream,
        ):
            assert (await stream.get_final_message()).stop_reason == "end_turn"
        assert len(sim.invoice.lines) == 2
        assert all(line.complete for line in sim.invoice.lines)


def test_a_bad_key_is_refused():
    with running(keys=["sk-good"]) as sim:
        with openai.OpenAI(base_url=sim.openai_url, api_key="sk-wrong-1234", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError) as caught:
                client.chat.completions.create(model="gpt-4o", messages=ASK)
            assert caught.value.code == "invalid_api_key"
            assert "sk-wrong" not in str(caught.value)
        with (
            anthropic.Anthropic(base_url=sim.url, api_key="sk-wrong", max_retries=0) as client,
            pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"),
        ):
            client.messages.create(model="claude-haiku-4-5", max_tokens=10, messages=ASK)
        assert sim.invoice.lines == []


def test_a_rate_limit_is_told_as_the_providers_do():
    with (
        running(faults={"gpt-4o": Faults(rpm=1)}, clock=lambda: 0.0) as sim,
        openai.OpenAI(base_url=sim.openai_url, api_key="k", max_retries=0) as client,
    ):
        client.chat.completions.create(model="gpt-4o", messages=ASK)
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="gpt-4o", messages=ASK)
        assert caught.value.code == "rate_limit_exceeded"
        assert caught.value.response.headers["retry-after-ms"] == "60000"
        assert caught.value.response.headers["x-request-id"].startswith("req_")
        assert len(sim.invoice.lines) == 1


def test_the_official_client_gets_over_passing_errors():
    with (
        running(faults={"*": Faults(p_overloaded=0.5)}, seed=5) as sim,
        anthropic.Anthropic(base_url=sim.url, api_key="k", max_retries=10) as client,
    ):
        for n in range(3):
            messages = [{"role": "user", "content": f"question {n}"}]
            assert client.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=messages).content
        assert len(sim.received) > len(sim.invoice.lines) == 3


def test_ones_own_answers():
    def answers(ask):
        if ask.question == "fail":
            raise LookupError("no such answer")
        if ask.tools:
            return Answer(tool_calls=(ToolCall("get_weather", {"city": "Bern"}),))
        return Answer(f"{ask.model} heard: {ask.question}")

    with (
        running(answers=answers) as sim,
        openai.OpenAI(base_url=sim.openai_url, api_key="k", max_retries=0) as client,
    ):
        reply = client.chat.completions.create(model="gpt-4o", messages=ASK)
        assert reply.choices[0].message.content == "gpt-4o-2024-08-06 heard: How do I top up my card?"
        reply = client.chat.completions.create(model="gpt-4o", messages=ASK, tools=[TOOL])
        assert reply.choices[0].message.tool_calls[0].function.arguments == '{"city":"Bern"}'
        with pytest.raises(openai.InternalServerError, match="no such answer"):
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "fail"}])
