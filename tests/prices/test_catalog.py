import pytest

from farthing.prices import catalog
from farthing.prices.catalog import Clause, spellings


@pytest.mark.parametrize(
    ("clause", "yes", "no"),
    [
        (Clause("=", "gpt-4o"), "gpt-4o", "gpt-4o-mini"),
        (Clause("^", "gpt-"), "gpt-4o", "my-gpt-4o"),
        (Clause("$", "-latest"), "claude-latest", "latest-claude"),
        (Clause("*", "claude"), "my-claude-3", "gpt"),
        (Clause("~", r"^o[134]"), "o3-mini", "o2"),
        (Clause("|", parts=(Clause("=", "a"), Clause("=", "b"))), "b", "c"),
        (Clause("&", parts=(Clause("^", "a"), Clause("$", "b"))), "axb", "ax"),
    ],
    ids=lambda value: value.op if isinstance(value, Clause) else "",
)
def test_conditions(clause, yes, no):
    assert clause.holds(yes)
    assert not clause.holds(no)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("GPT-4o", ("gpt-4o",)),
        ("gpt-5.2-20251211", ("gpt-5.2-20251211", "gpt-5.2-2025-12-11")),
        ("m-20251399", ("m-20251399",)),
    ],
)
def test_spellings(model, names):
    assert spellings(model) == names


def test_every_model_has_a_standard_price_period():
    """A quote takes its first price from there."""
    for shelf in catalog.load().shelves:
        for model in shelf.entries:
            assert any(period.tier is None for period in model.periods), (shelf.id, model.id)


def test_the_own_list_comes_first():
    found = catalog.load().find("groq", "openai", "llama-3.3-70b-versatile")
    assert found is not None
    assert (found.shelf, found.host, found.borrowed) == ("groq", "groq", False)


def test_a_reseller_may_borrow_its_makers_list():
    found = catalog.load().find("azure", "openai", "gpt-4o")
    assert found is not None
    assert (found.shelf, found.host, found.borrowed) == ("openai", "azure", True)


@pytest.mark.parametrize("model", ["", "/", "a/", "/a", "models/", "openai/openai/", "x" * 300, "/" * 200])
def test_odd_names_find_nothing(model):
    assert catalog.load().find("my-proxy", "openai", model) is None
