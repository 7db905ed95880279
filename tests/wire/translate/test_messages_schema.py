"""JSON Schemas as Anthropic's structured outputs take them."""

import json

import msgspec
import pytest

from farthing.wire.translate.messages_schema import closed, for_tool


def said(schema) -> dict | None:
    found = closed(msgspec.Raw(json.dumps(schema).encode()))
    return None if found is None else json.loads(bytes(found))


def of(**properties) -> dict:
    return {"type": "object", "properties": properties}


def test_every_object_is_closed():
    inner = of(a={"type": "string"})
    found = said(of(x=inner, y={"type": "array", "items": inner}, z={"anyOf": [inner, {"type": "null"}]}))
    closed_inner = inner | {"additionalProperties": False}
    assert found["additionalProperties"] is False
    assert found["properties"]["x"] == closed_inner
    assert found["properties"]["y"]["items"] == closed_inner
    assert found["properties"]["z"]["anyOf"] == [closed_inner, {"type": "null"}]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (
            {"type": "string", "minLength": 2, "description": "d"},
            {"type": "string", "description": "d\n\n{minLength: 2}"},
        ),
        ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}),
        ({"type": "array", "minItems": 2}, {"type": "array", "description": "{minItems: 2}"}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "format": "phone"}, {"type": "string", "description": '{format: "phone"}'}),
        ({"type": "string", "pattern": "^a+$"}, {"type": "string", "pattern": "^a+$"}),
        ({"type": "string", "pattern": "(?=a)"}, {"type": "string", "description": '{pattern: "(?=a)"}'}),
        ({"oneOf": [{"const": 1}, {"enum": ["a"]}]}, {"anyOf": [{"const": 1}, {"enum": ["a"]}]}),
        ({"type": "string", "$comment": "c"}, {"type": "string"}),
        (True, True),
    ],
)
def test_what_the_grammar_has_no_word_for_is_described(value, wanted):
    assert said(of(x=value))["properties"]["x"] == wanted


def test_definitions_are_kept():
    schema = of(x={"$ref": "#/$defs/a", "description": "gone"}) | {"$defs": {"a": of(y={"type": "null"})}}
    found = said(schema)
    assert found["properties"]["x"] == {"$ref": "#/$defs/a"}
    assert found["$defs"]["a"]["additionalProperties"] is False


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        of(x={"type": "object", "additionalProperties": {"type": "string"}}),
        of(x={"type": ["object", "null"]}),
        of(x={"patternProperties": {"a": {}}}),
        of(x={"$ref": "#"}),
        json.loads('{"properties":{"x":' * 400 + "{}" + "}}" * 400),
        of(x={"$ref": "https://example.com/schema"}),
        of(x={"$ref": "#/$defs/a"}) | {"$defs": {"a": of(y={"$ref": "#/$defs/b"}), "b": of(z={"$ref": "#/$defs/a"})}},
    ],
)
def test_what_cannot_be_said(schema):
    assert said(schema) is None


def test_closing_twice_changes_nothing():
    once = said(of(x={"type": "integer", "maximum": 3, "description": "d"}, y=of()))
    assert once is None
    once = said(of(x={"type": "integer", "maximum": 3, "description": "d"}))
    assert said(once) == once


@pytest.mark.parametrize("given", [b"", b"null", b"[]", b'{"type":"object"}', b'{"properties":{"x":{}}}'])
def test_a_tool_takes_an_object(given):
    assert json.loads(bytes(for_tool(msgspec.Raw(given))))["type"] == "object"
