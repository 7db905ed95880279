import subprocess
import sys

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import FakeListLLM

import farthing
from farthing.langchain import FarthingCache, FarthingCallbackHandler
from farthing.langchain.cache import model_of, provider_of, refused
from farthing.langchain.messages import prompt_of_text
from farthing.outside.books import Books
from farthing.policy import Policy
from farthing.policy.model import Cache, Store

QUESTION = "How do I top up my card?"


@pytest.fixture
def cache(books):
    made = FarthingCache(books=books)
    set_llm_cache(made)
    yield made
    set_llm_cache(None)
    assert made.failures == 0


def test_a_repeat_is_not_paid_for_and_its_saving_is_in_the_ledger(sim, cache, openai, books, rows):
    handler = FarthingCallbackHandler(user="ada", feature="search", books=books)
    first = openai().invoke(QUESTION, {"callbacks": [handler]})
    second = openai().invoke(QUESTION, {"callbacks": [handler]})
    assert second.content == first.content
    assert len(sim.invoice.lines) == 1
    hit, miss = rows()
    assert (miss.cache, miss.cost_nano) == ("off", sim.invoice.total_nano_usd)
    assert (hit.cache, hit.cost_nano, hit.baseline_nano) == ("exact", 0, miss.cost_nano)
    assert hit.calls == ()
    assert (hit.caller.user, hit.caller.feature, hit.served_model) == ("ada", "search", miss.served_model)
    assert hit.shape == miss.shape


def test_the_message_comes_back_as_it_was(cache, openai, anthropic):
    for model in (openai(), anthropic()):
        first = model.invoke(QUESTION)
        again = model.invoke(QUESTION)
        usage = {name: value for name, value in again.usage_metadata.items() if name != "total_cost"}
        assert again.model_copy(update={"usage_metadata": usage}) == first


async def test_async_and_without_a_handler(sim, cache, anthropic):
    first = await anthropic().ainvoke(QUESTION)
    assert (await anthropic().ainvoke(QUESTION)).content == first.content
    assert len(sim.invoice.lines) == 1


def test_prompt_and_model_are_both_in_the_key(sim, cache, openai):
    """https://github.com/langchain-ai/langchain-redis/issues/22: one answer for every prompt."""
    models = (openai(), openai(model="gpt-4o"), openai(temperature=0.5), openai().bind(stop=["x"]))
    questions = (QUESTION, "How do I close my account?")
    for model in models:
        for question in questions:
            model.invoke(question)
    assert len(sim.invoice.lines) == len(models) * len(questions)
    for model in models:
        for question in questions:
            model.invoke(question)
    assert len(sim.invoice.lines) == len(models) * len(questions)


def test_what_the_gate_refuses_is_asked_again(sim, cache, openai):
    tool = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
    asked = [
        (openai(), "What is the weather now in Oslo?"),
        (openai(), [("user", "A?"), ("assistant", "B"), ("user", QUESTION)]),
        (openai().bind_tools([{"type": "function", "function": tool}]), QUESTION),
        (openai(n=2), QUESTION),
        (openai(max_tokens=1), QUESTION),
    ]
    for model, question in asked:
        model.invoke(question)
        model.invoke(question)
    assert len(sim.invoice.lines) == 2 * len(asked)


def test_tenants_share_nothing(sim, cache, openai):
    openai().invoke(QUESTION)
    with farthing.tags(tenant="acme"):
        openai().invoke(QUESTION)
        openai().invoke(QUESTION)
    assert len(sim.invoice.lines) == 2


def test_users_share_nothing_where_they_may_not(sim, tmp_path, closing, openai):
    policy = Policy(store=Store(url=f"sqlite:///{tmp_path}/own.db"), cache=Cache(scope="user"))
    cache = FarthingCache(books=Books(policy, {}))
    for user in ("ada", "ada", "bob"):
        with farthing.tags(user=user):
            openai(cache=cache).invoke(QUESTION)
    assert len(sim.invoice.lines) == 2


def test_clear_forgets_this_tenant_s_answers(sim, cache, openai, books):
    openai().invoke(QUESTION)
    other = FarthingCache(books=books, tenant="acme")
    openai(cache=other).invoke(QUESTION)
    cache.clear()
    openai(cache=other).invoke(QUESTION)
    assert len(sim.invoice.lines) == 2
    openai().invoke(QUESTION)
    assert len(sim.invoice.lines) == 3


