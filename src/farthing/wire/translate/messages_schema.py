"""JSON Schemas as Anthropic's structured outputs take them.

Every object is closed (``additionalProperties: false``); ``oneOf`` becomes ``anyOf``; limits that its grammar has no
words for (lengths, ranges, numbers of items …) move into the description, where the model still reads them. Objects
with free keys, schemas that contain themselves and schemas kept elsewhere cannot be said at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from farthing.wire.reading import Json, Value, lenient, loads, mapping

ANY_OBJECT = msgspec.Raw(b'{"type":"object","properties":{}}')
_KEPT = frozenset(("type", "enum", "const", "required", "description", "title", "default"))
_SILENT = frozenset(("$schema", "$id", "$comment", "additionalProperties"))
"""Say nothing about the value, or are said anew."""
_FORMATS = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"))
_NAMED = ("$defs", "definitions", "properties")
_LISTED = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
_HARD = re.compile(r"\(\?[=!<]|\\[bB1-9]")
"""Looking around, word borders and back references are no part of the grammar's patterns."""


class _Kind(msgspec.Struct):
    type: Any = None


_KIND = msgspec.json.Decoder(_Kind)


def for_tool(schema: msgspec.Raw | None) -> msgspec.Raw:
    """The schema of a tool's input, which has to be of type ``object``."""
    found = None if schema is None else lenient(_KIND, bytes(schema))
    if schema is None or found is None:
        return ANY_OBJECT
    if found.type == "object":
        return schema
    return msgspec.Raw(msgspec.json.encode({"properties": {}} | mapping(loads(bytes(schema))) | {"type": "object"}))


def closed(schema: msgspec.Raw | None) -> msgspec.Raw | None:
    """The schema as structured outputs take it; ``None`` if it cannot be said so."""
    values = mapping(loads(bytes(schema))) if schema is not None else {}
    try:
        if not values or _is_endless(values) or any(_is_free(each) for each in _all(values)):
            return None
        return msgspec.Raw(msgspec.json.encode(_closed(values)))
    except RecursionError:  # nested too deeply for any grammar
        return None


def _all(schema: Json) -> Iterator[Json]:
    """The schema and all schemas within it."""
    yield schema
    inner: list[Value] = [schema.get("items"), schema.get("additionalProperties")]
    for name in _NAMED:
        inner += mapping(schema.get(name)).values()
    for name in _LISTED:
        inner += _list(schema.get(name))
    for each in inner:
        if isinstance(each, dict):
            yield from _all(cast("Json", each))


def _is_free(schema: Json) -> bool:
    """An object whose keys are the model's to choose."""
    rest = schema.get("additionalProperties")
    if (isinstance(rest, dict) and rest) or "patternProperties" in schema:
        return True
    is_object = "object" in (schema.get("type"), *_list(schema.get("type")))
    return is_object and rest is not False and not mapping(schema.get("properties"))


def _is_endless(schema: Json) -> bool:
    """Whether a definition leads back to itself, or out of the schema."""
    known = {f"#/{name}/{key}": each for name in _NAMED[:2] for key, each in mapping(schema.get(name)).items()}
    refs = {at: {str(part["$ref"]) for part in _all(mapping(each)) if "$ref" in part} for at, each in known.items()}
    done: set[str] = set()

    def returns(at: str, trail: frozenset[str]) -> bool:
        if at in trail or at not in refs:
            return True
        found = at not in done and any(returns(to, trail | {at}) for to in refs[at])
        done.add(at)
        return found

    return any(returns(str(part["$ref"]), frozenset()) for part in _all(schema) if "$ref" in part)


def _closed(schema: Json) -> Json:
    if "$ref" in schema:  # beside a reference nothing else is taken but the definitions
        return _each(schema, _NAMED[:2]) | {"$ref": schema["$ref"]}
    kept = _each(schema, _NAMED)
    limits: list[str] = []
    for key, value in schema.items():
        if key in _KEPT or _is_word(key, value):
            kept[key] = value
        elif key in _LISTED:
            kept[_LISTED[key]] = [_closed(mapping(each)) for each in _list(value)]
        elif key == "items" and isinstance(value, dict):
            kept[key] = _closed(cast("Json", value))
        elif key not in _SILENT and key not in _NAMED:
            limits.append(f"{key}: {msgspec.json.encode(value).decode()}")
    if "properties" in schema or "object" in (schema.get("type"), *_list(schema.get("type"))):
        kept["additionalProperties"] = False
    if limits:
        said = f"{kept['description']}\n\n" if kept.get("description") else ""
        kept["description"] = f"{said}{{{', '.join(limits)}}}"
    return kept


def _each(schema: Json, names: tuple[str, ...]) -> Json:
    """The named schemas within a schema, closed."""

    def close(each: Value) -> Value:
        return _closed(cast("Json", each)) if isinstance(each, dict) else each

    return {name: {key: close(each) for key, each in mapping(schema[name]).items()} for name in names if name in schema}


def _is_word(key: str, value: Value) -> bool:
    """Whether the grammar has this limit."""
    match key:
        case "format":
            return value in _FORMATS
        case "pattern":
            return isinstance(value, str) and not _HARD.search(value)
        case "minItems":
            return value in (0, 1)
        case _:
            return False


def _list(value: object) -> list[Value]:
    return cast("list[Value]", value) if isinstance(value, list) else []
