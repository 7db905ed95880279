"""Reading JSON that others wrote: strict for requests, lenient for everything else."""

from __future__ import annotations

import re
from typing import Any, TypeVar, cast

import msgspec

from farthing.errors import BadRequest

T = TypeVar("T")
Json = dict[str, Any]
Value = Any
"""Any JSON value."""

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
_PLACE = re.compile(r" \(byte (\d+)\)$")
_MISMATCH = re.compile(r"^Expected `(?P<want>.+)`, got `(?P<got>.+?)`(?: - at `\$\.?(?P<path>.*)`)?$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>.+?)`")
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode, also where an escaped surrogate stands alone.

    JavaScript clients send such halves when they cut a text inside an emoji. Most providers take them, msgspec does
    not; a half is read as U+FFFD here, and travels on as it came.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if b"\\ud" not in data and b"\\uD" not in data:
            raise
        mended = _ESCAPE.sub(_mend, data)
        if mended == data:
            raise
        return decoder.decode(mended)


def _mend(match: re.Match[bytes]) -> bytes:
    escape = match.group()
    return b"\\ufffd" if len(escape) == 6 else escape


def request(decoder: msgspec.json.Decoder[T], body: bytes, expected: dict[str, str]) -> T:
    """The parts of a request's body that farthing reads; ``expected`` says what a field has to be.

    Raises ``BadRequest`` that names the place or the field.
    """
    try:
        return decode(decoder, body)
    except msgspec.ValidationError as error:
        raise invalid_field(_field_message(str(error), expected)) from error
    except _NOT_JSON as error:
        raise BadRequest(_json_message(body, error), code="farthing_invalid_json") from error


def invalid_field(message: str) -> BadRequest:
    """The error for a field that is missing or of another type."""
    return BadRequest(message, code="farthing_invalid_field")


def _field_message(error: str, expected: dict[str, str]) -> str:
    if missing := _MISSING.match(error):
        name = missing["name"]
        return f"The field '{name}' is missing: it has to be {expected.get(name, 'present')}."
    if found := _MISMATCH.match(error):
        name = found["path"]
        if not name:
            return f"The request body has to be a JSON object, but it is of type {found['got']}."
        return f"The field '{name}' has to be {expected.get(name, found['want'])}, but it is of type {found['got']}."
    return f"The request body is not what this API takes: {error}."


def _json_message(body: bytes, error: Exception) -> str:
    if not body.strip():
        return "The request body is empty: it has to be a JSON object."
    if isinstance(error, RecursionError):
        return "The request body is nested too deeply to be read as JSON."
    text = str(error)
    place = _PLACE.search(text)
    at = int(place[1]) if place else len(body)
    line = body.count(b"\n", 0, at) + 1
    column = at - (body.rfind(b"\n", 0, at) + 1) + 1
    reason = _PLACE.sub("", text).removeprefix("JSON is malformed: ")
    return f"The request body is not valid JSON: {reason} at byte {at} (line {line}, column {column})."


def lenient(decoder: msgspec.json.Decoder[T], data: bytes | None) -> T | None:
    """Decode, or ``None`` if that is not possible."""
    if not data:
        return None
    try:
        return decode(decoder, data)
    except _NOT_JSON:
        return None


def loads(data: bytes | None) -> Value:
    """Any JSON value, or ``None`` if it is none."""
    return lenient(_ANY, data)


def is_json(data: bytes) -> bool:
    """Whether it can be read at all."""
    try:
        decode(_ANY, data)
    except _NOT_JSON:
        return False
    return True


def mapping(value: object) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """The JSON objects in a list; empty if it is none."""
    return (
        [cast("Json", item) for item in cast("list[object]", value) if isinstance(item, dict)]
        if isinstance(value, list)
        else []
    )


def string(value: object) -> str | None:
    """The value if it is a string that is not empty."""
    return value if isinstance(value, str) and value else None


def count(value: object) -> int | None:
    """The value if it is a whole number of 0 or more."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def has_value(raw: msgspec.Raw) -> bool:
    """Whether a raw field was there and is not ``null``."""
    return memoryview(raw).nbytes > 0 and bytes(raw) != b"null"


def is_array(raw: msgspec.Raw) -> bool:
    """Whether a raw value is a JSON array."""
    return bytes(memoryview(raw)[:1]) == b"["