def test_an_answer_expires(sim, tmp_path, closing, openai):
    policy = Policy(store=Store(url=f"sqlite:///{tmp_path}/short.db"), cache=Cache(ttl="1ms"))
    cache = FarthingCache(books=Books(policy, {}))
    for _ in range(2):
        openai(cache=cache).invoke(QUESTION)
    assert len(sim.invoice.lines) == 2


def test_a_cache_that_is_off_answers_nothing(sim, tmp_path, closing, openai):
    policy = Policy(store=Store(url=f"sqlite:///{tmp_path}/off.db"), cache=Cache(exact=False))
    cache = FarthingCache(books=Books(policy, {}))
    for _ in range(2):
        openai(cache=cache).invoke(QUESTION)
    assert len(sim.invoice.lines) == 2


def test_a_cache_that_fails_is_a_miss(sim, books, openai, monkeypatch):
    cache = FarthingCache(books=books)

    def fail():
        raise OSError("the disk is gone")

    monkeypatch.setattr(books, "seat", fail)
    assert openai(cache=cache).invoke(QUESTION).content
    assert cache.failures == 2


def test_another_s_cache_is_no_call_either(sim, openai, books, rows):
    model = openai(cache=InMemoryCache())
    config = {"callbacks": [FarthingCallbackHandler(books=books)]}
    model.invoke(QUESTION, config)
    model.invoke(QUESTION, config)
    (row,) = rows()
    assert row.cost_nano == sim.invoice.total_nano_usd


def test_models_without_messages_do_not_say_how_they_ended(cache):
    model = FakeListLLM(responses=["one", "two"])
    assert [model.invoke(QUESTION), model.invoke(QUESTION)] == ["one", "two"]


ANOTHER = """
import sys
from langchain_core.globals import set_llm_cache
from langchain_openai import ChatOpenAI
import farthing
from farthing.langchain import FarthingCache
from farthing.outside.books import Books
from farthing.policy import Policy, Store

url, store, question = sys.argv[1:]
set_llm_cache(FarthingCache(books=Books(Policy(store=Store(url=store)), {})))
print(ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key="sk-sim", max_retries=0).invoke(question).content)
farthing.close()
"""


def test_processes_share_it(sim, cache, openai, books):
    first = openai().invoke(QUESTION).content
    books.seat().runtime.answers.flush()
    command = [sys.executable, "-c", ANOTHER, sim.openai_url, books.policy.store.url, QUESTION]
    another = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (another.stdout.strip(), another.stderr) == (first, "")
    assert len(sim.invoice.lines) == 1


@pytest.mark.parametrize(
    ("llm_string", "model", "provider"),
    [
        ('{"id": ["langchain", "chat_models", "openai", "ChatOpenAI"], "kwargs": {"model_name": "gpt-4o"}}---[]',
         "gpt-4o", "openai"),
        ('{"id": ["langchain", "chat_models", "anthropic", "ChatAnthropic"], "kwargs": {"model": "claude-x"}}---[]',
         "claude-x", "anthropic"),
        ("[('model', 'claude-x')]", "claude-x", "anthropic"),
        ("[]", None, "openai"),
    ],
)  # fmt: skip
def test_whose_model_it_is(llm_string, model, provider):
    assert (model_of(llm_string), provider_of(llm_string)) == (model, provider)


@pytest.mark.parametrize(
    ("llm_string", "reason"),
    [
        ("[('tools', [{'type': 'function'}])]", "tools"),
        ("[('tools', [])]", None),
        ("[('tools', None)]", None),
        ('{"kwargs": {"tools": [{"a": 1}]}}', "tools"),
        ("[('previous_response_id', 'resp_1')]", "state_elsewhere"),
        ("[('web_search_options', {'a': 1})]", "web_search"),
        ("[('model', 'gpt-4o-search-preview')]", "web_search"),
    ],
)
def test_what_the_settings_of_a_model_forbid(llm_string, reason):
    assert refused(QUESTION, llm_string, prompt_of_text(QUESTION)) == reason
