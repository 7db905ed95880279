import pytest

from farthing.simulator.schemas import minimal


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "late card"),
        ({"enum": ["a", "b", "c"]}, "b"),
        ({"const": 7}, 7),
        ({"type": ["string", "null"]}, "late card"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": 0}, 0),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"type": "integer", "minimum": 3, "multipleOf": 5}, 5),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": "array", "items": {"type": "null"}}, [None]),
        ({"type": "object", "properties": {"a": {}, "b": {"type": "null"}}, "required": ["b"]}, {"b": None}),
        ({"anyOf": [{"type": "null"}, {"const": 1}]}, 1),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"const": 2}}}, 2),
        ({"allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"type": "object"}]}, {"a": 1}),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "string", "minLength": 12, "maxLength": 12}, "late card..."),
    ],
)
def test_a_minimal_instance(schema, value):
    assert minimal(schema, 1, "late card") == value


def test_a_schema_that_contains_itself_ends():
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert "next" in minimal(node, 0, "x")
