"""farthing's verified mode, with a simulated judge that errs: each vote by itself, in one of ten."""

from __future__ import annotations

import random

import msgspec

from farthing.levers.recall.semantic.decide import by_evidence, strength
from farthing.levers.recall.semantic.evidence import Evidence, judged, level, served_from
from farthing.levers.recall.semantic.votes import MOST, Judge, verdict
from semantics.caches import Conflict, Exact, Place, place, refused
from semantics.data import Request
from semantics.replay import Served, wrong
from semantics.vectors import Nearest, Vectors

LOOK = 5
AUDITED = 0.2
DOUBT = 0.05
ACCURACY = 0.9
SURE = 0.002
"""The doubt of a verdict that is left when it is taken for one."""


class Room(msgspec.Struct):
    """One partition: its questions, which of them have one answer, and what is known of its matches."""

    nearest: Nearest
    group: list[int] = msgspec.field(default_factory=list)
    evidence: Evidence = msgspec.field(default_factory=Evidence)


class Verified:
    """Candidates that are not served are judged all, served answers one in five. Judging comes after the answer."""

    def __init__(self, vectors: Vectors, conflict: Conflict, max_error: float, *, seed: int = 1) -> None:
        self.name = f"farthing, verified at {max_error}, {vectors.name}"
        self._vectors, self._conflict, self._max_error = vectors, conflict, max_error
        self._draw = random.Random(seed)
        self._exact = Exact()
        self._rooms: dict[Place, Room] = {}
        self._judge = Judge()
        self.votes = 0

    def ask(self, request: Request) -> Served | None:
        if refused(request) is not None:
            return None
        if (served := self._exact.look(request)) is not None:
            return served
        vector = self._vectors.of(request.text)
        room = self._rooms.setdefault(place(request), Room(Nearest(len(vector))))
        found = room.nearest.nearest(vector, LOOK)
        if not found:
            return self._keep(room, request, None)
        at, similarity = found[0]
        mine = room.group[at]
        rival = max((score for other, score in found if room.group[other] != mine), default=0.0)
        strong = strength(similarity, rival, sum(room.group[other] == mine for other, _ in found), LOOK)
        source, grade = room.nearest.owners[at], level(strong)
        clash = self._conflict(request.text, source.text)
        choice = by_evidence(grade, clash, served_from(room.evidence, self._max_error, DOUBT))
        if choice == "serve":
            self._learn(room, request, source, grade, served=True)
            return Served(source, "semantic")
        same = self._learn(room, request, source, grade, served=False) if similarity > 0.6 and clash is None else None
        return self._keep(room, request, mine if same else None)

    def _keep(self, room: Room, request: Request, group: int | None) -> None:
        """What the provider said: with the group of the question that it was found to be one with, or its own."""
        room.group.append(len(room.group) if group is None else group)
        room.nearest.add(request.text, self._vectors.of(request.text), request)
        self._exact.keep(request)

    def _learn(self, room: Room, request: Request, source: Request, grade: int | None, *, served: bool) -> bool | None:
        """The judge's verdict, if there is one. What is served is judged less often: the weaker matches, which are
        served last, then weigh too much among the evidence, which makes its limits too high, never too low.
        """
        if served and self._draw.random() >= AUDITED:
            return None
        same = self._verdict(0.5, right=wrong(request, source) is None)
        if same is not None and grade is not None:
            room.evidence = judged(room.evidence, grade, right=same, served=served)
        return same

    def _verdict(self, prior: float, *, right: bool) -> bool | None:
        votes: list[bool] = []
        while len(votes) < MOST:
            votes.append(right if self._draw.random() < ACCURACY else not right)
            if len(votes) == 2:
                self._judge = self._judge.saw(*votes)
            yes = sum(votes)
            said = verdict(prior, yes, len(votes) - yes, self._judge.accuracy, SURE)
            if said is not None:
                break
        self.votes += len(votes)
        return said
