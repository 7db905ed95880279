import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.insight import titles


@pytest.mark.parametrize(
    ("system", "title"),
    [
        ("You are the support assistant of Acme Bank. Be kind.", "support assistant of Acme Bank"),
        ("You are Ada, the assistant of Acme Pay. You answer customers.", "assistant of Acme Pay"),
        ("You sort the incoming tickets of Acme Pay. Choose one.", "sort the incoming tickets of Acme Pay"),
        ("# Airline Agent Policy\n\nThe time is now.", "Airline Agent Policy"),
        ("Please summarise the article; be neutral.", "summarise the article"),
        ("Act as an editor who is strict.", "editor"),
        ("", ""),
    ],
)
def test_a_system_prompt_names_its_type(system, title):
    assert titles.of_system(system) == title


def test_a_head_is_shown_with_dots_for_what_varies():
    assert titles.of_head(("classify", "ticket", "<*>", "of", "today:")) == "classify ticket … of today …"


def test_titles_of_one_template_share_a_name():
    assert titles.common("assistant of Acme Pay", "assistant of Borealis Bank") == "assistant of …"
    assert titles.common("help students of Acme to learn", "help students of North Star to learn") == (
        "help students of … to learn"
    )
    assert titles.common("Evan's companion Sam", "Jo's companion Al") == "companion …"
    assert titles.common("red", "blue") == "red"


@given(st.text(max_size=200))
def test_no_title_is_longer_than_allowed(text):
    assert len(titles.of_system(text)) <= titles.LONGEST
    assert len(titles.shorten(text)) <= titles.LONGEST


WORDS = st.lists(st.sampled_from(["a", "b", "c", "…"]), min_size=1, max_size=6).map(" ".join)


@given(WORDS, WORDS)
def test_a_shared_name_never_grows_nor_vanishes(one, other):
    found = titles.common(one, other)
    assert found
    assert len(found.split()) <= max(len(one.split()), len(other.split()))
