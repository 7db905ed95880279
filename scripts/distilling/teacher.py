"""all-MiniLM-L6-v2 in torch, from its weights alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional

WINDOW, LAYERS, HEADS, WIDTH = 256, 6, 12, 384
AT_ONCE = 4000
"""Pieces of one batch."""
CLS, SEP = 101, 102


class Teacher:
    def __init__(self, folder: Path) -> None:
        self._of = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(WINDOW)
        self._tokenizer.no_padding()

    def vocabulary(self) -> list[str]:
        """The pieces in the order of their numbers."""
        numbers = json.loads(self._tokenizer.to_str())["model"]["vocab"]
        return sorted(numbers, key=numbers.__getitem__)

    def read(self, text: str) -> list[int]:
        """The numbers of its pieces."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def pieces(self) -> np.ndarray[Any, Any]:
        """Its vector of every piece alone: float32 [pieces, 384]."""
        numbers = torch.arange(len(self.vocabulary()))
        alone = torch.stack([torch.full_like(numbers, CLS), numbers, torch.full_like(numbers, SEP)], dim=1)
        return torch.cat([self._batch(some) for some in alone.split(AT_ONCE // 3)]).numpy()

    def encode(self, texts: list[str]) -> np.ndarray[Any, Any]:
        """Vectors of length 1: float32 [texts, 384]. Texts of one length go together: nothing to pad or mask."""
        read = [one.ids for one in self._tokenizer.encode_batch(texts)]
        by_length: dict[int, list[int]] = {}
        for at, one in enumerate(read):
            by_length.setdefault(len(one), []).append(at)
        found = np.zeros((len(texts), WIDTH), np.float32)
        for length, places in by_length.items():
            step = max(1, AT_ONCE // length)
            for begin in range(0, len(places), step):
                some = places[begin : begin + step]
                found[some] = self._batch(torch.tensor([read[at] for at in some])).numpy()
        return found

    @torch.no_grad()
    def _batch(self, numbers: torch.Tensor) -> torch.Tensor:
        of = self._of
        hidden = of["embeddings.word_embeddings.weight"][numbers] + of["embeddings.token_type_embeddings.weight"][0]
        hidden = self._norm(
            hidden + of["embeddings.position_embeddings.weight"][: numbers.shape[1]], "embeddings.LayerNorm"
        )
        for number in range(LAYERS):
            layer = f"encoder.layer.{number}"
            mixed = self._dense(self._attention(hidden, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
            hidden = self._norm(hidden + mixed, f"{layer}.attention.output.LayerNorm")
            wide = functional.gelu(self._dense(hidden, f"{layer}.intermediate.dense"))
            hidden = self._norm(hidden + self._dense(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return functional.normalize(hidden.mean(1), dim=1)

    def _attention(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        query, key, value = (
            self._dense(hidden, f"{name}.{part}").view(*hidden.shape[:2], HEADS, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return mixed.transpose(1, 2).reshape(hidden.shape)

    def _dense(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(hidden, self._of[f"{name}.weight"], self._of[f"{name}.bias"])

    def _norm(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(hidden, (WIDTH,), self._of[f"{name}.weight"], self._of[f"{name}.bias"], 1e-12)
