"""What a request is apart from its question: only requests that are alike in all of that may share an answer."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import msgspec

from farthing.levers.recall.key import Partition, key_of
from farthing.wire.reading import mapping, objects, string
from farthing.wire.translate.bridge import CHAT, MESSAGES, RESPONSES

FIELD = {CHAT: "messages", MESSAGES: "messages", RESPONSES: "input"}
"""Where the conversation stands in a body, by the name of its wire."""
TEXTS = frozenset({"text", "input_text"})
_GAP = None
"""In the place of the question, where otherwise a string stands."""


class Soft(NamedTuple):
    """A request in two."""

    rest: bytes
    """All of the body but the question, in its canonical form."""
    question: str
    """The text of the last message of the user."""


def soften(wire: str, canonical: bytes) -> Soft | None:
    """``canonical`` as ``key.canonical`` makes it. ``None`` where nothing but the exact key will do: the last word is
    not one text of the user's.
    """
    name = FIELD.get(wire)
    if name is None:
        return None
    body = mapping(msgspec.json.decode(canonical))
    holder, place = (body, name) if isinstance(body.get(name), str) else _last(body.get(name))
    question = holder.get(place)
    if not isinstance(question, str) or not question.strip():
        return None
    holder[place] = _GAP
    return Soft(msgspec.json.encode(body), question)  # the keys are in order already


def room_of(partition: Partition, wire: str, rest: bytes, encoder: str) -> bytes:
    """32 bytes that name the questions which may share an answer. The vectors of another encoder are elsewhere."""
    return key_of(partition, f"{wire} {encoder}", rest)


def _last(turns: object) -> tuple[dict[str, Any], str]:
    """What holds the text of the last turn, and where; something empty if that is not the user's, or not one text."""
    turn = mapping(cast("list[object]", turns)[-1]) if isinstance(turns, list) and turns else {}
    if turn.get("role") != "user" or turn.get("type", "message") != "message":
        return {}, ""
    if isinstance(turn.get("content"), str):
        return turn, "content"
    texts = [part for part in objects(turn.get("content")) if string(part.get("type")) in TEXTS]
    return (texts[0], "text") if len(texts) == 1 else ({}, "")
