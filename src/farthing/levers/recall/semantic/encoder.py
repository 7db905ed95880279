"""What turns a question into a vector."""

from __future__ import annotations

from typing import Protocol


class Encoder(Protocol):
    """Vectors of two encoders have nothing to do with each other: the id is part of every partition."""

    @property
    def id(self) -> str:
        """Name and version."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector in bytes."""
        ...

    def encode(self, text: str) -> bytes | None:
        """A signed byte for each dimension, of which only the direction counts; ``None`` for a text that is too long,
        or that it knows nothing of.
        """
        ...


def similarity(one: bytes, other: bytes) -> float:
    """The cosine of two vectors, from -1 to 1."""
    mine, yours = memoryview(one).cast("b"), memoryview(other).cast("b")
    dot = sum(a * b for a, b in zip(mine, yours, strict=True))
    lengths = sum(a * a for a in mine) * sum(b * b for b in yours)
    return dot / lengths**0.5 if lengths else 0.0
