"""The leaf types that every room shares. Frozen; ``None`` means unknown, never 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Clock = Callable[[], float]
"""Seconds since the Unix epoch."""

Api = Literal["openai", "anthropic"]
"""Whose conventions a client or provider follows: paths, credentials, error shapes."""

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, in order, repeats kept (as ASGI has them)."""

CostSource = Literal["usage", "estimated", "unpriced", "free", "unsettled"]
"""Where a cost comes from: the provider's usage; our token count; no price known (cost is ``None``);
a call that is not billed (an error, a free endpoint: cost 0); a call whose ending is not known yet (``None``)."""

CacheState = Literal["off", "miss", "exact", "semantic"]


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who asks, and for what. Values are trimmed to 256 characters."""

    tenant: str = "default"
    user: str | None = None
    feature: str | None = None
    session: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


class Usage(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Billed units of one provider call, in disjoint classes: their sum is all that is billed.

    Tokens, except ``web_searches`` (a count). ``reasoning`` is the one exception to disjointness: it is a memo
    of how many of ``output`` were hidden reasoning, and is not billed again.
    """

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    input_audio: int = 0
    cache_read_audio: int = 0
    output_audio: int = 0
    input_image: int = 0
    output_image: int = 0
    web_searches: int = 0
    reasoning: int = 0

    @property
    def prompt_tokens(self) -> int:
        """All tokens that went in; long-context price tiers are decided by this."""
        return (
            self.input
            + self.cache_read
            + self.cache_write_5m
            + self.cache_write_1h
            + self.input_audio
            + self.cache_read_audio
            + self.input_image
        )


TOKEN_CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
"""The classes every report shows; the others are shown where they occur."""


class Turn(msgspec.Struct, frozen=True):
    """One message: its role (``user``, ``assistant``, ``tool``) and the text in it, attachments left out."""

    role: str
    text: str


class Prompt(msgspec.Struct, frozen=True):
    """What a request says, the same for every wire: for recognising templates, gating the cache, estimating tokens.

    ``system`` joins system and developer texts. ``tools`` are the names on offer; ``attachments`` counts images,
    audio and documents; ``response_format`` is ``json_schema``, ``json_object`` or ``None``.
    """

    system: str
    turns: tuple[Turn, ...]
    tools: tuple[str, ...] = ()
    tool_choice: str | None = None
    response_format: str | None = None
    attachments: int = 0

    @property
    def question(self) -> str:
        """The text of the last user message, or an empty string."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")


class Facts(msgspec.Struct, frozen=True, gc=False):
    """The few things that the gateway must know of a request's body before it is sent."""

    model: str | None = None
    stream: bool = False
    include_usage: bool = False
    """OpenAI chat: the client itself asked for usage in the stream."""
    user: str | None = None
    """The first of ``safety_identifier``, ``user``, ``metadata.user_id``."""
    feature: str | None = None
    """``metadata.feature``."""
    max_output: int | None = None
    service_tier: str | None = None


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a provider's reply says about itself."""

    model: str | None = None
    """The model that the provider reports."""
    response_id: str | None = None
    finish_reason: str | None = None
    """The provider's own word."""
    complete: bool = False
    """The reply ended the way its API says a reply ends (``[DONE]``, ``message_stop``, a whole JSON body …)."""
    error: str | None = None
    """The provider's error type or code, also of an error event inside a stream with status 200."""
    has_tool_calls: bool = False
    usage: Usage | None = None
    """``None`` if the reply carried none; a reported zero is zero."""
    raw_usage: bytes | None = None
    """The provider's usage object as it came (JSON), so that history can be re-priced. Anthropic streams: the
    objects of ``message_start`` and the last ``message_delta``, merged."""
    partial_usage: bool = False
    """Anthropic: the stream broke off before ``message_delta``. Input classes are final, ``output`` is only what
    ``message_start`` had: estimate it from the text that has passed."""
    service_tier: str | None = None
    """The tier actually used, from the response."""
