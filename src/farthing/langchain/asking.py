"""Who asks, as the callback handler of a call knows it: told to the cache, for the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar

_ASKED: ContextVar[Mapping[str, str] | None] = ContextVar("farthing.langchain", default=None)


def asking(named: Mapping[str, str] | None) -> None:
    """From here on this one asks; ``None``: nobody does."""
    _ASKED.set(named)


def asked() -> Mapping[str, str]:
    """Names of our headers. Never whose answers one may see: that is for ``farthing.tags`` and the cache to say."""
    return _ASKED.get() or {}
