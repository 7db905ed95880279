"""What OpenAI demands of JSON schemas: of a function's parameters, and of all that shall be kept to strictly. Pure."""

from __future__ import annotations

from farthing.simulator.call import Json, arr, obj
from farthing.simulator.refusals import invalid


def check_top(schema: Json, whose: str, param: str) -> None:
    """Parameters are an object. Raises ``Refusal``."""
    if schema.get("type") != "object":
        got = f"got 'type: \"{schema.get('type')}\"'."
        message = f"Invalid schema for {whose}: schema must be a JSON Schema of 'type: \"object\"', {got}"
        raise invalid(message, code="invalid_function_parameters", param=param)


def check_strict(schema: Json, whose: str, param: str, code: str | None, context: tuple[str, ...] = ()) -> None:
    """Every object lists all its properties as required and allows no others. Raises ``Refusal``."""
    start = f"Invalid schema for {whose}: In context={context},"
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            message = f"{start} 'additionalProperties' is required to be supplied and to be false."
            raise invalid(message, code=code, param=param)
        required = arr(schema.get("required") or [], "required")
        if missing := [name for name in obj(schema.get("properties") or {}, "properties") if name not in required]:
            message = (
                f"{start} 'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{missing[0]}'."
            )
            raise invalid(message, code=code, param=param)
    for way, inner in _inside(schema):
        check_strict(inner, whose, param, code, (*context, *way))


def _inside(schema: Json) -> list[tuple[tuple[str, ...], Json]]:
    """The schemas in a schema, and the way to each."""
    found: list[tuple[tuple[str, ...], Json]] = []
    for group in ("properties", "$defs", "definitions"):
        for name, inner in obj(schema.get(group) or {}, group).items():
            found.append(((group, name), obj(inner, name)))
    if isinstance(schema.get("items"), dict):
        found.append((("items",), obj(schema["items"], "items")))
    for at, inner in enumerate(arr(schema.get("anyOf") or [], "anyOf")):
        found.append((("anyOf", str(at)), obj(inner, "anyOf")))
    return found
