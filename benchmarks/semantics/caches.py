"""Caches without evidence: the peers' as they come, an exact one, a perfect one, and farthing's with a threshold."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import msgspec

from farthing.levers.recall.gate import refused_by_words
from farthing.levers.recall.semantic.decide import by_threshold
from semantics.data import Request
from semantics.replay import Served
from semantics.vectors import Nearest, Vectors

Conflict = Callable[[str, str], str | None]


class Similar:
    """Cosine above a threshold among all that have the same key: how the peers do it."""

    def __init__(
        self,
        name: str,
        vectors: Vectors,
        threshold: float,
        *,
        key: Callable[[Request], Hashable],
        text: Callable[[Request], str],
    ) -> None:
        self.name, self._vectors, self._threshold = name, vectors, threshold
        self._key, self._text = key, text
        self._parts: dict[Hashable, Nearest] = {}

    def ask(self, request: Request) -> Served | None:
        vector, key = self._vectors.of(self._text(request)), self._key(request)
        part = self._parts.setdefault(key, Nearest(len(vector)))
        for at, similarity in part.nearest(vector, 1):
            if similarity >= self._threshold:
                return Served(part.owners[at], "semantic")
        part.add(request.text, vector, request)
        return None


def gptcache(vectors: Vectors, threshold: float) -> Similar:
    """The last message, one pot for all."""
    name = f"GPTCache-style, {vectors.name}, {threshold}"
    return Similar(name, vectors, threshold, key=lambda _: None, text=lambda request: request.text)


def litellm(vectors: Vectors, threshold: float) -> Similar:
    """All messages in one string, a pot for each key, team and organisation (its default scope since 1.90)."""
    name = f"LiteLLM redis-semantic, {vectors.name}, {threshold}"
    return Similar(name, vectors, threshold, key=lambda request: request.tenant, text=joined)


def joined(request: Request) -> str:
    """LiteLLM's prompt. The answers in between are not in the data."""
    return "".join((*request.before, request.text))


class Place(msgspec.Struct, frozen=True):
    """What must be equal to the letter before two questions are compared."""

    tenant: str
    before: tuple[str, ...]


def place(request: Request) -> Place:
    return Place(request.tenant, request.before)


def refused(request: Request) -> str | None:
    """The gate's word, as in the gateway: a conversation with earlier answers is refused by its shape."""
    return "needs_context" if request.before else refused_by_words(request.text)


class Exact:
    """farthing without the semantic layer."""

    def __init__(self, name: str = "farthing, exact only", gate: Callable[[Request], str | None] = refused) -> None:
        self.name, self._gate = name, gate
        self._known: dict[tuple[Place, str], Request] = {}

    def ask(self, request: Request) -> Served | None:
        if self._gate(request) is not None:
            return None
        if (served := self.look(request)) is None:
            self.keep(request)
        return served

    def look(self, request: Request) -> Served | None:
        source = self._known.get((place(request), request.text))
        return None if source is None else Served(source, "exact")

    def keep(self, request: Request) -> None:
        self._known[place(request), request.text] = request


class Threshold:
    """farthing: exact, then the nearest question that no literal forbids."""

    LOOK = 8

    def __init__(
        self,
        vectors: Vectors,
        threshold: float,
        conflict: Conflict,
        *,
        gate: Callable[[Request], str | None] = refused,
        name: str = "",
    ) -> None:
        self.name = name or f"farthing, threshold {threshold}, {vectors.name}"
        self._vectors, self._threshold, self._conflict, self._gate = vectors, threshold, conflict, gate
        self._exact = Exact(gate=gate)
        self._parts: dict[Place, Nearest] = {}

    def ask(self, request: Request) -> Served | None:
        if self._gate(request) is not None:
            return None
        if (served := self._exact.look(request)) is not None:
            return served
        vector = self._vectors.of(request.text)
        part = self._parts.setdefault(place(request), Nearest(len(vector)))
        for at, similarity in part.nearest(vector, self.LOOK):
            conflict = self._conflict(request.text, part.texts[at])
            if by_threshold(similarity, conflict, self._threshold):
                return Served(part.owners[at], "semantic")
        part.add(request.text, vector, request)
        self._exact.keep(request)
        return None


class Oracle:
    """Every right hit and none else."""

    name = "oracle"

    def __init__(self) -> None:
        self._known: dict[tuple[Place, str], Request] = {}

    def ask(self, request: Request) -> Served | None:
        if request.why_not:
            return None
        if (source := self._known.get(key := (place(request), request.class_id))) is None:
            self._known[key] = request
        return None if source is None else Served(source, "oracle")


def perfect_gate(request: Request) -> str | None:
    return request.why_not or None
