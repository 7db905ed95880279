"""OpenAI-compatible endpoints with ways of their own."""

import pytest
from tests.simulator.conftest import events_of

from farthing.simulator.dialects import dialects
from farthing.wire.openai_usage import openai_usage

NAMES = [dialect.name for dialect in dialects()]
ASK = [{"role": "user", "content": "Please call look up for me."}]
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
LOOSE = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}}}


async def ask(lab, name, *, headers=None, **body):
    body = {"model": "gpt-4o", "messages": ASK} | body
    headers = {"api_key": "k"} if headers is None else headers
    return await lab.post(f"/dialects/{name}/v1/chat/completions", body, **headers)


@pytest.mark.parametrize("name", NAMES)
async def test_a_plain_question_is_answered_and_billed(lab, name):
    status, _, reply = await ask(lab, name, max_tokens=40)
    assert status == 200, reply
    line = lab.sim.invoice.lines[-1]
    assert openai_usage(reply["usage"]).output == line.tokens.output <= 40
    assert line.path == f"/dialects/{name}/v1/chat/completions"


@pytest.mark.parametrize("name", NAMES)
async def test_some_have_responses(lab, name):
    path = f"/dialects/{name}/v1/responses"
    status, _, reply = await lab.post(path, {"model": "gpt-4o", "input": "How do I pay?"}, api_key="k")
    assert status == (200 if name in ("azure", "bedrock", "groq", "ollama", "vllm") else 404), reply
    assert [line.path for line in lab.sim.invoice.lines] == [path] * (status == 200)


@pytest.mark.parametrize(
    ("name", "fields", "status", "word"),
    [
        ("mistral", {"max_completion_tokens": 5}, 422, "extra_forbidden"),
        ("mistral", {"stream": True, "stream_options": {"include_usage": True}}, 422, "stream_options"),
        ("mistral", {"store": False}, 422, "store"),
        ("mistral", {"messages": [{"role": "developer", "content": "x"}]}, 422, "developer"),
        ("groq", {"logprobs": True}, 400, "'logprobs' is unsupported"),
        ("groq", {"n": 2}, 400, "'n'"),
        ("groq", {"messages": [{"role": "user", "content": "x", "name": "y"}]}, 400, "messages.0.name"),
        ("deepseek", {"response_format": LOOSE}, 400, "response_format type is unavailable"),
        ("deepseek", {"messages": [{"role": "developer", "content": "x"}]}, 400, "developer"),
        ("azure", {"response_format": LOOSE}, 400, "additionalProperties"),
        ("bedrock", {"temperature": 3}, 400, "above maximum"),
    ],
)
async def test_refusals(lab, name, fields, status, word):
    found, _, reply = await ask(lab, name, **fields)
    assert found == status
    error = reply.get("error", reply)
    assert word in error["message"]


async def test_google_s_errors_are_a_list(lab):
    status, _, raw = await ask(lab, "gemini", frequency_penalty=1)
    assert status == 400
    assert b'"status":"INVALID_ARGUMENT"' in raw
    assert raw.startswith(b'[{"error"')


@pytest.mark.parametrize("name", ["ollama", "vllm", "deepseek"])
async def test_what_is_not_known_is_ignored(lab, name):
    assert (await ask(lab, name, invented=1))[0] == 200


@pytest.mark.parametrize("name", ["ollama", "vllm"])
async def test_schemas_are_taken_as_they_come(lab, name):
    assert (await ask(lab, name, response_format=LOOSE))[0] == 200


async def test_mistral_s_ids(lab):
    _, _, reply = await ask(lab, "mistral", tools=[TOOL])
    message = reply["choices"][0]["message"]
    key = message["tool_calls"][0]["id"]
    assert len(key) == 9
    assert key.isalnum()

    def turns(key):
        calls = [{"id": key, "type": "function", "function": {"name": "look_up", "arguments": "{}"}}]
        spoken = {"role": "assistant", "content": None, "tool_calls": calls}
        return [*ASK, spoken, {"role": "tool", "tool_call_id": key, "content": "x"}]

    assert (await ask(lab, "mistral", tools=[TOOL], messages=turns(key)))[0] == 200
    status, _, refused = await ask(lab, "mistral", tools=[TOOL], messages=turns("call_123456789"))
    assert status == 400
    assert "length of 9" in refused["message"]


@pytest.mark.parametrize(("name", "asked"), [("mistral", False), ("groq", True), ("ollama", True)])
async def test_where_a_stream_tells_usage(lab, name, asked):
    options = {"stream_options": {"include_usage": True}} if asked else {}
    _, _, raw = await ask(lab, name, stream=True, **options)
    told = [event for event in events_of(raw) if event.get("usage")]
    assert len(told) == 1
    assert bool(told[0]["choices"]) == (not asked)
    assert openai_usage(told[0]["usage"]).output == lab.sim.invoice.lines[-1].tokens.output


async def test_gemini_hides_thoughts_in_the_total(lab):
    _, _, reply = await ask(lab, "gemini", model="gpt-5-mini")
    usage, line = reply["usage"], lab.sim.invoice.lines[-1]
    assert usage["completion_tokens"] < line.tokens.output
    assert usage["total_tokens"] - usage["prompt_tokens"] == line.tokens.output
    assert openai_usage(usage).output == line.tokens.output


async def test_deepseek_shows_thoughts_and_tells_hits(lab):
    _, _, reply = await ask(lab, "deepseek", model="gpt-5-mini")
    assert reply["choices"][0]["message"]["reasoning_content"]
    usage = reply["usage"]
    assert usage["prompt_cache_hit_tokens"] + usage["prompt_cache_miss_tokens"] == usage["prompt_tokens"]
    _, _, raw = await ask(lab, "deepseek", model="gpt-5-mini", stream=True)
    assert "".join(event["choices"][0]["delta"].get("reasoning_content", "") for event in events_of(raw))


@pytest.mark.parametrize(
    ("name", "headers", "status"),
    [
        ("azure", {"authorization": "Bearer k"}, 401),
        ("azure", {"api_key": "k"}, 200),
        ("groq", {"authorization": ""}, 401),
        ("groq", {"authorization": "Bearer k"}, 200),
        ("ollama", {"authorization": ""}, 200),
    ],
)
async def test_where_the_key_stands(lab, name, headers, status):
    assert (await ask(lab, name, headers=headers))[0] == status
    url = f"{lab.sim.dialect_url(name)}/models"
    async with lab.session.get(url, headers={key.replace("_", "-"): value for key, value in headers.items()}) as reply:
        assert reply.status == status
