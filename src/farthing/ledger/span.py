"""Which buckets a span of time covers whole, and what is left over at its edges. Pure; times in microseconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from farthing.ledger.rollup import DAY, MICRO


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
    """``whole`` begins and ends at buckets, in seconds (``None``: there is none); ``edges`` do not.

    What is in ``minus`` is in ``whole`` and not in the span. Edges and minus are each a part of one bucket.
    """

    whole: Span | None
    edges: list[Span]
    minus: tuple[Span, ...] = ()


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


def nearest(span: Span, grain: int, horizon: int = 0) -> Parts:
    """The same with bounds at the nearest bucket: so less is left over, but some of it has to be taken away."""
    parts = split(span, grain, horizon)
    far = [edge for edge in parts.edges if _length(edge) * 2 > grain * MICRO]
    if parts.whole is None or not far:
        return parts
    first, last = parts.whole
    minus: list[Span] = []
    for since, until in far:
        start = (since or 0) // (grain * MICRO) * grain
        if until == span.until:
            last, cut = start + grain, Span(until, (start + grain) * MICRO)
        else:
            first, cut = start, Span(start * MICRO, since)
        minus.append(cut)
    return Parts(Span(first, last), [edge for edge in parts.edges if edge not in far], tuple(minus))


def _length(span: Span) -> int:
    return (span.until or 0) - (span.since or 0)


def layers(whole: Span | None, *, days: bool, hours: bool) -> Iterable[tuple[str, Span]]:
    """The table of sums for each part of a span of whole buckets (seconds): days where there are whole ones.

    ``hours``: it may begin and end at hours. Without ``days`` all of it comes by the hour.
    """
    if whole is None:
        return
    if not (days and hours):
        yield "rollups" if hours else "daily", whole
        return
    inner, edges, _ = split(Span(*(None if at is None else at * MICRO for at in whole)), DAY)
    if inner is not None:
        yield "daily", inner
    for since, until in edges:
        yield "rollups", Span((since or 0) // MICRO, (until or 0) // MICRO)


def widened(span: Span, grain: int) -> Span:
    """The whole buckets (seconds) that a span touches."""
    width = grain * MICRO
    return Span(
        None if span.since is None else span.since // width * grain,
        None if span.until is None else -(-span.until // width) * grain,
    )
