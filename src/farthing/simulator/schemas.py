"""A minimal instance of a JSON schema: what a model that keeps to the schema might say."""

from __future__ import annotations

from typing import Any, cast

Json = dict[str, Any]
_DEEPEST = 24
_FORMATS = (
    ("date-time", "2026-01-31T12:00:00Z"),
    ("date", "2026-01-31"),
    ("time", "12:00:00Z"),
    ("email", "someone@example.com"),
    ("uri", "https://example.com/"),
    ("uuid", "00000000-0000-4000-8000-000000000000"),
)


def minimal(schema: Json, pick: int, topic: str) -> Any:  # noqa: ANN401 - any JSON value
    """An instance with nothing optional in it. ``pick`` chooses among enums, ``topic`` fills plain strings."""
    return _Filler(schema, pick, topic).value(schema, 0)


class _Filler:
    def __init__(self, root: Json, pick: int, topic: str) -> None:
        self.root = root
        self.pick = pick
        self.topic = topic

    def value(self, schema: Json, depth: int) -> Any:  # noqa: ANN401
        if depth > _DEEPEST:
            return None
        schema = self.resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        if options := schema.get("enum"):
            return options[self.pick % len(options)]
        for word in ("anyOf", "oneOf"):
            if branches := schema.get(word):
                return self.value(self.simplest(branches), depth + 1)
        return self.of_type(schema, depth)

    def of_type(self, schema: Json, depth: int) -> Any:  # noqa: ANN401
        match _type_of(schema):
            case "object":
                properties = cast("dict[str, Json]", schema.get("properties", {}))
                required = cast("list[str]", schema.get("required", []))
                return {name: self.value(properties.get(name, {}), depth + 1) for name in required}
            case "array":
                fewest = max(int(schema.get("minItems", 0)), 0 if depth else 1)
                return [self.value(schema.get("items", {}), depth + 1) for _ in range(fewest)]
            case "integer" | "number" as name:
                return _number(schema, whole=name == "integer")
            case "boolean":
                return self.pick % 2 == 0
            case "null":
                return None
            case _:
                return self.text(schema)

    def resolved(self, schema: Json, depth: int) -> Json:
        """The schema with its ``$ref`` followed and its ``allOf`` merged."""
        if reference := schema.get("$ref"):
            target: Any = self.root
            for step in str(reference).lstrip("#/").split("/"):
                if step:
                    target = target.get(step.replace("~1", "/").replace("~0", "~"), {})
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            chain = cast("Json", target) | rest
            return self.resolved(chain, depth + 1) if depth < _DEEPEST else {"type": "null"}
        merged = dict(schema)
        for part in cast("list[Json]", merged.pop("allOf", [])):
            piece = self.resolved(part, depth + 1)
            properties = {**merged.get("properties", {}), **piece.get("properties", {})}
            required = [*merged.get("required", []), *piece.get("required", [])]
            merged = merged | piece
            if properties:
                merged |= {"properties": properties, "required": list(dict.fromkeys(required))}
        return merged

    def simplest(self, branches: list[Json]) -> Json:
        """The first branch that is not null: an optional field gets a value."""
        return next((branch for branch in branches if branch.get("type") != "null"), branches[0])

    def text(self, schema: Json) -> str:
        for name, example in _FORMATS:
            if schema.get("format") == name:
                return example
        text = self.topic or "text"
        least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 200))
        return text.ljust(least, ".")[:most]


def _type_of(schema: Json) -> str:
    name = schema.get("type")
    if isinstance(name, list):
        names = cast("list[str]", name)
        return next((each for each in names if each != "null"), "null")
    if name is None:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(name)


def _number(schema: Json, *, whole: bool) -> int | float:
    """The least number that is allowed; 1, or the greatest that is allowed, where there is no least."""
    step = 1 if whole else 0.5
    if (least := schema.get("minimum")) is None and (below := schema.get("exclusiveMinimum")) is not None:
        least = below + step
    if least is None:
        most = schema.get("maximum", schema.get("exclusiveMaximum", 1 + step) - step)
        least = min(1, most)
    if multiple := schema.get("multipleOf"):
        least = -(-least // multiple) * multiple
    return int(least) if whole else least
