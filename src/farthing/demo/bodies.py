"""Request bodies as the official clients send them."""

from __future__ import annotations

from typing import Any

import msgspec

from farthing.simulator import Ask, standard_answer
from farthing.types import Turn

Json = dict[str, Any]

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
EMBEDDINGS = "/v1/embeddings"
MESSAGES = "/v1/messages"


class Step(msgspec.Struct, frozen=True):
    """One request of a visit, so many seconds after the one before."""

    path: str
    body: Json
    gap: float = 0.0


def chat(model: str, system: str, turns: list[Turn], *, stream: bool, gap: float = 0.0, **more: object) -> Step:
    """A chat completion."""
    messages: list[Json] = [{"role": "system", "content": system}]
    messages += [{"role": turn.role, "content": turn.text} for turn in turns]
    body: Json = {"model": model, "messages": messages, **more}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Step(CHAT, body, gap)


def claude(model: str, system: str, messages: list[Json], *, stream: bool, gap: float = 0.0, **more: object) -> Step:
    """A Claude message."""
    body: Json = {"model": model, "max_tokens": 1024, "system": system, "messages": messages, **more}
    return Step(MESSAGES, body | {"stream": True} if stream else body, gap)


def told(model: str, turns: list[Turn]) -> Turn:
    """What the simulated model says to this: so that a conversation can go on before it was held."""
    return Turn("assistant", standard_answer(Ask(model, "", tuple(turns))).text)
