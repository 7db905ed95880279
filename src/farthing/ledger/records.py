"""What the journal holds: one ``Opened`` when a request starts, one ``Settled`` when it has ended.

A request that was opened and never settled (the process was killed) becomes ``unsettled``.
Times are seconds since the Unix epoch, durations microseconds, money nano-dollars.
"""

from __future__ import annotations

import msgspec

from farthing.types import CacheState, Caller, CostSource, Usage


class Call(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One call of a provider: an attempt, a judge, a shadow, an embedding."""

    id: str
    provider: str
    """The name of the provider in the configuration."""
    model: str | None
    """The model that was asked for in this call."""
    started: float
    purpose: str = "answer"
    model_reported: str | None = None
    status: int | None = None
    """HTTP status; ``None`` if there was no response."""
    error: str | None = None
    """The provider's error type, or ours: ``unreachable``, ``timeout``, ``cut``, ``client_gone``."""
    finish_reason: str | None = None
    provider_request_id: str | None = None
    service_tier: str | None = None
    usage: Usage | None = None
    raw_usage: str | None = None
    """The provider's own usage object (JSON)."""
    cost_nano: int | None = None
    cost_source: CostSource = "unsettled"
    price_version: str | None = None
    """Names the price source, its version and the entry, for example ``genai-prices 0.2.3 openai/gpt-4o``."""
    latency_us: int | None = None
    ttft_us: int | None = None


class Opened(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="o", tag_field="t"):
    """A request has been accepted and is about to go to a provider (or is answered from a cache)."""

    id: str
    ts: float
    caller: Caller
    wire: str
    path: str
    provider: str | None = None
    model: str | None = None
    """As the app asked for it."""
    stream: bool = False
    call_id: str | None = None
    """The provider call that is about to be made: known to the ledger even if this process dies now."""


class Shape(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is kept of a prompt to recognise its template: the varying parts are already taken out."""

    key: str
    """Fingerprint of what is surely constant: wire, system prompt, tools, response format."""
    head: tuple[str, ...] = ()
    """The first masked words of the first user message, or ``<tool>`` after a tool result."""
    title: str = ""
    """Plain words for people."""
    example: str = ""
    """The beginning of the last user message; empty if examples are turned off."""


class Settled(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="s", tag_field="t"):
    """A request has ended, one way or another."""

    id: str
    ts: float
    """When it was accepted (the same as in ``Opened``)."""
    caller: Caller
    wire: str
    path: str
    provider: str | None = None
    model: str | None = None
    stream: bool = False
    served_model: str | None = None
    """As the provider reports it, also where the answer came from a cache."""
    status: int | None = None
    """What the client got; ``None`` if it left before a status was sent."""
    error: str | None = None
    cache: CacheState = "off"
    would_cache: CacheState | None = None
    """Observe mode: what the cache would have said."""
    route: str | None = None
    calls: tuple[Call, ...] = ()
    cost_nano: int | None = None
    """Of all calls; ``None`` while any of them is unknown."""
    baseline_nano: int | None = None
    """What the request would have cost as the app sent it."""
    saved: tuple[tuple[str, int], ...] = ()
    """Lever → nano-dollars; sums exactly to baseline - cost."""
    would_save: tuple[tuple[str, int], ...] = ()
    """Observe mode: what each lever would have saved."""
    latency_us: int | None = None
    ttft_us: int | None = None
    overhead_us: int | None = None
    """farthing's own share of the time to the first byte."""
    shape: Shape | None = None


Entry = Opened | Settled
