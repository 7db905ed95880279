"""``/metrics``: who may look, and the ledger's sums and this machine's processes as Prometheus reads them.

Requests pay for two additions. All else is done when somebody asks, in a thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from farthing import __version__
from farthing.dashboard import guard
from farthing.errors import FarthingError
from farthing.gateway.asgi import Scope, Send, respond
from farthing.gateway.doors import is_admin
from farthing.ledger.counts import behind, counts
from farthing.pipeline.runtime import Runtime
from farthing.telemetry.counters import Counters
from farthing.telemetry.exposition import CONTENT_TYPE, Family, exposition
from farthing.telemetry.families import House, Vitals, dimensions, of_house, of_ledger
from farthing.telemetry.vitals import Beat, others

if TYPE_CHECKING:
    from farthing.ledger.store import Store

log = logging.getLogger("farthing")

TEXT = b"text/plain; charset=utf-8"


class Metrics:
    """The metrics of this process and its ledger."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        """Another one after the settings have been read again."""
        self.in_flight = 0
        """Requests that have not ended; the gateway counts them."""
        policy = runtime.policy
        self._folder, self._journal = Path(policy.store.metrics), Path(policy.store.journal)
        self._counters = Counters(self._folder, runtime.clock, policy.metrics.most_values)
        self._dims = dimensions(policy.metrics.labels)
        self._allowed = guard.allowed_names([policy.server.host])
        self._beat = Beat(self._folder, self.vitals) if policy.metrics.enabled and policy.server.workers > 1 else None
        self._store: Store | None = None

    def start(self) -> None:
        """Let the other workers know."""
        if self._beat is not None:
            self._beat.start()

    def stop(self) -> None:
        """Let go of everything."""
        if self._beat is not None:
            self._beat.stop()
        if self._store is not None:
            self._store.close()

    def vitals(self) -> Vitals:
        """How this process is."""
        health = self.runtime.journal.health()
        return Vitals(self.in_flight, health.pending, health.lost)

    async def __call__(self, scope: Scope, send: Send) -> None:
        """Answer one request."""
        refused = self._refusal(scope)
        if refused is not None:
            status, text = refused
            await respond(send, status, text.encode("utf-8", "replace"), TEXT)
            return
        own = self.vitals()
        await respond(send, 200, await asyncio.to_thread(self._text, own), CONTENT_TYPE)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason, if this one may not look. A key is enough, whatever name the gateway is reached by."""
        settings, server = self.runtime.policy.metrics, self.runtime.policy.server
        if not settings.enabled:
            return 404, "There are no metrics: [metrics] enabled = false.\n"
        if scope["method"] != "GET":
            return 405, "Metrics are read with GET.\n"
        try:
            if is_admin(self.runtime, scope["headers"]):
                return None
        except FarthingError as problem:
            return 503, f"{problem}\n"
        if settings.public:
            return None
        if not server.is_loopback:
            return (
                401,
                "Send an admin key as the bearer token, or as the password. ([metrics] public opens the door.)\n",
            )
        reason = guard.refusal(scope["headers"], self._allowed)
        return None if reason is None else (403, f"{reason}\n")

    def _text(self, own: Vitals) -> bytes:
        return exposition(self._families(own))

    def _families(self, own: Vitals) -> Iterable[Family]:
        """A ledger that cannot be read leaves its metrics out: to Prometheus they are stale, and not 0."""
        unpriced = unsettled = unread = None
        try:
            store = self._opened()
            shown, its = self._counters.advance(lambda since: counts(store, self._dims, since))
            unpriced, unsettled, unread = its.unpriced, its.unsettled, behind(store, self._journal)
            yield from of_ledger(shown, self._dims)
        except FarthingError as problem:
            log.warning("the metrics cannot read the ledger: %s", problem)
        stats = self.runtime.cache_stats()
        yield from of_house(
            House(
                version=__version__,
                mode=self.runtime.policy.mode,
                workers=(own, *(others(self._folder) if self._beat is not None else ())),
                cache_entries=None if stats is None else stats.entries,
                cache_bytes=None if stats is None else stats.bytes,
                unpriced=unpriced,
                unsettled=unsettled,
                behind=unread,
            )
        )

    def _opened(self) -> Store:
        """The ledger, opened when it is first asked for. Raises ``StoreError``."""
        from farthing.ledger.store import open_store

        if self._store is None:
            self._store = open_store(self.runtime.policy.store.url, self.runtime.clock)
        return self._store
