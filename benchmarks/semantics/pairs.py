"""Pairs of questions: who would answer the second with the first one's answer, and was that right?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from farthing.levers.recall.gate import refused_by_words
from farthing.levers.recall.semantic.bounds import clopper_pearson
from farthing.levers.recall.semantic.decide import by_threshold
from semantics.caches import Conflict
from semantics.data import Pair
from semantics.replay import share
from semantics.vectors import Vectors

Json = dict[str, Any]
PEERS = (0.80, 0.92)


def measure(
    pairs: Sequence[Pair], theirs: Vectors, ours: Vectors, conflict: Conflict, thresholds: Sequence[float]
) -> Json:
    """MiniLM alone at the peers' thresholds; ours with gate and literals at every one."""
    rows = [
        judged(f"{theirs.name} alone, {threshold}", pairs, [alike(theirs, pair) >= threshold for pair in pairs])
        for threshold in PEERS
    ]
    allowed = [refused_by_words(pair.one) is None and refused_by_words(pair.other) is None for pair in pairs]
    forbidden = [conflict(pair.one, pair.other) for pair in pairs]
    scores = [alike(ours, pair) for pair in pairs]
    for threshold in thresholds:
        found = [by_threshold(score, why, threshold) for score, why in zip(scores, forbidden, strict=True)]
        rows.append(judged(f"farthing, {threshold}, literals only", pairs, found))
        gated = [served and free for served, free in zip(found, allowed, strict=True)]
        rows.append(judged(f"farthing, {threshold}, gate and literals", pairs, gated))
    kept = rows[1]["right"]
    for row in rows:
        row["of_what_minilm_finds_at_0.92"] = share(row["right"], kept)
    return {"pairs": len(pairs), "same": sum(pair.same for pair in pairs), "rows": rows}


def alike(vectors: Vectors, pair: Pair) -> float:
    return float(vectors.of(pair.one) @ vectors.of(pair.other))


def judged(name: str, pairs: Sequence[Pair], served: Sequence[bool]) -> Json:
    right = sum(given and pair.same for given, pair in zip(served, pairs, strict=True))
    wrong = sum(served) - right
    low, high = clopper_pearson(wrong, right + wrong)
    return {
        "cache": name,
        "served": right + wrong,
        "right": right,
        "wrong": wrong,
        "wrong_of_served": share(wrong, right + wrong),
        "wrong_interval_95": [round(low, 5), round(high, 5)],
        "recall": share(right, sum(pair.same for pair in pairs)),
    }


def row(found: Json) -> str:
    low, high = found["wrong_interval_95"]
    wrong = f"{found['wrong']:5} wrong = {found['wrong_of_served'] or 0:6.2%} ({low:.2%} to {high:.2%})"
    kept = found["of_what_minilm_finds_at_0.92"] or 0
    served = f"{found['served']:5} served, {wrong}, recall {found['recall'] or 0:6.1%}"
    return f"  {found['cache']:38} {served}, {kept:.0%} of what MiniLM finds at 0.92"
