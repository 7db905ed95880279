"""Faults strike as asked, are deterministic, and are billed for what was sent."""

from types import SimpleNamespace

import aiohttp
import msgspec
import pytest

from farthing.simulator import Control, Faults, sending
from farthing.simulator.faults import Bucket, fate_of, faults_for

from .conftest import events_of

REQUESTS = [f"request {n}".encode() for n in range(200)]


def test_the_same_seed_and_request_meet_the_same_fate_in_any_order():
    faults = Faults(p_error=0.2, p_reset=0.1, p_drop=0.3, p_stall=0.2, stall_s=1)
    fates = {request: fate_of(faults, 1, request, 1) for request in REQUESTS}
    assert {request: fate_of(faults, 1, request, 1) for request in reversed(REQUESTS)} == fates
    assert {request: fate_of(faults, 2, request, 1) for request in REQUESTS} != fates
    refused = sum(fate.refused == "error" for fate in fates.values())
    assert 20 < refused < 60
    assert fate_of(faults, 1, REQUESTS[0], 1) != fate_of(faults, 1, REQUESTS[0], 2), "a retry has its own dice"


def test_a_models_own_faults_come_before_those_of_all():
    table = {"*": Faults(p_error=0.5, ttft_ms=300), "gpt-4o": Faults(p_error=0.0)}
    assert faults_for(table, "gpt-4o-2024-08-06", "gpt-4o") == Faults(p_error=0.0, ttft_ms=300)
    assert faults_for(table, "other") == Faults(p_error=0.5, ttft_ms=300)


@pytest.mark.parametrize("bad", [{"p_error": 1.5}, {"rpm": -1}, {"p_eror": 1}])
async def test_wrong_faults_are_refused_by_name(lab, bad):
    async with lab.session.post(f"{lab.sim.url}/_control", json={"faults": {"*": bad}}) as reply:
        assert reply.status == 400
        assert next(iter(bad)) in (await reply.json())["error"]


def test_a_bucket_refills_within_its_minute():
    bucket = Bucket(60, 0.0)
    assert [bucket.take(30, 0.0), bucket.take(30, 0.0)] == [0.0, 0.0]
    assert bucket.take(1, 0.0) == 1.0
    assert bucket.take(1, 1.0) == 0.0
    assert bucket.full_in(1.0) == 60.0
    assert Bucket(10, 0.0).take(500, 0.0) == 0.0, "one request larger than the bucket passes when it is full"


@pytest.mark.parametrize(
    ("fault", "openai_error", "anthropic_error"),
    [
        ({"p_error": 1}, (500, "server_error"), (500, "api_error")),
        ({"p_overloaded": 1}, (503, "service_unavailable_error"), (529, "overloaded_error")),
        ({"p_quota": 1}, (429, "insufficient_quota"), (400, "invalid_request_error")),
    ],
)
async def test_refusals_have_the_providers_words_and_cost_nothing(lab, fault, openai_error, anthropic_error):
    lab.sim.control(Control(faults={"*": Faults(**fault)}))
    status, headers, reply = await lab.chat()
    assert (status, reply["error"]["type"]) == openai_error
    assert headers["x-request-id"].startswith("req_")
    status, headers, reply = await lab.message()
    assert (status, reply["error"]["type"]) == anthropic_error
    assert reply["request_id"] == headers["request-id"]
    assert lab.sim.invoice.lines == []


async def test_a_reset_comes_before_the_headers_and_costs_nothing(lab):
    lab.sim.control(Control(faults={"gpt-4o": Faults(p_reset=1)}))
    with pytest.raises(aiohttp.ClientConnectionError):
        await lab.chat()
    assert lab.sim.invoice.lines == []
    assert (await lab.chat(model="gpt-4o-mini"))[0] == 200


async def stream(lab, path, **body):
    """The bytes of a stream and whether it broke off."""
    asked = {"input": "hello"} if "input" in body else {"messages": [{"role": "user", "content": "hello"}]}
    base = {"model": "gpt-4o", "stream": True} | asked
    headers = {"authorization": "Bearer k", "anthropic-version": "2023-06-01"}
    raw = b""
    async with lab.session.post(lab.sim.url + path, json=base | body, headers=headers) as reply:
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        try:
            async for chunk in reply.content.iter_any():
                raw += chunk
        except aiohttp.ClientError:
            return raw, True
    return raw, False


