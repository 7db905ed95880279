from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.key import NOT_IN_KEY, Partition, recall_key

ACME = Partition(tenant="acme", credential=b"digest of a key", provider="openai")
BODY: dict[str, object] = {
    "model": "gpt-4o",
    "messages": [{"role": "system", "content": "You sell boats."}, {"role": "user", "content": "How deep is a keel?"}],
    "temperature": 0.5,
    "top_p": 1,
    "seed": 7,
    "n": 1,
    "stop": ["END"],
    "max_tokens": 100,
    "logit_bias": {"50256": -100},
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "depth", "schema": {"type": "object"}}},
    "tools": [{"type": "function", "function": {"name": "measure"}}],
    "tool_choice": "none",
}


def key(body: object = BODY, partition: Partition = ACME, wire: str = "openai.chat") -> bytes:
    return recall_key(partition, wire, json.dumps(body).encode())


def test_key_covers_every_answer_changing_field():
    keys = {key()}
    for field in BODY:
        keys.add(key(BODY | {field: "something else"}))
        keys.add(key({name: value for name, value in BODY.items() if name != field}))
    assert len(keys) == 1 + 2 * len(BODY)
    assert key(BODY | {"a_field_of_tomorrow": True}) not in keys
    assert key(wire="openai.responses") not in keys


@pytest.mark.parametrize("field", sorted(NOT_IN_KEY))
def test_what_cannot_change_the_answer_is_not_in_the_key(field):
    assert key(BODY | {field: "x"}) == key()


@pytest.mark.parametrize("field", sorted(NOT_IN_KEY))
def test_only_at_the_top(field):
    assert key(BODY | {"extra": {field: "x"}}) != key(BODY | {"extra": {}})


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "globex"},
        {"credential": b"digest of another key"},
        {"provider": "groq"},
        {"user": "ann"},
        {"namespace": "kb-2"},
        {"headers": (("anthropic-beta", "context-1m"),)},
    ],
)
def test_no_answer_crosses_tenants(other):
    assert key(partition=msgspec.structs.replace(ACME, **other)) != key()


def test_fields_of_a_partition_do_not_run_into_each_other():
    one = msgspec.structs.replace(ACME, user="ann", namespace=None)
    two = msgspec.structs.replace(ACME, user=None, namespace="ann")
    assert key(partition=one) != key(partition=two)


def test_identical_repeat_always_hits():
    assert key() == key()
    turned = dict(reversed(BODY.items()))
    assert recall_key(ACME, "openai.chat", json.dumps(turned, indent=3).encode()) == key()
    assert key(BODY | {"top_p": 1.0}) == key(BODY | {"top_p": 1})
    assert recall_key(ACME, "w", b'{"a": 1e0}') == recall_key(ACME, "w", b'{"a": 1}')
    assert recall_key(ACME, "w", b'{"a":1,"a":2}') == recall_key(ACME, "w", b'{"a":2}')
    assert recall_key(ACME, "w", b'{"a":"\\u00e9"}') == recall_key(ACME, "w", '{"a":"é"}'.encode())


def test_cache_markers_are_not_content():
    def body(marker: dict[str, object]) -> object:
        return {
            "system": [{"type": "text", "text": "Long.", **marker}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", **marker}]}],
            "tools": [{"name": "t", "input_schema": {"type": "object", "properties": {}}, **marker}],
        }

    assert key(body({"cache_control": {"type": "ephemeral"}})) == key(body({}))


def test_a_cache_marker_of_the_app_s_own_data_is_content():
    def body(properties: object) -> object:
        return {"messages": [], "tools": [{"name": "t", "input_schema": {"properties": properties}}]}

    assert key(body({"cache_control": {"type": "string"}})) != key(body({}))


def test_what_is_not_json_has_no_key():
    for body in (b"", b"{", b'{"a": 1e999}', b'{"a":"\\ud800"}'):
        with pytest.raises(msgspec.DecodeError):
            recall_key(ACME, "openai.chat", body)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from(["model", "messages", "temperature", "input"]) | st.text(), values, max_size=4)


def canonical(value: object) -> object:
    """Equal exactly for the values that must have equal keys: bool is not int, 1.0 is 1."""
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return (isinstance(value, bool), value)


@given(bodies, bodies)
def test_distinct_questions_never_collapse(one, two):
    left, right = ({name: item for name, item in body.items() if name not in NOT_IN_KEY} for body in (one, two))
    if key(one) == key(two):
        assert canonical(left) == canonical(right)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.data())
def test_any_other_character_is_another_question(text, data):
    place = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda drawn: drawn != text[place]))
    other = text[:place] + char + text[place + 1 :]
    assert key({"messages": [{"role": "user", "content": text}]}) != key(
        {"messages": [{"role": "user", "content": other}]}
    )
