from hypothesis import given
from hypothesis import strategies as st

from farthing.insight.shape import shape_of
from farthing.types import Prompt, Turn

SYSTEM = "You are the support assistant of Acme Bank. Answer from the rules below. Today is 3 May 2024."


def prompt(*turns, system=SYSTEM, **other):
    return Prompt(system, tuple(Turn(role, text) for role, text in turns), **other)


def key(*turns, wire="openai.chat", **other):
    return shape_of(wire, prompt(*turns, **other), keep_example=True).key


def test_all_turns_of_a_chat_are_one_query_type():
    first = ("user", "where is my card")
    later = [first, ("assistant", "on its way"), ("user", "when will it be here"), ("tool", "{}")]
    assert {key(*later[:n]) for n in (1, 2, 3, 4)} == {key(first)}


def test_names_and_dates_in_the_system_prompt_do_not_make_a_new_type_each():
    template = "You are {}'s companion {}. Today is {}. Stay in character and remember everything."
    one = key(("user", "hi"), system=template.format("Evan", "Sam", "10 March 2024"))
    assert one == key(("user", "hi"), system=template.format("Joanna", "Nate", "1 April 2025"))


def test_a_document_behind_the_instructions_does_not_make_a_new_type():
    rules = "Answer from the document. " + "Follow the rules of the house in every answer. " * 10
    assert key(system=rules + "\n" + "alpha " * 500) == key(system=rules + "\n" + "beta " * 900)


def test_other_instructions_or_another_format_are_another_type():
    keys = {
        key(("user", "x")),
        key(("user", "x"), system="Classify the ticket. Answer with one word."),
        key(("user", "x"), response_format="json_schema"),
        key(("user", "x"), wire="openai.embeddings"),
    }
    assert len(keys) == 4


def test_one_feature_over_two_apis_is_one_type():
    assert key(("user", "x")) == key(("user", "x"), wire="anthropic.messages") == key(wire="openai.responses")


def test_a_set_of_tools_tells_apart_what_has_no_system_prompt():
    assert key(system="", tools=("a", "b")) == key(system="", tools=("b", "a")) != key(system="", tools=("a",))


def test_a_generic_system_prompt_is_as_none():
    assert key(("user", "x"), system="You are a helpful assistant.") == key(("user", "x"), system="")


def test_the_head_is_the_beginning_of_the_first_user_message():
    turns = [("user", "Classify this ticket:\nmy card"), ("assistant", "card"), ("user", "and this one")]
    assert shape_of("openai.chat", prompt(*turns, system=""), keep_example=True).head == ("classify", "this", "ticket:")
    assert shape_of("openai.chat", prompt(*turns, ("tool", "42")), keep_example=True).head == ("<tool>",)


def test_without_examples_nothing_the_user_wrote_and_no_name_is_kept():
    shape = shape_of("openai.chat", prompt(("user", "my name is Rumpelstiltskin")), keep_example=False)
    assert shape.example == ""
    assert "Acme" not in shape.title
    assert "Rumpelstiltskin" not in repr(shape)


def test_an_example_is_the_beginning_of_the_last_question():
    shape = shape_of("openai.chat", prompt(("user", "a"), ("assistant", "b"), ("user", "c" * 500)), keep_example=True)
    assert shape.example == "c" * 240


@given(st.text(max_size=200), st.lists(st.text(max_size=100), max_size=4))
def test_any_prompt_has_a_shape(system, texts):
    shape = shape_of("openai.chat", prompt(*(("user", text) for text in texts), system=system), keep_example=True)
    assert shape.key.startswith("chat::")
    assert len(shape.title) <= 60
    assert len(shape.head) <= 8
