"""What is known of how often answers of a partition would be right, by the strength of the match.

Every candidate above the lowest level has the same chance to be judged, whether its answer was served or not: so what
was judged above a level is a fair sample of what is served above it. A state is a value; events make new ones.
"""

from __future__ import annotations

import msgspec

from farthing.levers.recall.semantic.bounds import Prior, is_below, upper_always

LEVELS = (0.95, 0.90, 0.85, 0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.50)
"""Strengths from which on an answer may be served, the strictest first."""
MEMORY = 4000
"""Observations; beyond it all count half, so that old traffic does not speak for the new."""
SLACK, ALARM = 0.005, 3.0
"""Page and Hinkley's test on what is wrong of what is served: so many above the usual raise the alarm."""
START = Prior(0.5, 50.0)
"""Weight on small rates: those that are to be shown."""
POOLED = 200.0
"""Observations that a tenant's other partitions are worth at most, as a prior: it makes a limit tight, never wrong."""


class Drift(msgspec.Struct, frozen=True, array_like=True):
    """Page (1954) and Hinkley (1971): the sum of what went beyond the mean, and the least it has been."""

    seen: int = 0
    mean: float = 0.0
    above: float = 0.0
    least: float = 0.0

    def saw(self, wrong: bool) -> Drift:
        seen = self.seen + 1
        mean = self.mean + (wrong - self.mean) / seen
        above = self.above + wrong - mean - SLACK
        return Drift(seen, mean, above, min(self.least, above))

    @property
    def alarmed(self) -> bool:
        return self.above - self.least > ALARM


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """Of one partition. Counts by level, the strictest first."""

    right: tuple[int, ...] = (0,) * len(LEVELS)
    wrong: tuple[int, ...] = (0,) * len(LEVELS)
    drift: Drift = Drift()
    alarms: int = 0
    """How often it began again because the traffic had changed."""


def level(strength: float) -> int | None:
    """The strictest level that so strong a match reaches; ``None`` below all."""
    return next((number for number, least in enumerate(LEVELS) if strength >= least), None)


def judged(evidence: Evidence, at: int, *, right: bool, served: bool) -> Evidence:
    """After a verdict on a candidate of level ``at``. When the alarm goes off, nothing is left but its count."""
    drift = evidence.drift.saw(not right) if served else evidence.drift
    if drift.alarmed:
        return Evidence(alarms=evidence.alarms + 1)
    yes, no = list(evidence.right), list(evidence.wrong)
    (yes if right else no)[at] += 1
    if sum(yes) + sum(no) > MEMORY:
        yes, no = [count // 2 for count in yes], [-(-count // 2) for count in no]
    return Evidence(tuple(yes), tuple(no), drift, evidence.alarms)


def complained(evidence: Evidence, at: int) -> Evidence:
    """After a thumbs-down on a served answer. Nobody reports what was right, so it counts only against serving."""
    return judged(evidence, at, right=False, served=True)


def limit(evidence: Evidence, at: int, doubt: float, pooled: Evidence | None = None) -> float:
    """What the share of wrong among all matches of level ``at`` or stricter does not pass, however often one looks.

    ``doubt`` is shared among the levels, so the limits of all of them hold together. ``pooled`` are the tenant's
    other partitions.
    """
    return upper_always(*_counts(evidence, at), doubt / len(LEVELS), _prior(pooled, at))


def served_from(evidence: Evidence, max_error: float, doubt: float, pooled: Evidence | None = None) -> int | None:
    """The loosest level whose limit is within ``max_error``; ``None`` while there is none: shadow."""
    share = doubt / len(LEVELS)
    for at in reversed(range(len(LEVELS))):
        if is_below(max_error, *_counts(evidence, at), share, _prior(pooled, at)):
            return at
    return None


def _counts(evidence: Evidence, at: int) -> tuple[int, int]:
    """Wrong and right of level ``at`` and all stricter ones."""
    return sum(evidence.wrong[: at + 1]), sum(evidence.right[: at + 1])


def _prior(pooled: Evidence | None, at: int) -> Prior:
    if pooled is None:
        return START
    wrong, right = _counts(pooled, at)
    share = min(1.0, POOLED / max(wrong + right, 1))
    return Prior(START.wrong + share * wrong, START.right + share * right)