@pytest.mark.parametrize("after", [1, 2, 7])
async def test_a_dropped_stream_is_billed_prompt_and_output_sent(lab, after):
    whole, broke = await stream(lab, "/v1/chat/completions")
    assert not broke
    lab.sim.control(Control(faults={"*": Faults(drop_after=after)}))
    raw, broke = await stream(lab, "/v1/chat/completions")
    assert broke
    assert whole.startswith(raw[:15])
    assert len(events_of(raw)) == after
    full, cut = lab.sim.invoice.lines
    assert (full.complete, cut.complete) == (True, False)
    assert cut.tokens.input == full.tokens.input
    assert cut.tokens.output == after - 1, "the first chunk carries the role, every other one a token"


async def test_an_error_event_inside_a_stream(lab):
    lab.sim.control(Control(faults={"*": Faults(p_stream_error=1)}))
    raw, broke = await stream(lab, "/v1/chat/completions")
    assert not broke
    assert events_of(raw)[-1]["error"]["type"] == "server_error"
    raw, _ = await stream(lab, "/v1/messages", model="claude-haiku-4-5", max_tokens=400)
    assert events_of(raw)[-1] == {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    raw, _ = await stream(lab, "/v1/responses", input="x")
    assert events_of(raw)[-1]["type"] == "error"
    assert lab.sim.invoice.lines[-1].complete is False


@pytest.mark.parametrize("path", ["chat", "message"])
async def test_usage_can_be_missing_or_zero_while_the_bill_is_right(lab, path):
    ask = getattr(lab, path)
    lab.sim.control(Control(faults={"*": Faults(no_usage=True)}))
    assert "usage" not in (await ask())[2]
    lab.sim.control(Control(faults={"*": Faults(zero_usage=True)}, reset=True))
    assert not any(n for n in (await ask())[2]["usage"].values() if isinstance(n, int))
    assert all(line.nano_usd > 0 for line in lab.sim.invoice.lines)


@pytest.mark.parametrize(
    ("fault", "counts"),
    [({}, [0, 0, 1]), ({"usage_twice": True}, [0, 0, 1, 1]), ({"usage_on_last_choice": True}, [0, 1])],
)
async def test_where_usage_stands_in_a_chat_stream(lab, fault, counts):
    lab.sim.control(Control(faults={"*": Faults(**fault)}))
    raw, _ = await stream(lab, "/v1/chat/completions", stream_options={"include_usage": True})
    reported = [int(each["usage"] is not None) for each in events_of(raw)]
    assert reported[-len(counts) :] == counts
    assert sum(reported) == sum(counts)


async def test_usage_twice_on_anthropic_repeats_the_running_total(lab):
    lab.sim.control(Control(faults={"*": Faults(usage_twice=True)}))
    raw, _ = await stream(lab, "/v1/messages", model="claude-haiku-4-5", max_tokens=400)
    deltas = [each["usage"]["output_tokens"] for each in events_of(raw) if each["type"] == "message_delta"]
    assert deltas == [lab.sim.invoice.lines[-1].tokens.output] * 2


async def test_malformed_json_and_a_wrong_length(lab):
    lab.sim.control(Control(faults={"*": Faults(malformed_json=True)}))
    headers = {"authorization": "Bearer k"}
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}
    async with lab.session.post(f"{lab.sim.openai_url}/chat/completions", json=body, headers=headers) as reply:
        raw = await reply.read()
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(raw)
    lab.sim.control(Control(faults={"*": Faults(wrong_content_length=True)}, reset=True))
    with pytest.raises(aiohttp.ClientPayloadError):
        await lab.chat()
    assert [line.complete for line in lab.sim.invoice.lines] == [True, True]


