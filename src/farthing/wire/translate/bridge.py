"""Which wire is spoken with a provider, for a client that speaks another one; and what cannot cross. Pure."""

from __future__ import annotations

from typing import Final

from farthing.types import Api
from farthing.wire.translate.conversation import Need

CHAT: Final = "openai.chat"
MESSAGES: Final = "anthropic.messages"
RESPONSES: Final = "openai.responses"
COUNT_TOKENS: Final = "anthropic.count_tokens"
COUNTED: Final = "counted here"
"""In place of a wire: OpenAI's API has no such question, so it is answered by an estimate, and nobody is asked."""
PATHS: Final = {CHAT: "/v1/chat/completions", MESSAGES: "/v1/messages"}
"""The wires that requests are written on, and where."""

_NEEDS: Final = frozenset[Need]
CAPABILITIES: Final = frozenset[Need]({"tools", "images", "documents", "audio", "json_schema", "thinking"})
"""Needs that depend on the model; every other one depends on the wire."""
PINNING: Final[Need] = "signed_thinking"
"""A turn that only its signer accepts: nobody else takes over. Where the client itself asks another model, what was
thought is left out."""
_TAKES: Final[dict[str, frozenset[Need]]] = {
    CHAT: CAPABILITIES | _NEEDS({PINNING}),
    MESSAGES: CAPABILITIES - _NEEDS({"audio"}) | _NEEDS({PINNING, "many_stops"}),
}


def spoken(wire: str, kind: Api, *, responses: bool = True) -> str | None:
    """The wire for a request that came on ``wire`` to a provider of this kind; the same one if nothing has to be done.

    ``responses``: whether an OpenAI-compatible provider has that API. ``None``: there is no way.
    """
    if wire == RESPONSES and kind == "openai" and not responses:
        return CHAT
    if wire.startswith(kind):
        return wire
    if wire == COUNT_TOKENS:
        return COUNTED
    if wire in {CHAT, MESSAGES, RESPONSES}:
        return MESSAGES if kind == "anthropic" else CHAT
    return None


def barred(needs: frozenset[Need], wire: str) -> list[Need]:
    """What a request needs and this wire cannot say, in order of name."""
    return sorted(needs - _TAKES[wire])
