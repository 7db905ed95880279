"""The answer to a question that means the same as one that was asked before.

Only after the exact key has missed and the gate has let the request through. Everything but the question is equal, or
it is another partition. Of the nearest questions those go that a literal forbids; the rest has to be similar enough.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import msgspec

from farthing.exchange import Exchange
from farthing.levers.recall.answer import Answer
from farthing.levers.recall.key import Partition
from farthing.levers.recall.semantic.decide import by_threshold
from farthing.levers.recall.semantic.encoder import Encoder
from farthing.levers.recall.semantic.literals import Literals, clash, read
from farthing.levers.recall.semantic.partition import room_of, soften
from farthing.levers.recall.semantic.questions import Found
from farthing.levers.recall.semantic.tables import Entry

NEAREST = 4
"""Questions that are looked at: the nearest may be the one that a literal forbids."""
_LITERALS = msgspec.msgpack.Decoder(Literals)


class Asked:
    """A question that may be compared with others."""

    def __init__(self, room: bytes, text: str, vector: bytes) -> None:
        """``room``: its partition."""
        self.room, self.text, self.vector = room, text, vector

    @cached_property
    def literals(self) -> Literals:
        """Read when first needed: most questions are near no other."""
        return read(self.text)


class Match(msgspec.Struct, frozen=True):
    """An earlier question whose answer will do."""

    number: int
    similarity: float
    """The cosine of the two, from -1 to 1."""
    key: bytes
    """Of its answer in the store."""
    answer: Answer


class Questions(Protocol):
    """Where answered questions are kept; fails open."""

    def nearest(
        self, partition: bytes, vector: bytes, count: int, now: float, *, least: float = ...
    ) -> list[Found]: ...
    def add(self, partition: bytes, entry: Entry) -> bool: ...
    def drop(self, partition: bytes, number: int) -> bool: ...


class Answers(Protocol):
    """Where their answers are."""

    def get(self, key: bytes, now: float) -> Answer | None: ...


class Similar:
    """Finds and remembers questions. May raise: who calls it goes on without."""

    def __init__(self, questions: Questions, answers: Answers, encoder: Encoder, threshold: float) -> None:
        """``threshold``: the least similarity, by this encoder."""
        self._questions, self._answers, self._encoder, self._threshold = questions, answers, encoder, threshold

    def ask(self, partition: Partition, wire: str, canonical: bytes) -> Asked | None:
        """``None`` if the request is no single question, or one that the encoder cannot take in."""
        soft = soften(wire, canonical)
        vector = None if soft is None else self._encoder.encode(soft.question)
        if soft is None or vector is None:
            return None
        room = room_of(partition, wire, soft.rest, self._encoder.id)
        return Asked(room, soft.question, vector)

    def find(self, asked: Asked, now: float) -> Match | None:
        """The most similar question that nothing speaks against, and that still has its answer."""
        for found in self._questions.nearest(asked.room, asked.vector, NEAREST, now, least=self._threshold):
            conflict = clash(asked.literals, _LITERALS.decode(found.entry.literals))
            if not by_threshold(found.similarity, conflict, self._threshold):
                continue
            answer = self._answers.get(found.entry.answer, now)
            if answer is not None:
                return Match(found.number, found.similarity, found.entry.answer, answer)
            self._questions.drop(asked.room, found.number)
        return None

    def remember(self, exchange: Exchange, asked: Asked, key: bytes, answer: Answer) -> None:
        """The question has this answer now."""
        caller = exchange.caller
        entry = Entry(
            question=asked.text,
            vector=asked.vector,
            literals=msgspec.msgpack.encode(asked.literals),
            answer=key,
            tenant=caller.tenant,
            stored_at=answer.stored_at,
            expires_at=answer.expires_at,
            user=caller.user,
            feature=caller.feature,
            tags=tuple([f"{name}={value}" for name, value in caller.tags]),
        )
        self._questions.add(asked.room, entry)
