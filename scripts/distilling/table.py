"""The table as ``farthing.levers.recall.semantic.static`` reads it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from farthing.levers.recall.semantic.static import BIAS, LARGEST, written

CLIPPED = 99.95
"""Percentile of the values that becomes the largest: a few are cut for the sake of all others."""


def packed(vocabulary: list[str], rows: np.ndarray[Any, Any]) -> bytes:
    scale = LARGEST / np.percentile(np.abs(rows), CLIPPED)
    values = (np.clip(np.round(rows * scale), -LARGEST, LARGEST) + BIAS).astype(np.uint8)
    return written(vocabulary, [row.tobytes() for row in values])
