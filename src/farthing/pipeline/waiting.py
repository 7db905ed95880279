"""Who waits until there is room on a way: first come, first served. Pure."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple


class Place(NamedTuple):
    """A request's place in the line for one way."""

    way: str
    number: int


class Lines:
    """The lines for all ways."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}
        """Numbers in order: of those who wait."""
        self._last = 0

    def ahead(self, way: str, place: Place | None) -> int:
        """How many are served before: those who came before, or all if one has no place in this line."""
        line = self._lines.get(way)
        if line is None:
            return 0
        return bisect_left(line, place.number) if place is not None and place.way == way else len(line)

    def join(self, way: str, place: Place | None) -> Place:
        """A place at the end; who stands in this line already keeps his."""
        if place is not None:
            if place.way == way:
                return place
            self.leave(place)
        self._last += 1
        self._lines.setdefault(way, []).append(self._last)
        return Place(way, self._last)

    def leave(self, place: Place) -> None:
        """The place is free; whoever comes after moves up."""
        line = self._lines[place.way]
        del line[bisect_left(line, place.number)]
        if not line:
            del self._lines[place.way]

    @property
    def waiting(self) -> int:
        """Who waits, in all lines."""
        return sum(map(len, self._lines.values()))
