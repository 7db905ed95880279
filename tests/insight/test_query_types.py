import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.insight import query_types
from farthing.insight.query_types import Miner
from farthing.insight.shape import shape_of
from farthing.types import Prompt, Turn

WIRE = "openai.chat"


def shape(system="", user="hello", wire=WIRE, **other):
    return shape_of(wire, Prompt(system, (Turn("user", user),), **other), keep_example=True)


def assign(miner, *args, **other):
    return miner.assign(other.get("wire", WIRE), shape(*args, **other))


def test_free_questions_under_one_system_prompt_are_one_type():
    miner = Miner()
    system = "You are the support assistant of Acme Bank. Be kind."
    ids = {assign(miner, system, f"{word} question about everything") for word in ("why", "when", "please", "send")}
    assert len(ids) == 1
    assert miner.names()[ids.pop()] == "support assistant of Acme Bank"


def test_two_tasks_are_two_types():
    miner = Miner()
    assert assign(miner, "Translate the text to German.") != assign(miner, "Summarise the text in a line.")


def test_without_a_system_prompt_recurring_beginnings_are_types():
    miner = Miner()
    for n in range(40):
        tickets = assign(miner, user=f"Classify this ticket:\nword {chr(97 + n % 26)} came")
        articles = assign(miner, user=f"Summarise the following {'abcdefgh'[n % 8]} text")
        questions = assign(miner, user="what is the capital of that country")
    assert len({tickets, articles, questions}) == 3
    names = miner.names()
    assert names[tickets] == "classify this ticket …"
    assert names[articles].startswith("summarise the following")
    assert names[questions] == "free questions"


def test_a_generic_system_prompt_with_tools_is_a_type_of_its_own():
    miner = Miner()
    ids = {assign(miner, "You are a helpful assistant.", user, tools=("refund",)) for user in ("hello you", "send it")}
    assert len(ids) == 1
    assert "refund" in miner.names()[ids.pop()]


def test_tools_chosen_anew_for_each_request_do_not_flood_the_types():
    miner = Miner()
    ids = {assign(miner, tools=(f"tool_{n}", "search")) for n in range(100)}
    assert len(ids) == query_types.EAGER + 1


def test_a_template_that_begins_like_a_question_is_found_by_more_words():
    miner = Miner()
    ids = [
        assign(miner, user=f"You are given a Python function and an assertion {'abcdefgh'[n % 8]}") for n in range(30)
    ]
    assert miner.names()[ids[-1]] == "you are given a … function and an …"


def test_facts_woven_into_a_system_prompt_do_not_flood_the_types():
    miner = Miner()
    words = [f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"]
    ids = [assign(miner, f"You help a customer of the bank. The customer likes {word} most.") for word in words]
    assert len(set(ids)) == query_types.EAGER + 1
    assert len(set(ids[query_types.EAGER :])) == 1


def test_a_late_text_of_a_family_that_recurs_gets_its_own_type():
    miner = Miner()
    for n in range(query_types.EAGER + 5):
        rest = assign(miner, f"You work for the bank. Do task {'abcdefghijklmnopqrstuvwxyz'[n]} now.")
    ids = [assign(miner, "You work for the bank. Write the newsletter.") for _ in range(query_types.RECURS + 1)]
    assert ids[0] == rest
    assert ids[-1] != rest
    assert len(set(ids)) == 2


def test_the_number_of_types_is_bounded(monkeypatch):
    monkeypatch.setattr(query_types, "MOST_FAMILIES", 5)
    miner = Miner()
    ids = [assign(miner, f"Write about {word} please.") for word in "abcdefghijklmnopqrstuvwxyz"]
    assert len(set(ids)) == 6
    assert miner.names()[ids[-1]] == "other chat requests"


def test_embeddings_are_one_type():
    miner = Miner()
    ids = {assign(miner, user=f"Some text {word}", wire="openai.embeddings") for word in "abcdef"}
    assert [miner.names()[id_] for id_ in ids] == ["embeddings"]


def test_names_leave_out_what_differs_between_tenants():
    miner = Miner()
    ids = {assign(miner, f"You write the morning digest of {name}. Be neutral.") for name in ("Acme Pay", "Cobalt Co")}
    assert [miner.names()[id_] for id_ in ids] == ["write the morning digest of …"]


def test_names_are_unique():
    miner = Miner()
    for rest in ("Answer in German words.", "Answer with a table."):
        assign(miner, f"You are the clerk. {rest}")
    assert sorted(miner.names().values()) == ["clerk", "clerk (2)"]


def test_a_dump_that_is_none_is_refused():
    with pytest.raises(ValueError, match="not a dump of query types"):
        Miner.load(b"\xff nonsense")


SHAPES = st.builds(
    shape,
    st.sampled_from(
        ["", "You are a helpful assistant.", "Translate this.", "You are Ada. Be kind.", "You are Bo. Sing."]
    ),
    st.sampled_from(["Classify this: a", "Write a poem about it", "what is it", "hello there"]),
)


@given(st.lists(SHAPES, max_size=120), st.integers(0, 120))
def test_a_restart_in_the_middle_changes_nothing(shapes, cut):
    whole, first = Miner(), Miner()
    expected = [whole.assign(WIRE, one) for one in shapes]
    found = [first.assign(WIRE, one) for one in shapes[:cut]]
    second = Miner.load(first.dump())
    found += [second.assign(WIRE, one) for one in shapes[cut:]]
    assert found == expected
    assert second.names() == whole.names()


@given(st.lists(SHAPES, min_size=1, max_size=60))
def test_every_id_has_a_name(shapes):
    miner = Miner()
    ids = {miner.assign(WIRE, one) for one in shapes}
    names = miner.names()
    assert ids == set(names)
    assert len(set(names.values())) == len(names)
