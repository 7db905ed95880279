"""What a provider answers, in no provider's words: read from one wire, written to another, whole or as it streams."""

from __future__ import annotations

from typing import Literal

import msgspec

from farthing.types import Usage
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall

Finish = Literal["stop", "stop_sequence", "length", "tool_calls", "content_filter"]
"""Why the model stopped. ``stop_sequence`` is ``stop`` where an API has no word for it; ``content_filter`` also is a
refusal by Claude's classifiers."""

Said = Text | ToolCall | Reasoning | Refusal


class Answer(msgspec.Struct, frozen=True):
    """A reply in one piece."""

    id: str
    model: str
    parts: tuple[Said, ...]
    finish: Finish | None
    stop_sequence: str | None = None
    usage: Usage | None = None
    created: int | None = None
    """Seconds since the Unix epoch, where the provider says it."""
    service_tier: str | None = None


# What a stream says, step by step. A part is opened, grows and is closed before the next one is opened: that is how
# Anthropic's streams are, and a reader of OpenAI's holds back what comes out of turn.


class Started(msgspec.Struct, frozen=True):
    """The reply has begun."""

    id: str
    model: str
    usage: Usage | None = None
    """What is known of it now: the prompt's share, where the provider says it at once."""
    created: int | None = None
    service_tier: str | None = None


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A part begins; what it has by now (a call's id and name; often no text)."""

    part: Said


class Grown(msgspec.Struct, frozen=True, gc=False):
    """More text, reasoning or arguments of the part that is open."""

    text: str


class Signed(msgspec.Struct, frozen=True, gc=False):
    """The signature of the reasoning that is open."""

    signature: str


class Closed(msgspec.Struct, frozen=True, gc=False):
    """The part that is open is whole."""


class Ended(msgspec.Struct, frozen=True, gc=False):
    """Why the model stopped. Usage may still come."""

    finish: Finish
    stop_sequence: str | None = None


class Counted(msgspec.Struct, frozen=True):
    """The usage so far; the last one counts."""

    usage: Usage


class Failed(msgspec.Struct, frozen=True, gc=False):
    """An error in place of the rest. ``status`` is what it would have been as a reply."""

    status: int
    code: str | None
    message: str


class Alive(msgspec.Struct, frozen=True, gc=False):
    """A ping."""


class Done(msgspec.Struct, frozen=True, gc=False):
    """The stream has ended the way its API ends one."""


Step = Started | Opened | Grown | Signed | Closed | Ended | Counted | Failed | Alive | Done
