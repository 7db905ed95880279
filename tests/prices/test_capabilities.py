import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.prices import catalog
from farthing.prices.capabilities import FILE, SELLERS, Capabilities, CapabilityBook, load

BOOK = CapabilityBook(catalog.load())


def test_the_data_are_small_and_every_model_has_its_kind():
    data = load()
    assert FILE.stat().st_size < 250_000
    assert set(data.shelves) <= {shelf.id for shelf in catalog.load().shelves}
    assert {place for models in data.shelves.values() for place in models.values()} == set(range(len(data.kinds)))
    assert all(name == name.lower() for models in data.shelves.values() for name in models)
    assert all(name in data.shelves[shelf] for shelf, names in data.house.items() for name in names)


@pytest.mark.parametrize(
    ("provider", "api", "model", "known"),
    [  # by hand, from the providers' own pages
        (
            "openai",
            "openai",
            "gpt-4o",
            {"context": 128_000, "max_output": 16_384, "images": True, "json_schema": "native"},
        ),
        (
            "openai",
            "openai",
            "gpt-5-mini",
            {"thinking": "effort", "sampling": False, "flex": True, "cache_minimum": 1024},
        ),
        ("openai", "openai", "gpt-3.5-turbo", {"images": False, "tools": True, "json_schema": "tool"}),
        ("openai", "openai", "text-embedding-3-small", {"apis": ("embeddings",), "tools": False}),
        ("anthropic", "anthropic", "claude-haiku-4-5", {"cache_minimum": 4096, "thinking": "budget", "flex": False}),
        (
            "anthropic",
            "anthropic",
            "claude-opus-4-7",
            {"cache_minimum": 2048, "thinking": "adaptive", "sampling": False},
        ),
        ("anthropic", "anthropic", "claude-sonnet-5-5", {"cache_minimum": 512, "max_output": 128_000}),
        ("anthropic", "anthropic", "claude-3-5-sonnet-20241022", {"max_output": 8_192, "json_schema": "tool"}),
        ("gemini", "openai", "gemini-2.5-flash", {"audio": True, "batch": True, "tools": True}),
    ],
)
def test_what_is_known_of_a_model(provider, api, model, known):
    found = BOOK.find(provider, api, model)
    assert {key: getattr(found, key) for key in known} == known
    assert found.source


@pytest.mark.parametrize(
    ("provider", "model", "same_as"),
    [
        ("openai", "GPT-4o", ("openai", "gpt-4o")),
        ("openai", "gpt-5-mini-2099-01-01", ("openai", "gpt-5-mini")),
        ("anthropic", "claude-haiku-4-5-20991231", ("anthropic", "claude-haiku-4-5")),
        ("gemini", "models/gemini-2.5-flash", ("gemini", "gemini-2.5-flash")),
        ("openrouter", "anthropic/claude-haiku-4.5", ("anthropic", "claude-haiku-4-5")),
        ("openrouter", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("mine", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", ("anthropic", "claude-haiku-4-5")),
    ],
)
def test_a_model_is_known_by_its_other_names(provider, model, same_as):
    found, other = BOOK.find(provider, "openai", model), BOOK.find(same_as[0], "openai", same_as[1])
    for key in ("max_output", "tools", "images", "json_schema", "thinking"):
        assert getattr(found, key) == getattr(other, key), key


def test_what_depends_on_the_seller_is_not_taken_from_the_maker():
    found = BOOK.find("openrouter", "openai", "openai/gpt-4o")
    assert {key: getattr(found, key) for key in SELLERS} == dict.fromkeys(SELLERS)


def test_settings_say_whose_list_holds():
    book = CapabilityBook(catalog.load(), sellers={"work": "azure"})
    assert "azure/gpt-4o" in (book.find("work", "openai", "gpt-4o").source or "")


def test_an_unknown_model_is_unknown_and_a_priced_one_has_its_window():
    assert BOOK.find("openai", "openai", "nosuch") == Capabilities()
    assert BOOK.find("openai", "openai", "") == Capabilities()


@given(st.text(max_size=300), st.sampled_from(["openai", "bedrock", "mine", "openrouter"]))
def test_no_name_is_too_strange(model, provider):
    assert BOOK.find(provider, "openai", model).context != 0
