"""The content blocks that Anthropic takes in a message: kinds, fields, sources, ids, signatures. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from farthing.simulator.call import Json, arr, obj, string
from farthing.simulator.catalog import Model
from farthing.simulator.media import IMAGES, is_base64
from farthing.simulator.refusals import invalid
from farthing.simulator.signing import signature
from farthing.simulator.words import words

_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_FIELDS: Final = {
    "text": words("type text cache_control citations"),
    "image": words("type source cache_control"),
    "document": words("type source title context citations cache_control"),
    "search_result": words("type source title content citations cache_control"),
    "tool_use": words("type id name input cache_control caller"),
    "tool_result": words("type tool_use_id content is_error cache_control"),
    "thinking": words("type thinking signature"),
    "redacted_thinking": words("type data"),
}
_ASSISTANTS: Final = ("thinking", "redacted_thinking", "tool_use")
_USERS: Final = ("image", "document", "search_result", "tool_result")
_IN_RESULTS: Final = ("text", "image", "document", "search_result")
_SOURCES: Final = {"image": ("base64", "url"), "document": ("base64", "text", "url", "content")}


def check_block(part: Json, role: str, what: str, model: Model) -> None:
    """Raises ``Refusal`` for a block that this role cannot have in a message."""
    kind = known(part.get("type"), tuple(_FIELDS), what)
    for name in part:
        if name not in _FIELDS[kind]:
            raise invalid(f"{what}.{kind}.{name}: Extra inputs are not permitted")
    if kind in (_USERS if role == "assistant" else _ASSISTANTS):
        other = "user" if role == "assistant" else "assistant"
        raise invalid(f"{what}: `{kind}` blocks can only be in `{other}` messages")
    match kind:
        case "text":
            check_text(part, what)
        case "tool_use":
            _check_use(part, f"{what}.tool_use")
        case "tool_result":
            _check_result(part, f"{what}.tool_result", model)
        case "thinking":
            _check_thought(part, what, model)
        case "redacted_thinking":
            string(part.get("data"), f"{what}.redacted_thinking.data")
        case "image" | "document":
            _check_source(obj(part.get("source"), f"{what}.{kind}.source"), kind, f"{what}.{kind}.source")
        case _:
            pass


def check_text(part: Json, what: str) -> None:
    """Raises ``Refusal`` for a text of nothing or of white space."""
    text = string(part.get("text"), f"{what}.text")
    if not text:
        raise invalid("messages: text content blocks must be non-empty")
    if not text.strip():
        raise invalid("messages: text content blocks must contain non-whitespace text")


def known(kind: object, kinds: tuple[str, ...], what: str) -> str:
    """The type. Raises ``Refusal`` if it is none of these."""
    if not isinstance(kind, str) or kind not in kinds:
        tags = ", ".join(f"'{each}'" for each in kinds)
        raise invalid(f"{what}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}")
    return kind


def _check_use(part: Json, what: str) -> None:
    _check_id(part.get("id"), f"{what}.id")
    if not string(part.get("name"), f"{what}.name"):
        raise invalid(f"{what}.name: String should have at least 1 character")
    if not isinstance(part.get("input"), dict):
        raise invalid(f"{what}.input: Input should be a valid dictionary")


def _check_id(key: Any, what: str) -> None:  # noqa: ANN401 - any JSON value
    if not _ID.fullmatch(string(key, what)):
        raise invalid(f"{what}: String should match pattern '^[a-zA-Z0-9_-]+$'")


def _check_result(part: Json, what: str, model: Model) -> None:
    _check_id(part.get("tool_use_id"), f"{what}.tool_use_id")
    content: Any = part.get("content")
    if content is None or isinstance(content, str):
        return
    for n, value in enumerate(arr(content, f"{what}.content")):
        inner = obj(value, f"{what}.content.{n}")
        known(inner.get("type"), _IN_RESULTS, f"{what}.content.{n}")
        check_block(inner, "user", f"{what}.content.{n}", model)


def _check_thought(part: Json, what: str, model: Model) -> None:
    for name in ("thinking", "signature"):
        if not isinstance(part.get(name), str):
            raise invalid(f"{what}.thinking.{name}: Field required")
    if part["signature"] != signature(model.name, part["thinking"]):
        raise invalid(f"{what}: Invalid `signature` in `thinking` block")


def _check_source(source: Json, kind: str, what: str) -> None:
    form = known(source.get("type"), _SOURCES[kind], what)
    if form == "base64":
        types = IMAGES if kind == "image" else ("application/pdf",)
        if source.get("media_type") not in types:
            allowed = " or ".join(f"'{each}'" for each in types)
            raise invalid(f"{what}.base64.media_type: Input should be {allowed}")
        if not is_base64(string(source.get("data"), f"{what}.base64.data")):
            raise invalid(f"{what}.base64: invalid base64 data")
    elif form == "text" and source.get("media_type") != "text/plain":
        raise invalid(f"{what}.text.media_type: Input should be 'text/plain'")
    elif form == "url" and not string(source.get("url"), f"{what}.url.url").startswith(("https://", "http://")):
        raise invalid(f"{what}.url.url: Only HTTPS URLs are supported.")
