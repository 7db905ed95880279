import asyncio

import anthropic as anthropic_sdk
import openai as openai_sdk
import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration
from tests.neighbours import spent

import farthing
from farthing.langchain import FarthingCallbackHandler
from farthing.langchain.handler import from_cache, labels

LONG = "You answer briefly. " * 1200
SYSTEM = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]


def test_every_call_costs_what_the_provider_bills(sim, openai, anthropic, books, rows):
    handler = FarthingCallbackHandler(user="ada", feature="search", books=books)
    config = {"callbacks": [handler], "tags": ["beta"], "metadata": {"team": "red", "session_id": "s1"}}
    messages = [("system", LONG), ("user", "How do I top up my card?")]
    openai().invoke(messages, config)
    openai().invoke(messages, config)  # reads the provider's cache
    openai(model="gpt-4o").invoke("Why?", config)
    for _ in range(2):  # writes, then reads it
        anthropic().invoke([("system", SYSTEM), ("user", "And how do I pay?")], config)
    found = rows()
    assert len(found) == 5
    assert spent(found) == sim.invoice.total_nano_usd
    assert {call.cost_source for row in found for call in row.calls} == {"usage"}
    usage = [row.calls[0].usage for row in reversed(found)]
    assert usage[1].cache_read > 0
    assert usage[3].cache_write_5m > 0
    assert usage[4].cache_read == usage[3].cache_write_5m
    row = found[0]
    assert (row.caller.user, row.caller.feature, row.caller.session, row.provider, row.status) == (
        "ada",
        "search",
        "s1",
        "anthropic",
        200,
    )
    assert dict(row.caller.tags) == {"beta": "", "team": "red"}
    assert row.wire == "anthropic.messages"
    assert row.calls[0].model == "claude-haiku-4-5"


async def test_streams_too(sim, openai, anthropic, books, rows):
    config = {"callbacks": [FarthingCallbackHandler(books=books)]}
    for model in (openai(stream_usage=True), anthropic()):
        assert [chunk async for chunk in model.astream("How do I pay?", config)]
        assert list(model.stream("How do I pay abroad?", config))
    found = await asyncio.to_thread(rows)
    assert len(found) == 4
    assert spent(found) == sim.invoice.total_nano_usd
    assert all(row.stream and row.calls[0].ttft_us is not None for row in found)
    assert {call.cost_source for row in found for call in row.calls} == {"usage"}


def test_a_stream_without_usage_is_estimated(openai, books, rows):
    list(openai(stream_usage=False).stream("How?", {"callbacks": [FarthingCallbackHandler(books=books)]}))
    (row,) = rows()
    assert row.calls[0].cost_source == "estimated"
    assert row.cost_nano > 0


@pytest.mark.parametrize("reasons", [{"p_overloaded": 1.0}, {"p_error": 1.0}])
def test_errors_cost_nothing_and_are_named(sim, openai, anthropic, books, rows, reasons):
    from farthing.simulator import Control, Faults

    sim.control(Control(faults={"*": Faults(**reasons)}))
    config = {"callbacks": [FarthingCallbackHandler(books=books)]}
    with pytest.raises(openai_sdk.APIStatusError) as raised:
        openai().invoke("How?", config)
    with pytest.raises(anthropic_sdk.APIStatusError):
        anthropic().invoke("How?", config)
    first, second = reversed(rows())
    assert (first.status, first.cost_nano, second.cost_nano) == (raised.value.status_code, 0, 0)
    assert first.error
    assert second.error


def test_nobody_there_is_free_and_what_is_not_known_is_not(openai, books, rows):
    config = {"callbacks": [FarthingCallbackHandler(books=books)]}
    with pytest.raises(openai_sdk.APIConnectionError):
        openai(base_url="http://127.0.0.1:1/v1").invoke("How?", config)
    with pytest.raises(ValueError, match="expected"):
        _fails(config)
    last, first = rows()
    assert (first.status, first.error, first.cost_nano) == (None, "upstream_unreachable", 0)
    assert (last.error, last.cost_nano) == ("internal_error", None)


def _fails(config):
    from langchain_core.language_models import FakeListChatModel

    class Broken(FakeListChatModel):
        def _call(self, *_args, **_kwargs):
            raise ValueError("as expected")

    Broken(responses=["x"]).invoke("How?", config)


def test_tags_around_the_call_and_those_of_the_handler(openai, books, rows):
    with farthing.tags(user="bob", tenant="acme", team="blue"):
        openai().invoke("How?", {"callbacks": [FarthingCallbackHandler(user="ada", books=books)]})
    (row,) = rows()
    assert (row.caller.tenant, row.caller.user, dict(row.caller.tags)) == ("acme", "ada", {"team": "blue"})


def test_tools_count(sim, openai, books, rows):
    tool = {
        "name": "weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    model = openai().bind_tools([{"type": "function", "function": tool}], tool_choice="any")
    answer = model.invoke("What is the weather in Oslo?", {"callbacks": [FarthingCallbackHandler(books=books)]})
    assert answer.tool_calls
    assert spent(rows()) == sim.invoice.total_nano_usd


def test_what_came_from_a_cache_is_no_call():
    def generation(**usage):
        return ChatGeneration(message=AIMessage("x", usage_metadata=usage or None))

    counts = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    assert from_cache([generation(**counts, total_cost=0)])
    assert not from_cache([generation(**counts)])
    assert not from_cache([generation()])
    assert not from_cache([])


def test_langchain_s_own_labels_are_none():
    metadata = {"ls_provider": "openai", "lc_versions": {}, "langgraph_node": "x", "thread_id": "t", "n": 5, "a": "b"}
    assert labels(["x"], metadata) == {
        "helicone-property-x": "",
        "x-farthing-session": "t",
        "helicone-property-a": "b",
    }
    assert labels(None, {}) == {}
