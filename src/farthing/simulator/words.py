"""Word lists, readable in the source."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text that is separated by white space."""
    return frozenset(text.split())
