"""Everything that ``benchmarks/semantic.py`` measures, as one object; and how it is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from farthing.levers.recall.semantic import literals
from semantics import caches, data, minilm, pairs
from semantics.caches import Conflict
from semantics.replay import Cache, replay
from semantics.vectors import Array, Vectors
from semantics.verified import Verified

MINILM, SHIPPED = "MiniLM", "shipped"
THRESHOLDS = (0.80, 0.85, 0.88, 0.90, 0.92, 0.95, 0.97)
Say = Callable[[str], None]
Json = dict[str, Any]


def everything(folder: Path, encoder: str, kept: Path | None, most: int, say: Say) -> Json:
    """``encoder`` is farthing's own: ``shipped`` or ``minilm``; ``most``: pairs of a set."""
    requests = data.mix(folder)
    sets = {name: data.pairs(folder, name, most) for name in data.PAIRS if (folder / f"{name}.parquet").exists()}
    texts = [request.text for request in requests]
    texts += [text for one in sets.values() for pair in one for text in (pair.one, pair.other)]
    theirs = Vectors(MINILM, encode_minilm, kept)
    theirs.prepare([*texts, *map(caches.joined, requests)], say)
    ours = theirs if encoder == "minilm" else Vectors(*shipped(), folder=None)
    ours.prepare(texts, say)
    conflict = literal_rules()
    mixed = []
    for contender in contenders(theirs, ours, conflict):
        mixed.append(replay(requests, contender))
        if isinstance(contender, Verified):
            mixed[-1]["votes"] = contender.votes
        say(row(mixed[-1]))
    paired = {name: pairs.measure(one, theirs, ours, conflict, THRESHOLDS) for name, one in sets.items()}
    return {"requests": len(requests), "encoder": ours.name, "mix": mixed, "pairs": paired}


def contenders(theirs: Vectors, ours: Vectors, conflict: Conflict) -> list[Cache]:
    return [
        caches.gptcache(theirs, 0.80),
        caches.gptcache(theirs, 0.92),
        caches.litellm(theirs, 0.80),
        caches.Exact(),
        *(caches.Threshold(ours, threshold, conflict) for threshold in THRESHOLDS),
        Verified(ours, overruling(), 0.01),
        caches.Exact("exact, perfect gate", caches.perfect_gate),
        caches.Threshold(ours, 0.92, conflict, gate=caches.perfect_gate, name="threshold 0.92, perfect gate"),
        caches.Oracle(),
    ]


def overruling() -> Conflict:
    """The rules that no judge may overrule."""
    strict = literal_rules()

    def firm(one: str, other: str) -> str | None:
        found = strict(one, other)
        return None if found in literals.SOFT else found

    return firm


def literal_rules() -> Conflict:
    """farthing's, with every text read once."""
    reading = cache(literals.read)
    return lambda one, other: literals.clash(reading(one), reading(other))


@cache
def _minilm() -> minilm.MiniLM:
    return minilm.MiniLM(minilm.packaged())


def encode_minilm(texts: list[str]) -> Array:
    return _minilm().encode(texts)


def shipped() -> tuple[str, Callable[[list[str]], Array]]:
    """farthing's own encoder, by its id."""
    import numpy as np

    from farthing.levers.recall.semantic import static

    encoder = static.shipped()

    def encode(texts: list[str]) -> Array:
        rows = np.zeros((len(texts), encoder.dimensions), np.float32)
        for at, text in enumerate(texts):
            if (found := encoder.encode(text)) is not None:
                whole = np.frombuffer(found, np.int8).astype(np.float32)
                rows[at] = whole / max(float(np.linalg.norm(whole)), 1e-9)
        return rows

    return encoder.id, encode


def row(found: Json) -> str:
    low, high = found["wrong_interval_95"]
    wrong = f"{found['wrong']:6} wrong = {found['wrong_of_served'] or 0:6.2%} ({low:.2%} to {high:.2%})"
    return f"{found['cache']:48} {found['hits']:6.1%} hits, {wrong}, {found['across_tenants']} across tenants"


def table(found: Json) -> str:
    lines = [f"{found['requests']} requests", *map(row, found["mix"])]
    for name, measured in found["pairs"].items():
        lines.append(f"{name}: {measured['pairs']} pairs, {measured['same']} with one answer")
        lines += map(pairs.row, measured["rows"])
    return "\n".join(lines)


def plot(found: Json) -> str:
    """Hits and wrong of served, one bar a cache."""
    from stand.chart import bars

    panels = [
        ("Hits, % of requests", {each["cache"]: 100 * (each["hits"] or 0) for each in found["mix"]}, ".1f"),
        ("Wrong, % of served", {each["cache"]: 100 * (each["wrong_of_served"] or 0) for each in found["mix"]}, ".2f"),
    ]
    return bars(panels, f"replay_mix, {found['requests']} requests; farthing's encoder: {found['encoder']}")
