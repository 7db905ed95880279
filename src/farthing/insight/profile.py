"""Where the money goes: how few query types make most of the bill, and what makes the dearest ones dear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import msgspec

from farthing.money import divide_half_even
from farthing.types import Usage

MOST = 0.8
"""The part of the bill that Pareto's rule is about."""
STANDS_OUT = 1.5
"""How many times the average makes a driver."""
MATTERS = 0.2
"""A class of tokens that is a smaller part of the cost drives nothing."""
OUTPUT_WEIGHT = 4
"""An output token costs about four input tokens at most providers: only for telling a dear model from long texts."""
LONG_PREFIX = 1_024
"""Tokens from which providers cache a prompt's beginning."""


class Spend(msgspec.Struct, frozen=True):
    """What one key (a query type, a user …) cost: nano-dollars, requests, tokens."""

    key: str
    cost_nano: int
    requests: int
    usage: Usage = Usage()


class Step(msgspec.Struct, frozen=True):
    """One key of the cumulative list, dearest first; shares of the bill, 0 to 1."""

    key: str
    cost_nano: int
    share: float
    cumulative: float


class Pareto(msgspec.Struct, frozen=True):
    """How concentrated a bill is.

    ``few`` of ``steps`` make ``share`` (at least 80%) of it. ``gini``: 0 all cost the same, towards 1 one costs all.
    """

    steps: tuple[Step, ...]
    few: int
    share: float
    gini: float
    sentence: str


class Example(msgspec.Struct, frozen=True):
    """One request of a pattern; ``text`` is empty where examples are not kept."""

    id: str
    text: str = ""
    cost_nano: int | None = None


class Pattern(msgspec.Struct, frozen=True):
    """A query type that costs much. ``mean`` tokens are per request, rounded; ``drivers`` are plain words."""

    key: str
    cost_nano: int
    share: float
    requests: int
    cost_per_request_nano: int
    mean: Usage
    drivers: tuple[str, ...]
    examples: tuple[Example, ...]


def pareto(rows: Sequence[Spend], things: str = "query types") -> Pareto:
    """The concentration of a bill over the rows that cost something. ``things`` names them in the sentence."""
    ranked = sorted((row for row in rows if row.cost_nano > 0), key=lambda row: (-row.cost_nano, row.key))
    total = sum(row.cost_nano for row in ranked)
    if total <= 0:
        return Pareto((), 0, 0.0, 0.0, "Nothing has been spent yet.")
    sums = accumulate(row.cost_nano for row in ranked)
    steps = tuple(
        Step(row.key, row.cost_nano, row.cost_nano / total, upto / total)
        for row, upto in zip(ranked, sums, strict=True)
    )
    few = next(i for i, step in enumerate(steps, 1) if step.cumulative >= MOST)
    share = steps[few - 1].cumulative
    sentence = (
        f"{few / len(steps):.0%} of the {things} ({few} of {len(steps)}) make {share:.0%} of the bill."
        if len(steps) > 1
        else f"All of the bill is one of the {things}."
    )
    return Pareto(steps, few, share, gini([row.cost_nano for row in ranked]), sentence)


def gini(amounts: Sequence[int]) -> float:
    """Inequality of non-negative amounts: 0 if all are equal, (n-1)/n if one has everything."""
    ranked = sorted(amounts)
    total, n = sum(ranked), len(ranked)
    if not total:
        return 0.0
    return 2 * sum(i * amount for i, amount in enumerate(ranked, 1)) / (n * total) - (n + 1) / n


def expensive_patterns(rows: Sequence[Spend], examples: Mapping[str, Sequence[Example]], top: int = 3) -> list[Pattern]:
    """The dearest rows with what drives their cost, compared with all rows together."""
    total = sum(row.cost_nano for row in rows)
    every = _Means(rows)
    ranked = sorted((row for row in rows if row.cost_nano > 0), key=lambda row: (-row.cost_nano, row.key))
    return [
        Pattern(
            key=row.key,
            cost_nano=row.cost_nano,
            share=row.cost_nano / total,
            requests=row.requests,
            cost_per_request_nano=divide_half_even(row.cost_nano, max(row.requests, 1)),
            mean=_mean(row.usage, row.requests),
            drivers=_drivers(_Means([row]), every, len(rows)),
            examples=tuple(examples.get(row.key, ())),
        )
        for row in ranked[:top]
    ]


class _Means:
    """Sums and means over rows, for comparing some with all."""

    def __init__(self, rows: Sequence[Spend]) -> None:
        self.requests = sum(row.requests for row in rows)
        self.prompt_sum = sum(row.usage.prompt_tokens for row in rows)
        self.cached_sum = sum(row.usage.cache_read for row in rows)
        outputs = sum(row.usage.output for row in rows)
        self.prompt = self.prompt_sum / max(self.requests, 1)
        self.output = outputs / max(self.requests, 1)
        self.per_token = sum(row.cost_nano for row in rows) / max(self.prompt_sum + OUTPUT_WEIGHT * outputs, 1)


def _drivers(own: _Means, every: _Means, kinds: int) -> tuple[str, ...]:
    """What stands out, most first."""
    volume = own.requests / max(every.requests, 1)
    of_output = OUTPUT_WEIGHT * own.output / max(own.prompt + OUTPUT_WEIGHT * own.output, 1)
    compared = [
        (own.prompt / max(every.prompt, 1), 1 - of_output, f"long input: {own.prompt:,.0f} tokens a request"),
        (own.output / max(every.output, 1), of_output, f"long output: {own.output:,.0f} tokens a request"),
        (volume * kinds, 1.0, f"volume: {volume:.0%} of all requests"),
        (own.per_token / (every.per_token or 1), 1.0, "dear model"),
    ]
    found = [
        f"{words} ({ratio:.1f} times the average)"
        for ratio, part, words in sorted(compared, reverse=True)
        if ratio >= STANDS_OUT and part >= MATTERS and kinds > 1
    ]
    fresh = 1 - own.cached_sum / max(own.prompt_sum, 1)
    if own.prompt >= LONG_PREFIX and fresh >= 0.5:
        found.append(f"uncached prefix: {fresh:.0%} of the input was paid in full")
    return tuple(found) or ("nothing stands out: many average requests",)


def _mean(usage: Usage, requests: int) -> Usage:
    counts = msgspec.structs.asdict(usage)
    return Usage(**{name: divide_half_even(count, max(requests, 1)) for name, count in counts.items()})
