import asyncio
from datetime import UTC, datetime

import openai
import pytest
from tests.neighbours import spent

from farthing.litellm import FarthingLogger
from farthing.simulator import Control, Faults

import litellm  # isort: skip - after farthing.litellm, which tells it to stay off the network
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER  # isort: skip

QUESTION = [{"role": "user", "content": "How do I top up my card?"}]
SYSTEM = [{"type": "text", "text": "You answer briefly. " * 1200, "cache_control": {"type": "ephemeral"}}]
CACHED = [{"role": "system", "content": SYSTEM}, *QUESTION]


@pytest.fixture
async def logger(books):
    litellm.callbacks = []
    await GLOBAL_LOGGING_WORKER.flush()  # what earlier tests have left
    made = FarthingLogger(books=books)
    litellm.callbacks = [made]
    yield made
    litellm.callbacks = []
    litellm.cache = None
    for kept in (litellm.success_callback, litellm.failure_callback):
        kept.clear()
    for kept in (litellm._async_success_callback, litellm._async_failure_callback, litellm.input_callback):
        kept.clear()


@pytest.fixture
def asks(sim):
    openai = {"model": "openai/gpt-4o-mini", "api_base": sim.openai_url, "messages": QUESTION}
    anthropic = {"model": "anthropic/claude-haiku-4-5", "api_base": sim.url, "messages": CACHED}
    common = {"api_key": "sk-sim", "max_retries": 0}
    return openai | common, anthropic | common


async def test_every_call_costs_what_the_provider_bills(sim, logger, asks, rows):
    chat, anthropic = asks
    metadata = {"feature": "search", "team": "red", "tags": ["beta"]}
    await litellm.acompletion(**chat, user="ada", metadata=metadata)
    for _ in range(2):  # writes the provider's cache, then reads it
        await litellm.acompletion(**anthropic)
    async for _ in await litellm.acompletion(**chat, stream=True, stream_options={"include_usage": True}):
        pass
    async for _ in await litellm.acompletion(**anthropic, stream=True):
        pass
    await litellm.aembedding("openai/text-embedding-3-small", input=["x"], api_base=sim.openai_url, api_key="sk-sim")
    await until(logger, 6)
    found = list(reversed(await asyncio.to_thread(rows)))
    assert spent(found) == sim.invoice.total_nano_usd
    assert {call.cost_source for row in found for call in row.calls} == {"usage"}
    first, writing, reading, stream, other, embedding = found
    assert (first.caller.user, first.caller.feature) == ("ada", "search")
    assert dict(first.caller.tags) == {"team": "red", "beta": ""}
    assert writing.calls[0].usage.cache_write_5m == reading.calls[0].usage.cache_read > 0
    assert stream.stream
    assert stream.calls[0].ttft_us is not None
    assert other.wire == "anthropic.messages"
    assert embedding.wire == "openai.embeddings"


async def until(logger, count):
    """LiteLLM tells its loggers when it has time: in a task, which is no one's to wait for."""
    async with asyncio.timeout(60):
        while len(logger._told) < count:
            await asyncio.sleep(0.01)


async def test_a_usage_that_litellm_made_up_is_an_estimate(logger, asks, rows):
    async for _ in await litellm.acompletion(**asks[0], stream=True):
        pass
    await until(logger, 1)
    (row,) = await asyncio.to_thread(rows)
    assert row.calls[0].cost_source == "estimated"
    assert row.cost_nano > 0


def test_synchronous_calls_are_told_once(sim, logger, asks, rows):
    for ask in asks:
        litellm.completion(**ask)
        list(litellm.completion(**ask, stream=True, stream_options={"include_usage": True}))
    asyncio.run(until(logger, 4))
    assert spent(rows()) == sim.invoice.total_nano_usd


async def test_failures_cost_nothing(sim, logger, asks, rows):
    sim.control(Control(faults={"*": Faults(p_overloaded=1.0)}))
    for ask in asks:
        with pytest.raises(openai.APIError):
            await litellm.acompletion(**ask)
    with pytest.raises(openai.APIError):
        await litellm.acompletion(**asks[0] | {"api_base": "http://127.0.0.1:1/v1"})
    await until(logger, 3)
    found = await asyncio.to_thread(rows)
    assert [row.cost_nano for row in found] == [0, 0, 0]
    assert all(row.error and row.status >= 500 for row in found)


def test_litellm_s_own_cache_is_a_saving_of_its_own(logger, rows):
    """As LiteLLM tells it; its cache itself needs more packages than it says."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    reply = {"model": "gpt-4o-mini", "usage": usage, "choices": [{"finish_reason": "stop", "message": {}}]}
    start = datetime.now(UTC)
    for call, hit in (("1", False), ("2", True), ("2", True)):
        about = {"call_type": "completion", "model": "gpt-4o-mini", "custom_llm_provider": "openai"}
        logger.log_success_event(about | {"cache_hit": hit, "litellm_call_id": call}, reply, start, start)
    hit, miss = rows()
    assert miss.cost_nano == 1000 * 150 + 100 * 600
    assert (hit.cache, hit.cost_nano, hit.baseline_nano, hit.calls) == ("exact", 0, miss.cost_nano, ())
    assert dict(hit.saved) == {"litellm": miss.cost_nano}


def test_what_cannot_be_read_fails_no_call(logger, rows, caplog):
    logger.log_failure_event({"litellm_call_id": "1"}, None, None, None)
    assert "is not in the ledger" in caplog.text
