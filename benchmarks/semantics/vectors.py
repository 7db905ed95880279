"""Vectors of texts, kept in a folder between runs: the same text of the same encoder is encoded once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]
Encode = Callable[[list[str]], Array]
ROUND = 2000


class Vectors:
    """Of one encoder. A text that it cannot encode has a vector of zeros, which is like nothing."""

    def __init__(self, name: str, encode: Encode, folder: Path | None) -> None:
        self.name, self._encode = name, encode
        self._file = folder / f"{blake2b(name.encode(), digest_size=6).hexdigest()}.npz" if folder else None
        self._at: dict[str, int] = {}
        self._rows: list[Array] = []
        if self._file and self._file.exists():
            kept = np.load(self._file)
            self._add(json.loads(kept["texts"].tobytes()), kept["vectors"])

    def prepare(self, texts: Iterable[str], say: Callable[[str], None]) -> None:
        missing = [text for text in dict.fromkeys(texts) if text not in self._at]
        for start in range(0, len(missing), ROUND):
            say(f"  {self.name}: {start} of {len(missing)} texts encoded")
            part = missing[start : start + ROUND]
            self._add(part, self._encode(part))
        if missing and self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            texts_ = np.frombuffer(json.dumps([*self._at]).encode(), np.uint8)
            np.savez(self._file, texts=texts_, vectors=np.array(self._rows, np.float32))

    def of(self, text: str) -> Array:
        return self._rows[self._at[text]]

    def _add(self, texts: list[str], rows: Array) -> None:
        for text, row in zip(texts, rows, strict=True):
            self._at[text] = len(self._rows)
            self._rows.append(row)


class Nearest:
    """Exact search in the vectors of one partition; rows are kept in one growing block."""

    def __init__(self, dimensions: int) -> None:
        self._block = np.zeros((64, dimensions), np.float32)
        self.texts: list[str] = []
        self.owners: list[Any] = []

    def add(self, text: str, vector: Array, owner: object) -> None:
        if len(self.texts) == len(self._block):
            self._block = np.concatenate([self._block, np.zeros_like(self._block)])
        self._block[len(self.texts)] = vector
        self.texts.append(text)
        self.owners.append(owner)

    def nearest(self, vector: Array, count: int) -> list[tuple[int, float]]:
        """Places and cosines, the nearest first; of equals the older."""
        if not self.texts:
            return []
        scores = self._block[: len(self.texts)] @ vector
        first = np.argpartition(-scores, count - 1)[:count] if count < len(scores) else np.arange(len(scores))
        return sorted(((int(at), float(scores[at])) for at in first), key=lambda pair: (-pair[1], pair[0]))
