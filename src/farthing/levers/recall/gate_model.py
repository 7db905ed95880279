"""A small linear model beside the gate's rules: it has read thousands of commands, live questions and plain questions.

Hashed words and pairs of words, a weight of one byte for each: some microseconds a question, no library. Its weights
come from ``scripts/train_gate.py``, which says what it was trained on; NOTICE names the sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from zlib import crc32

import msgspec

BUCKETS = 1 << 14
"""Weights of the model: a feature's is at its hash modulo this."""
LIMIT = 0.5
"""Log odds above which a question is refused: 62 to 38, commands and plain questions being equally likely."""
WORDS = 40
"""Words that are read at most: what a text wants stands at its beginning."""


class Model(msgspec.Struct, frozen=True, gc=False):
    """Weights as signed bytes in units of ``scale``."""

    weights: bytes
    scale: float
    bias: float

    def doubts(self, text: str) -> bool:
        """Whether a question, in lower case, looks like what must not be answered twice."""
        return self.score(text) > LIMIT

    def score(self, text: str) -> float:
        """Log odds that it must not; 0.0 is even."""
        weights = memoryview(self.weights).cast("b")
        places = {crc32(feature) & (BUCKETS - 1) for feature in features(text)}
        return self.bias + self.scale * sum(weights[place] for place in places)


def features(text: str) -> Iterator[bytes]:
    """Words, neighbours, words around one, how it begins, and how long it is, of a text in lower case."""
    words = [_DIGITS.sub(b"0", word.encode()) for word in _WORD.findall(text)[:WORDS]]
    yield b"length %d" % min(len(words), 12)
    yield b"^ " + b" ".join(words[:2])
    yield b"^ " + b" ".join(words[:3])
    yield b"$ " + b" ".join(words[-2:])
    before, earlier = b"^", b""
    for word in words:
        yield word
        yield before + b" " + word
        yield earlier + b" * " + word
        before, earlier = word, before


def load() -> Model:
    """The model that ships with the package."""
    stored = files("farthing.levers.recall").joinpath("gate_model.msgpack").read_bytes()
    return msgspec.msgpack.decode(stored, type=Model)


_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[?]")
_DIGITS = re.compile(rb"\d+")
