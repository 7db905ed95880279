"""What gives a request its query type. The keeper takes any of these; the room ``insight`` has the clever one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from farthing.ledger.records import Shape


class TypeMiner(Protocol):
    """Groups shapes into query types; what it has learned is kept in the ledger."""

    def assign(self, wire: str, shape: Shape) -> str:
        """The id of the shape's query type; an id never changes its meaning."""
        ...

    def names(self) -> dict[str, str]:
        """Id → a name in plain words."""
        ...

    def dump(self) -> bytes:
        """Everything learned, for the next process."""
        ...


MinerOf = Callable[[bytes | None], TypeMiner]
"""A miner from its dump, or a new one. Raises ``ValueError`` if the bytes are no dump of its kind."""


class KeyMiner:
    """Every shape key is a query type of its own, named by the first title seen."""

    def __init__(self, dump: bytes | None = None) -> None:
        self._titles: dict[str, str] = msgspec.json.decode(dump, type=dict[str, str]) if dump else {}

    def assign(self, wire: str, shape: Shape) -> str:  # noqa: ARG002 - others look at it
        """The shape's own key."""
        self._titles.setdefault(shape.key, shape.title or shape.key)
        return shape.key

    def names(self) -> dict[str, str]:
        """Key → title."""
        return dict(self._titles)

    def dump(self) -> bytes:
        """The titles."""
        return msgspec.json.encode(self._titles)
