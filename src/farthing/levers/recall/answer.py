"""An answer as the cache keeps it."""

from __future__ import annotations

import msgspec

from farthing.types import Usage


class Answer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A provider's complete reply and what was known of the call that paid for it."""

    wire: str
    stored_at: float
    """Seconds since the Unix epoch."""
    expires_at: float
    """From this time on it is not served."""
    streamed: bool
    """``body`` is a complete SSE stream, else one JSON document."""
    body: bytes
    """The provider's own bytes."""
    content_type: str
    provider: str
    tenant: str
    request_id: str
    """Of the request that paid."""
    usage: Usage | None
    """``None`` if the reply carried none."""
    model: str | None = None
    """As asked for."""
    model_reported: str | None = None
    finish_reason: str | None = None
    cost_nano: int | None = None
    """Nano-dollars; ``None`` if the price is not known (such an answer is the first to be evicted)."""
    price_version: str | None = None
    feature: str | None = None
    latency_us: int | None = None


class Stats(msgspec.Struct, frozen=True):
    """``entries``, ``bytes``, ``hits`` and ``evictions`` are the store's, over all processes and restarts;
    ``dropped`` and ``errors`` are this process's own since it opened the store.
    """

    entries: int
    bytes: int
    hits: int
    evictions: int
    dropped: int
    """Answers not kept because the writer was behind, or because they are larger than the store allows."""
    errors: int
    """Failures of the store, each of which was a miss or a lost write and nothing worse."""
