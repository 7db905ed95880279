"""One question, asked of a judge that errs: how many independent votes until an answer can be believed.

Wald's sequential test (1945): votes are added up as evidence until the odds of either answer are good enough. How often
the judge errs is not assumed but seen: two votes on the same pair disagree with a probability of ``2 a (1 - a)``.
"""

from __future__ import annotations

from math import exp, log, sqrt

import msgspec

MOST = 9
"""Votes on one pair: beyond it the pair stays undecided."""
EXPECTED = 0.9
"""A judge's accuracy before anything is known of it, worth as much as so many repeated votes:"""
WORTH = 20.0


class Judge(msgspec.Struct, frozen=True, array_like=True):
    """How the second vote on a pair went, beside the first."""

    agreed: int = 0
    differed: int = 0

    def saw(self, first: bool, second: bool) -> Judge:
        same = first == second
        return Judge(self.agreed + same, self.differed + (not same))

    @property
    def accuracy(self) -> float:
        """Of one vote, above 0.5: a judge that always errs looks like one that never does."""
        differed = self.differed + WORTH * 2 * EXPECTED * (1 - EXPECTED)
        share = min(differed / (self.agreed + self.differed + WORTH), 0.49)
        return (1 + sqrt(1 - 2 * share)) / 2


def odds(prior: float, yes: int, no: int, accuracy: float) -> float:
    """Probability of yes after the votes; ``prior`` before them. All strictly between 0 and 1."""
    logit = log(prior / (1 - prior)) + (yes - no) * log(accuracy / (1 - accuracy))
    return 1 / (1 + exp(-logit)) if logit > -700 else 0.0


def verdict(prior: float, yes: int, no: int, accuracy: float, doubt: float) -> bool | None:
    """What the votes say with a doubt of at most so much; ``None``: one more, or with ``MOST`` votes, undecided."""
    probability = odds(prior, yes, no, accuracy)
    if probability >= 1 - doubt:
        return True
    return False if probability <= doubt else None
