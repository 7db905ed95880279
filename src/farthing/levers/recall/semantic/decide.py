"""Whether a stored answer is served for a question that is only like the one it was given to."""

from __future__ import annotations


def by_threshold(similarity: float, conflict: str | None, threshold: float) -> bool:
    """A higher threshold is stricter: 1 wants the same vector, 0 takes whatever no literal forbids."""
    return conflict is None and similarity >= threshold
