import copy
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.key import NOT_IN_KEY, Partition, canonical
from farthing.levers.recall.semantic.partition import room_of, soften

ACME = Partition(tenant="acme", credential=b"digest of a key", provider="openai")
TURNS = [{"role": "system", "content": "You sell boats."}, {"role": "user", "content": "How deep is a keel?"}]
CHAT = {
    "model": "gpt-4o",
    "messages": TURNS,
    "temperature": 0.5,
    "top_p": 1,
    "seed": 7,
    "stop": ["END"],
    "max_tokens": 100,
    "response_format": {"type": "json_object"},
    "tools": [{"type": "function", "function": {"name": "measure"}}],
    "tool_choice": "none",
}
RESPONSES = {"model": "gpt-4o", "instructions": "You sell boats.", "input": "How deep is a keel?"}
MESSAGES = {
    "model": "claude",
    "system": "You sell boats.",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "How deep is a keel?"}],
}
WIRES = [("openai.chat", CHAT), ("openai.responses", RESPONSES), ("anthropic.messages", MESSAGES)]


def room(body=CHAT, partition=ACME, wire="openai.chat", encoder="static-1"):
    """The partition of a body; ``None`` if only its exact key will do."""
    soft = soften(wire, canonical(json.dumps(body).encode()))
    return soft and room_of(partition, wire, soft.rest, encoder)


def question(body, wire="openai.chat"):
    soft = soften(wire, canonical(json.dumps(body).encode()))
    return soft and soft.question


def saying(text):
    return CHAT | {"messages": [TURNS[0], {"role": "user", "content": text}]}


@pytest.mark.parametrize(("wire", "body"), WIRES)
def test_only_the_last_text_of_the_user_is_matched_softly(wire, body):
    assert question(body, wire) == "How deep is a keel?"
    other = json.loads(json.dumps(body).replace("How deep is a keel?", "Keels: how deep?"))
    assert room(other, wire=wire) == room(body, wire=wire)
    system = json.loads(json.dumps(body).replace("You sell boats.", "You sell cars."))
    assert room(system, wire=wire) != room(body, wire=wire)


@pytest.mark.parametrize(("wire", "body"), WIRES)
def test_an_answer_for_another_model_format_or_temperature_is_never_near(wire, body):
    rooms = {room(body, wire=wire)}
    changed = [name for name in body if name not in {"input", "messages"}]
    rooms |= {room(body | {name: "something else"}, wire=wire) for name in changed}
    rooms |= {room({key: value for key, value in body.items() if key != name}, wire=wire) for name in changed}
    assert len(rooms) == 1 + 2 * len(changed)
    assert room(body | {"a_field_of_tomorrow": 1}, wire=wire) not in rooms


def test_earlier_turns_are_part_of_the_partition():
    """A follow-up means something else after another conversation: its history is compared to the letter."""
    one, two = (
        CHAT | {"messages": [*TURNS, {"role": "assistant", "content": said}, {"role": "user", "content": "And then?"}]}
        for said in ("Two metres.", "Three metres.")
    )
    assert room(one) != room(two)


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "globex"},
        {"credential": b"digest of another key"},
        {"provider": "groq"},
        {"user": "ann"},
        {"namespace": "kb-2"},
        {"headers": ((b"anthropic-beta", b"context-1m"),)},
    ],
)
def test_no_answer_crosses_tenants_by_meaning(other):
    assert room(partition=msgspec.structs.replace(ACME, **other)) != room()


def test_thresholds_and_vectors_never_carry_over_to_another_encoder():
    assert room(encoder="static-2") != room()
    assert room(wire="openai.chat") != room(RESPONSES, wire="openai.responses")


def test_a_text_among_parts_is_the_question_and_the_others_are_not():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    parts = [image, {"type": "text", "text": "What is this?"}]
    body = CHAT | {"messages": [{"role": "user", "content": parts}]}
    assert question(body) == "What is this?"
    other = json.loads(json.dumps(body).replace("base64,AA", "base64,BB"))
    assert room(other) != room(body)
    typed = RESPONSES | {"input": [{"role": "user", "content": [{"type": "input_text", "text": "What is this?"}]}]}
    assert question(typed, "openai.responses") == "What is this?"


@pytest.mark.parametrize(
    "last",
    [
        {"role": "assistant", "content": "Two met"},
        {"role": "tool", "tool_call_id": "c", "content": "2.1"},
        {"role": "user", "content": [{"type": "text", "text": "a document"}, {"type": "text", "text": "Sum it up"}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "2.1"}]},
        {"role": "user", "content": "  "},
        {"role": "user", "content": None},
        {"type": "function_call_output", "call_id": "c", "output": "2.1"},
        "a string",
    ],
)
def test_where_the_last_word_is_not_one_text_of_the_user_only_the_exact_key_will_do(last):
    assert room(CHAT | {"messages": [*TURNS, last]}) is None


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"messages": []},
        {"messages": "Hello"},
        {"messages": {"role": "user"}},
        {"messages": [{"role": "user", "content": [{"type": []}]}]},
    ],
)
def test_odd_bodies_raise_nothing(body):
    assert room(body) is None or question(body) == "Hello"


def test_a_wire_without_questions_has_no_partition():
    assert room({"input": "a text", "model": "m"}, wire="openai.embeddings") is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "user", "text", "a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "text", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
TEXT = st.sampled_from(["a", "b", "where is it?"])
PARTS = st.lists(st.builds(lambda text: {"type": "text", "text": text}, TEXT) | VALUES, max_size=3)
TURN = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.sampled_from(["user", "assistant", "system"]),
    TEXT | PARTS | VALUES,
)
BODY = st.builds(
    lambda turns, extra: {"messages": turns, **extra},
    st.lists(TURN | VALUES, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["model", "temperature", "tools"]), VALUES, max_size=2),
)


def without_the_question(body):
    """By another way: the body with the last turn's only text taken out."""
    rest = {name: value for name, value in copy.deepcopy(body).items() if name not in NOT_IN_KEY}
    last = rest["messages"][-1]
    if isinstance(last["content"], str):
        return rest | {"messages": [*rest["messages"][:-1], {**last, "content": ("gap",)}]}
    for part in last["content"]:
        if isinstance(part, dict) and part.get("type") == "text":
            part["text"] = ("gap",)
    return rest


@given(one=BODY, other=BODY)
def test_bodies_share_a_partition_only_if_they_differ_in_the_question_alone(one, other):
    mine, yours = room(one), room(other)
    if mine is None or yours is None:
        return
    alike = json.dumps(without_the_question(one), sort_keys=True) == json.dumps(
        without_the_question(other), sort_keys=True
    )
    assert (mine == yours) == alike


@given(body=BODY, field=st.sampled_from(["model", "temperature", "tools", "x"]), value=VALUES)
def test_a_change_outside_the_question_changes_the_partition(body, field, value):
    changed = body | {field: value}
    if room(body) is not None and json.dumps(changed, sort_keys=True) != json.dumps(body, sort_keys=True):
        assert room(changed) != room(body)


@given(text=st.text(min_size=1).filter(str.strip))
def test_whatever_the_question_says_the_partition_is_the_same(text):
    assert room(saying(text)) == room()
    assert question(saying(text)) == text


@given(tenants=st.lists(st.text(max_size=8), min_size=2, max_size=2, unique=True))
def test_tenants_never_share_a_partition(tenants):
    rooms = [room(partition=msgspec.structs.replace(ACME, tenant=tenant)) for tenant in tenants]
    assert rooms[0] != rooms[1]
