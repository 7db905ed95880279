"""Which buckets a span of time covers whole, and what is left over at its edges. Pure; times in microseconds."""

from __future__ import annotations

from typing import NamedTuple

from farthing.ledger.rollup import MICRO


class Span(NamedTuple):
    """From ``since`` to before ``until``; ``None`` is no bound."""

    since: int | None
    until: int | None

    def contains(self, at: int) -> bool:
        """Whether a time is in it."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    @property
    def is_empty(self) -> bool:
        """Whether no time is in it."""
        return self.since is not None and self.until is not None and self.since >= self.until


class Parts(NamedTuple):
    """``whole`` begins and ends at buckets, in seconds (``None``: there is none); ``edges`` do not."""

    whole: Span | None
    edges: list[Span]


def split(span: Span, grain: int, horizon: int = 0) -> Parts:
    """Cut a span at buckets of ``grain`` seconds.

    Before the ``horizon`` (seconds) there are only whole buckets: there a bound means the start of its bucket.
    """
    width = grain * MICRO
    since, until = (
        at // width * width if at is not None and at < horizon * MICRO else at for at in (span.since, span.until)
    )
    if Span(since, until).is_empty:
        return Parts(None, [])
    first = None if since is None else -(-since // width) * width
    last = None if until is None else until // width * width
    if first is not None and last is not None and first > last:
        return Parts(None, [Span(since, until)])
    edges = [
        edge
        for edge in (Span(since, first) if since != first else None, Span(last, until) if last != until else None)
        if edge is not None
    ]
    whole = Span(None if first is None else first // MICRO, None if last is None else last // MICRO)
    return Parts(None if whole.is_empty else whole, edges)
