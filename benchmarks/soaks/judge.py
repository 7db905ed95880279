"""From samples to a verdict. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from math import sqrt
from typing import NamedTuple

from stand.books import EXPLAINED, Books
from stand.verdict import Check, percentile

from soaks.clients import Sent, Window
from soaks.watch import Sample

Z95 = 1.959964
WARM = 1 / 3
"""The share of the run in which memory may still grow: caches and the allocator's arenas fill."""
SPARE_FILES = 2
"""Opened on first use and kept: no leak."""
UNREAD = 500
"""Of those who leave within 50 ms one in so many may leave before a busy machine has read its request: then there is
none."""
PAGES_MB = 36.0
"""SQLite keeps up to 32 MB of the ledger in memory: as long as the ledger is smaller, the keeper grows with it."""
LEAST_SAMPLES = 10
Point = tuple[float, float]


class Trend(NamedTuple):
    """A slope, in units a second, with its 95% interval, and the length of what it was fitted to."""

    slope: float
    low: float
    high: float
    seconds: float
    median: float

    @property
    def surely(self) -> float:
        """By how much it has grown at least, over the whole stretch; negative if it has shrunk for sure."""
        return self.low * self.seconds if self.low > 0 else min(0.0, self.high * self.seconds)


def theil_sen(points: Sequence[Point]) -> Trend:
    """The median of all slopes between two points, and Sen's interval for it (Sen 1968, JASA 63:1379): up to 29% of
    wild points do not move it. Neighbouring samples are not independent, so the interval is a little too narrow.
    """
    slopes = sorted(
        (y - b) / (x - a) for number, (a, b) in enumerate(points) for x, y in points[number + 1 :] if x != a
    )
    n, middle = len(points), [y for _, y in points]
    if not slopes:
        return Trend(0.0, 0.0, 0.0, 0.0, statistics.median(middle or [0.0]))
    reach = Z95 * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, int((len(slopes) - reach) / 2))
    high = min(len(slopes) - 1, int((len(slopes) + reach) / 2) + 1)
    seconds = points[-1][0] - points[0][0]
    return Trend(statistics.median(slopes), slopes[low], slopes[high], seconds, statistics.median(middle))


def warmed(samples: Sequence[Sample], name: str) -> list[Point]:
    """The part of a series of samples in which there is nothing left to warm up."""
    since = samples[-1].at_s * WARM
    filled = [one for one in samples if one.at_s >= since and (one.ledger >= PAGES_MB or not name.startswith("keeper"))]
    return [(one.at_s, float(getattr(one, name))) for one in filled]


SERIES = {
    "overhead p50": ("overhead_ms", 0.5), "overhead p99": ("overhead_ms", 0.99),
    "added p50 (probes)": ("added_ms", 0.5), "hit p50": ("hit_ms", 0.5), "hit p99": ("hit_ms", 0.99),
}  # fmt: skip
MOST_GROWTH_MS = {"overhead p50": 0.3, "overhead p99": 3.0, "added p50 (probes)": 0.5, "hit p50": 0.5, "hit p99": 3.0}
"""Growth over the run that is still flat, if it is also below a quarter of the median."""


def latencies(windows: Sequence[Window], name: str) -> list[Point]:
    """A percentile, window by window; in milliseconds."""
    field, share = SERIES[name]
    found = [(one.at_s, list[float](getattr(one, field))) for one in windows]
    return [(at, percentile(values, share)) for at, values in found if len(values) > 10]


class Run(NamedTuple):
    """What was seen."""

    samples: Sequence[Sample]
    idle_before: Sample
    idle_after: Sample
    kept: dict[str, int]
    sent: Sent
    books: Books
    grown_mb: float
    """Growth of a process's memory that is still noise."""


def checks(run: Run) -> Iterator[Check]:
    """All of them."""
    for name in ("gateway_rss", "gateway_heap", "keeper_rss", "keeper_heap"):
        yield _memory(run, name)
    yield from _leaks(run)
    for name in SERIES:
        yield _flat(run.sent.windows, name)
    yield from _books(run)


def _memory(run: Run, name: str) -> Check:
    what, points = f"{name.replace('_', ', ')}: no growth", warmed(run.samples, name)
    if len(points) < LEAST_SAMPLES:
        return Check(
            what, holds=True, found=f"not judged: the run ended before it was warm ({run.samples[-1].at_s:g} s)"
        )
    trend = theil_sen(points)
    allowed = max(run.grown_mb, trend.median * 0.02)
    per_hour = f"{trend.slope * 3600:+.2f} MB/h ({trend.low * 3600:+.2f} to {trend.high * 3600:+.2f})"
    found = f"{trend.median:.1f} MB, {per_hour}, surely {trend.surely:+.2f} MB in {trend.seconds / 60:.0f} min"
    return Check(what, trend.surely <= allowed, found)


def _leaks(run: Run) -> Iterator[Check]:
    before, after = run.idle_before, run.idle_after
    files = f"{before.fds} before, {after.fds} after"
    yield Check("no file or socket is left open", after.fds <= before.fds + SPARE_FILES, files)
    held = max(one.upstream for one in run.samples)
    found = f"{held} at most, {after.upstream} after"
    yield Check("connections to the provider do not pile up", after.upstream <= held, found)
    yield Check("no client's connection is left", after.clients == 0, str(after.clients))
    tasks = after.tasks is not None and before.tasks is not None and after.tasks <= before.tasks
    yield Check("no task is left", tasks, f"{before.tasks} before, {after.tasks} after")
    yield Check("nothing of a request is left, no reservation", not run.kept, str(run.kept or "none"))
    most = max(one.backlog for one in run.samples)
    yield Check("the ledger keeps up", after.backlog == 0, f"{most:,} bytes behind at most, {after.backlog} at the end")


def _flat(windows: Sequence[Window], name: str) -> Check:
    trend = theil_sen(latencies(windows, name))
    allowed = max(MOST_GROWTH_MS[name], trend.median / 4)
    found = (
        f"median {trend.median:.3f} ms, over the run {trend.slope * trend.seconds:+.3f} ms, surely {trend.surely:+.3f}"
    )
    return Check(f"{name} stays flat", trend.surely <= allowed, found)


def _books(run: Run) -> Iterator[Check]:
    sent, books = run.sent, run.books
    yield Check("every request got what it should", not sent.lost, "; ".join(sent.lost[:5]) or "all")
    unread = sent.requests - books.requests
    found = f"{sent.requests:,}, {books.requests:,}"
    yield Check("requests sent = rows", 0 <= unread <= sent.outcomes["left early"] // UNREAD, found)
    exact = f"{books.exact:,} calls, {books.exact_nano:,} nano-dollars; {len(books.unlike)} differ"
    yield Check("ledger = invoice, every settled call", not books.unlike, "; ".join([exact, *books.unlike[:3]]))
    unknown = f"{sum(books.inexact.values()):,} calls: {dict(books.inexact)}"
    yield Check("the rest is explained", not books.unexplained, f"{unknown}; not: {dict(books.unexplained) or 'none'}")
    gone = sum(count for what, count in books.inexact.items() if what.endswith(EXPLAINED["client_gone"]))
    left = sent.outcomes["left early"] + sent.outcomes["left in the stream"]
    yield Check("who is said to have hung up has", gone <= left, f"{gone:,} calls, {left:,} clients that left")
    lines = f"{books.orphans} lines of {books.orphans_nano:,} nano-dollars, {books.nameless} such calls"
    yield Check(
        "billed but unknown: only calls that ended before their id came", books.orphans <= books.nameless, lines
    )
