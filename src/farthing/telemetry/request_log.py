"""A line in the log for every request that has ended: figures and names, no user, no text."""

from __future__ import annotations

import logging

from farthing.exchange import Exchange
from farthing.ledger.records import Settled
from farthing.logs import FIELDS
from farthing.money import usd

log = logging.getLogger("farthing.requests")


class RequestLog:
    """An observer (``pipeline.observe``)."""

    def __call__(self, exchange: Exchange, settled: Settled) -> None:
        """Say it."""
        log.info("request %s %s", exchange.method, settled.path, extra={FIELDS: fields(settled)})

    def close(self) -> None:
        """Nothing is left."""


def fields(settled: Settled) -> dict[str, object]:
    """What is said besides method and path. ``None`` is unknown."""
    usages = [call.usage for call in settled.calls if call.usage is not None]
    return {
        "id": settled.id,
        "tenant": settled.caller.tenant,
        "feature": settled.caller.feature,
        "provider": settled.provider,
        "model": settled.model,
        "served_model": settled.served_model,
        "status": settled.status,
        "error": settled.error,
        "stream": settled.stream,
        "cache": settled.cache,
        "calls": len(settled.calls),
        "input_tokens": sum(usage.prompt_tokens for usage in usages) if usages else None,
        "output_tokens": sum(usage.output for usage in usages) if usages else None,
        "cost_usd": None if settled.cost_nano is None else usd(settled.cost_nano),
        "latency_ms": _ms(settled.latency_us),
        "ttft_ms": _ms(settled.ttft_us),
        "overhead_ms": _ms(settled.overhead_us),
    }


def _ms(micro: int | None) -> float | None:
    return None if micro is None else micro / 1000
