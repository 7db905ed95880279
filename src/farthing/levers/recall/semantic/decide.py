"""Whether a stored answer is served for a question that is only like the one it was given to."""

from __future__ import annotations

from typing import Literal


def by_threshold(similarity: float, conflict: str | None, threshold: float) -> bool:
    """A higher threshold is stricter: 1 wants the same vector, 0 takes whatever no literal forbids."""
    return conflict is None and similarity >= threshold


def by_evidence(at: int | None, conflict: str | None, served_from: int | None) -> Literal["serve", "shadow", "miss"]:
    """``at``: the match's level, ``served_from`` the loosest that the evidence allows; a smaller one is stricter.

    ``shadow``: the provider answers, and whether the stored answer would have done may be judged.
    """
    if at is None or conflict is not None:
        return "miss"
    return "serve" if served_from is not None and at <= served_from else "shadow"


def strength(similarity: float, rival: float, agreeing: int, looked_at: int) -> float:
    """Of a match whose ``agreeing`` of the ``looked_at`` nearest questions are known to have the same answer.

    ``rival``: similarity of the nearest question with another answer. Between 0 and 1; more of the first and third and
    less of the second never lower it. One lone neighbour, however close, is less than five that agree.
    """
    margin = max(0.0, similarity - max(0.0, rival))
    support = agreeing / looked_at if looked_at else 0.0
    return min(1.0, max(0.0, 0.55 * similarity + 0.30 * margin + 0.35 * support))
