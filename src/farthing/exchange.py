"""One request on its way through the house, and the reply to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal, Protocol

import msgspec

from farthing.ledger.records import Call, Shape
from farthing.types import Api, CacheState, Caller, Facts, Headers, Outcome, Prompt
from farthing.wire.base import Wire
from farthing.wire.translate.conversation import Conversation

Write = Callable[[bytes], Awaitable[None]]
"""Gives bytes to the client."""

Pump = Callable[[Write], Awaitable[None]]
"""Writes a streamed body; returns when it has ended in order."""

Mode = Literal["observe", "save"]
CacheWish = Literal["no-store", "no-cache"]


HUNG_UP = "the client hung up"
"""The message of the ``CancelledError`` of a request whose client has left, to tell it from a stop."""


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class Target(msgspec.Struct, frozen=True, gc=False):
    """The provider that a request goes to."""

    provider: str
    url: str
    """Everything before the path that the client sent after ``/v1``."""
    model: str | None
    """The model's name at the provider; ``None`` where the request names none."""
    key: str | None
    """The key to send instead of the client's; ``None``: the client's own goes through."""
    api: Api = "openai"
    """Whose API is spoken there."""
    wire: str | None = None
    """The wire that is spoken there, if it is another one than the client's: the request is translated."""


class Finished(msgspec.Struct, frozen=True):
    """A provider's reply that has ended, for those who learn from it."""

    call: Call
    outcome: Outcome
    streamed: bool
    content_type: str
    body: bytes | None
    """The provider's bytes; ``None`` if they were too many to keep."""


class Tally(msgspec.Struct):
    """What is learned about an exchange on its way; written into the ledger when it ends."""

    calls: list[Call] = []
    cache: CacheState = "off"
    would_cache: CacheState | None = None
    cache_reason: str | None = None
    """Why the request may not be answered from the cache; empty or ``None`` if nothing speaks against it."""
    similarity: float | None = None
    """Of the question and the one whose answer was served for it, from -1 to 1."""
    route: str | None = None
    served_model: str | None = None
    served_provider: str | None = None
    """Set if it is another one than the request was meant for."""
    asked: Target | None = None
    """Where it was meant to go, if another model took over."""
    as_sent: bool = True
    """No lever changed what was sent, so the baseline is the cost; else it is ``baseline_nano``."""
    baseline_nano: int | None = None
    saved: list[tuple[str, int]] = []
    would_save: list[tuple[str, int]] = []
    shape: Shape | None = None
    prompt: Prompt | None = None
    """Read once, by whoever needs it first; see ``prompt_of``."""
    conversation: Conversation | None = None
    """What the request asks for in no provider's words; read once, where it may have to be translated."""
    left_out: tuple[str, ...] = ()
    """What could not be said to the provider that answered, and changes nothing that matters."""
    canonical: bytes | None = None
    """The body without what cannot change an answer; see ``levers.recall.key``."""
    status: int | None = None
    error: str | None = None
    upstream_s: float = 0.0
    """Seconds spent waiting for the provider before the first byte for the client."""
    first_byte_at: float | None = None
    """When a stream's first byte went to the client, on the monotonic clock."""
    chores: list[Callable[[], object]] = []
    """What may be done while the provider works."""
    learners: list[Callable[[Finished], None]] = []
    settled: bool = False


class Exchange(msgspec.Struct, frozen=True):
    """A request as the client sent it, and what is known of it."""

    id: str
    ts: float
    """When it was accepted, seconds since the Unix epoch."""
    begun: float
    """When its head had arrived, on the monotonic clock, to measure durations: it may have waited for its turn."""
    method: str
    path: str
    """With the query, as it came."""
    headers: Headers
    body: bytes
    upload: AsyncIterator[bytes] | None
    """A body that is passed on while it arrives, instead of ``body``."""
    wire: Wire
    facts: Facts
    caller: Caller
    target: Target
    credential: bytes
    """A digest of what the client authenticated with: two callers share answers only if it is equal."""
    mode: Mode
    cache_wish: CacheWish | None
    tally: Tally
    client: Exchange | None = None
    """The exchange as the client sent it, if this is its translation."""
    translated: Callable[[Finished], Finished] | None = None
    """Of a translation: what its provider said, as the client's API has it."""


def prompt_of(exchange: Exchange) -> Prompt:
    """What the request says."""
    tally = exchange.tally
    if tally.prompt is None:
        tally.prompt = exchange.wire.prompt(exchange.body)
    return tally.prompt


Peek = Callable[[], Awaitable[tuple[str, bytes] | None]]
"""Waits for the beginning of a stream; code and bytes of the error if there is one in place of an answer."""


class Reply(msgspec.Struct):
    """What the client gets: a body in one piece, or one that is pumped."""

    status: int
    headers: Headers
    body: bytes = b""
    pump: Pump | None = None
    peek: Peek | None = None


Handler = Callable[[Exchange], Awaitable[Reply]]


class Stage(Protocol):
    """One step of the pipeline: looks at the exchange, calls the next one or answers itself."""

    def __call__(self, exchange: Exchange, following: Handler) -> Awaitable[Reply]: ...
