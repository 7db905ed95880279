"""What bodies say that were asked for before: a repeat need not be read again."""

from __future__ import annotations

import msgspec

from farthing.exchange import Exchange
from farthing.ledger.records import Shape
from farthing.types import Facts, Prompt
from farthing.wire.base import Wire

MOST = 1_024
LONGEST = 16_384
"""Bytes: longer bodies are rarely asked twice, and all of them together have to stay small."""


class Reading(msgspec.Struct, frozen=True):
    """Everything that follows from the wire and the bytes of a body alone."""

    facts: Facts
    prompt: Prompt
    shape: Shape
    canonical: bytes
    """As ``levers.recall.key`` has it."""


class Readings:
    """Bounded memory of one process; the oldest go first."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], Reading] = {}

    def get(self, wire: Wire, body: bytes) -> Reading | None:
        """What is known of this body."""
        return self._known.get((wire.name, body)) if len(body) <= LONGEST else None

    def keep(self, exchange: Exchange, shape: Shape) -> None:
        """Remember a body that has been read in full: one that was answered from the cache comes again."""
        tally = exchange.tally
        is_renamed = exchange.target.model != exchange.facts.model  # then the facts are those of another body
        if tally.canonical is None or tally.prompt is None or is_renamed or len(exchange.body) > LONGEST:
            return
        reading = Reading(exchange.facts, tally.prompt, shape, tally.canonical)
        self._known[exchange.wire.name, exchange.body] = reading
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]