async def test_latency_and_stalls_last_as_long_as_asked(lab, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(sending, "asyncio", SimpleNamespace(sleep=sleep))
    lab.sim.control(Control(faults={"*": Faults(ttft_ms=200, ms_per_token=10, stall_s=7)}))
    await stream(lab, "/v1/chat/completions")
    output = lab.sim.invoice.lines[0].tokens.output
    assert sum(slept) == pytest.approx(0.2 + 0.01 * output + 7)
    assert slept[0] == 0.2
    assert len(slept) >= output
    slept.clear()
    await lab.chat("hello")
    assert slept == [pytest.approx(0.2 + 0.01 * output + 7)]


async def test_a_client_that_leaves_pays_for_what_was_sent(lab):
    lab.sim.control(Control(faults={"*": Faults(ms_per_token=5)}))
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    headers = {"authorization": "Bearer k"}
    async with lab.session.post(f"{lab.sim.openai_url}/chat/completions", json=body, headers=headers) as reply:
        await reply.content.readuntil(b"\n\n")
        await reply.content.readuntil(b"\n\n")
        reply.close()
    while not lab.sim.invoice.lines:
        await lab.invoice()
    line = lab.sim.invoice.lines[0]
    assert not line.complete
    lab.sim.control(Control(reset=True))
    await lab.chat("hello")
    assert line.tokens.output < lab.sim.invoice.lines[1].tokens.output


async def test_rate_limits_by_requests_and_tokens(lab):
    lab.sim.control(Control(faults={"gpt-4o": Faults(rpm=2), "claude-haiku-4-5": Faults(tpm=400)}))
    replies = [await lab.chat() for _ in range(3)]
    assert [status for status, _, _ in replies] == [200, 200, 429]
    assert replies[0][1]["x-ratelimit-remaining-requests"] == "1"
    assert replies[0][1]["x-ratelimit-reset-requests"] == "30s"
    assert replies[2][1]["retry-after"] in ("30", "31")
    assert replies[2][1]["retry-after-ms"] == "30000"
    long = "word " * 300
    first, second = [await lab.message(long, model="claude-haiku-4-5") for _ in range(2)]
    assert (first[0], second[0]) == (200, 429)
    assert second[2]["error"]["type"] == "rate_limit_error"
    assert int(second[1]["retry-after"]) > 0
    lab.sim.control(Control(clock=1_750_000_000 + 3600))
    assert (await lab.message(long, model="claude-haiku-4-5"))[0] == 200
    assert (await lab.chat())[0] == 200


async def test_a_429_on_demand_with_and_without_a_wait(lab):
    lab.sim.control(Control(faults={"*": Faults(p_limited=1, retry_after_ms=2000)}))
    status, headers, reply = await lab.chat()
    assert (status, reply["error"]["code"]) == (429, "rate_limit_exceeded")
    assert headers["retry-after-ms"] == "2000"
    status, headers, reply = await lab.message()
    assert (status, reply["error"]["type"], headers["retry-after"]) == (429, "rate_limit_error", "2")
    lab.sim.control(Control(faults={"*": Faults(p_limited=1)}, reset=True))
    for ask in (lab.chat, lab.message):
        status, headers, _ = await ask()
        assert status == 429
        assert not [name for name in headers if name.startswith("retry-after")]
    assert lab.sim.invoice.lines == []


async def test_faults_that_strike_only_at_first(lab):
    lab.sim.control(Control(faults={"*": Faults(p_error=1, times=2)}))
    assert [(await lab.chat())[0] for _ in range(3)] == [500, 500, 200]
    assert (await lab.chat("something else"))[0] == 500


async def test_an_error_as_the_first_event_costs_nothing(lab):
    lab.sim.control(Control(faults={"*": Faults(stream_error_after=0)}))
    raw, broke = await stream(lab, "/v1/chat/completions")
    assert ([list(each) for each in events_of(raw)], broke) == ([["error"]], False)
    raw, _ = await stream(lab, "/v1/messages", model="claude-haiku-4-5", max_tokens=400)
    assert [each["type"] for each in events_of(raw)] == ["error"]
    assert lab.sim.invoice.lines == []


async def test_a_stream_that_ends_in_order_but_too_early(lab):
    lab.sim.control(Control(faults={"*": Faults(truncate_after=3)}))
    raw, broke = await stream(lab, "/v1/chat/completions")
    assert (len(events_of(raw)), broke) == (3, False)
    assert (lab.sim.invoice.lines[0].complete, lab.sim.invoice.lines[0].tokens.output) == (False, 2)


async def test_a_stream_with_a_wrong_length(lab):
    lab.sim.control(Control(faults={"*": Faults(wrong_content_length=True)}))
    raw, broke = await stream(lab, "/v1/chat/completions")
    assert raw.endswith(b"data: [DONE]\n\n")
    assert broke
    assert lab.sim.invoice.lines[0].complete
