"""What was read → what the first page shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

import msgspec

from farthing.dashboard import charts, text
from farthing.dashboard.reading import Figures, Point, Reading
from farthing.dashboard.view import Cache, Headline, Item, Lever, Link, Mode, Notice, Page, Pattern, Ranking
from farthing.errors import BadRequest
from farthing.insight.profile import Spend, expensive_patterns, pareto

HOUR = 3_600
DAY = 86_400
RANGES: dict[str, tuple[str, str, int | None]] = {
    "24h": ("24 h", "last 24 hours", DAY),
    "7d": ("7 d", "last 7 days", 7 * DAY),
    "30d": ("30 d", "last 30 days", 30 * DAY),
    "all": ("All", "all time", None),
}
"""Name in the query string → label, words, seconds."""
DEFAULT_RANGE = "30d"
SHADES = 5
"""Features with a colour of their own."""
RANKED = 7
LEVERS = {
    "exact": "repeats, from the cache",
    "semantic": "questions that mean the same, from the cache",
    "": "of no single lever",
}
"""Plain words for a lever."""
CACHE_LEVERS = frozenset({"exact", "semantic"})
LEAST_BUCKETS = 14
"""A chart is at least so many buckets wide, so that a first day is not one wall of colour."""
MOST_BUCKETS = 400


class Choice(msgspec.Struct, frozen=True):
    """What the visitor asked to see."""

    range: str
    now: float
    tenant: str | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], now: float) -> Choice:
        """From a query string; raises ``BadRequest`` that names what is not understood."""
        if unknown := sorted(query.keys() - {"range", "tenant"}):
            raise BadRequest(f"{', '.join(unknown)}: the page takes range and tenant")
        range_ = query.get("range") or DEFAULT_RANGE
        if range_ not in RANGES:
            raise BadRequest(f"range: {range_!r} is none of {', '.join(RANGES)}")
        return cls(range_, now, query.get("tenant") or None)

    @property
    def since(self) -> float | None:
        """Start of the period, on a whole hour as the sums are kept by the hour; ``None``: everything."""
        length = RANGES[self.range][2]
        return None if length is None else (self.now - length) // HOUR * HOUR

    def href(self, **changes: str) -> str:
        """The page with another range or tenant; an empty tenant means all."""
        chosen = {"range": self.range, "tenant": self.tenant or "", **changes}
        kept = {name: value for name, value in chosen.items() if value and (name, value) != ("range", DEFAULT_RANGE)}
        return f"/farthing/?{urlencode(kept, errors='replace')}" if kept else "/farthing/"


def build(reading: Reading, choice: Choice, mode: Mode, names: Mapping[str, str]) -> Page:
    """``names``: query type → plain words."""
    total = reading.total
    spends = [Spend(_name(row.key, names, "other"), row.cost, row.requests, row.usage) for row in reading.query_types]
    return Page(
        mode=mode,
        period=RANGES[choice.range][1],
        ranges=tuple(Link(label, choice.href(range=key), key == choice.range) for key, (label, *_) in RANGES.items()),
        tenants=_tenants(reading.tenants, choice),
        headline=_headline(total),
        notices=tuple(notices(total)),
        chart=_chart(reading, choice, mode),
        pareto=pareto(spends).sentence if total.cost > 0 and spends else "",
        patterns=_patterns(spends, reading, names),
        rankings=(
            ranking("Features", "feature", reading.features, hint="x-farthing-feature"),
            ranking("Models", "model", reading.models),
            ranking("Users", "user", reading.users, hint="x-farthing-user"),
            ranking("Query types", "query type", reading.query_types, names),
        ),
        cache=_cache(reading, mode),
        levers=_levers(reading.levers),
        lines=reading.lines,
        now=choice.now,
    )


def notices(total: Figures) -> Iterable[Notice]:
    """What makes the figures less than sure, loudest first."""
    if n := total.unpriced:
        yield Notice(
            "unpriced",
            f"{_calls(n)} no known price.",
            "The bill is higher than shown. Add the model's price to the price file ([prices] file).",
        )
    if n := total.unsettled:
        yield Notice(
            "unsettled",
            f"{_calls(n)} not ended, as far as is known.",
            "Their cost is not in the bill: the process stopped, or they are still running.",
        )
    if n := total.estimated:
        yield Notice(
            "estimated",
            f"{_calls(n)} an estimated cost.",
            "The provider reported no usage, so farthing counted the tokens itself.",
        )


def ranking(
    title: str, noun: str, rows: Sequence[Figures], names: Mapping[str, str] | None = None, hint: str = ""
) -> Ranking:
    """The dearest rows as bars, and the rest as one. ``hint``: the header that would name the nameless."""
    ranked = sorted(rows, key=lambda row: (-row.cost, row.key or ""))
    few, rest = ranked[:RANKED], ranked[RANKED:]
    longest = max((row.cost for row in few), default=0)
    items = [_item(_name(row.key, names or {}, f"no {noun} named"), row, longest) for row in few]
    if rest:
        cost, requests = sum(row.cost for row in rest), sum(row.requests for row in rest)
        items.append(_item(f"{len(rest):,} more", Figures(key=None, cost=cost, requests=requests), longest))
    nameless = hint and all(row.key is None for row in rows)
    return Ranking(title, noun, tuple(items), f"Send the header {hint} to see them by name." if nameless else "")


def _item(name: str, row: Figures, longest: int) -> Item:
    width = round(100 * max(0, row.cost) / longest, 2) if longest else 0.0
    return Item(name, row.cost, row.requests, min(width, 100.0), row.median, aside=row.key is None)


def _calls(number: int) -> str:
    return "1 provider call has" if number == 1 else f"{number:,} provider calls have"


def _name(key: str | None, names: Mapping[str, str], nameless: str) -> str:
    return names.get(key, key) if key else nameless


def _tenants(tenants: Sequence[str], choice: Choice) -> tuple[Link, ...]:
    if len(tenants) < 2 and choice.tenant is None:
        return ()
    every = Link("All tenants", choice.href(tenant=""), choice.tenant is None)
    return (every, *(Link(name, choice.href(tenant=name), name == choice.tenant) for name in tenants))


def _headline(total: Figures) -> Headline:
    return Headline(
        cost=total.cost,
        baseline=total.baseline,
        saved=total.saved,
        would_save=total.would_save,
        requests=total.requests,
        hits=total.hits,
        misses=total.misses,
    )


def _patterns(spends: Sequence[Spend], reading: Reading, names: Mapping[str, str]) -> tuple[Pattern, ...]:
    examples = {_name(key, names, ""): text_ for key, text_ in reading.examples.items()}
    return tuple(
        Pattern(found.key, examples.get(found.key, ""), found.cost_nano, found.requests, found.drivers)
        for found in expensive_patterns(spends, {})
    )


def _cache(reading: Reading, mode: Mode) -> Cache:
    total = reading.total
    mine = [(saved, would) for name, saved, would in reading.levers if name in CACHE_LEVERS]
    return Cache(
        hits=total.hits,
        misses=total.misses,
        off=total.requests - total.hits - total.misses,
        saved=sum(would if mode == "observe" else saved for saved, would in mine),
    )


def _levers(levers: Sequence[tuple[str, int, int]]) -> tuple[Lever, ...]:
    amounts = sorted(((saved or would, name) for name, saved, would in levers), reverse=True)
    longest = max((amount for amount, _ in amounts), default=0)
    return tuple(
        Lever(LEVERS.get(name, name), amount, round(100 * max(0, amount) / longest, 2) if longest > 0 else 0.0)
        for amount, name in amounts
        if amount
    )


def _chart(reading: Reading, choice: Choice, mode: Mode) -> charts.Chart | None:
    if not any(point.cost or point.saved for point in reading.points):
        return None
    starts = _buckets([point.ts for point in reading.points], reading.bucket, choice.now)
    hourly = reading.bucket == HOUR
    title = f"Spend {'an hour' if hourly else 'a day'} by feature, {RANGES[choice.range][1]}"
    return charts.stacked(
        title,
        [f"{text.day(at)} {text.hour(at)}" if hourly else text.day(at) for at in starts],
        [text.hour(at) if hourly else text.day(at) for at in starts],
        _series(reading.points, starts, with_saved=mode == "save"),
    )


def _buckets(times: Sequence[float], width: int, now: float) -> list[int]:
    """Starts of the buckets from the first one with something in it to now; wide enough, and not without end."""
    last = max(int(now), *map(int, times)) // width
    first = min(int(min(times)) // width, last - LEAST_BUCKETS + 1)
    return [index * width for index in range(max(first, last - MOST_BUCKETS + 1), last + 1)]


def _series(points: Sequence[Point], starts: Sequence[int], *, with_saved: bool) -> list[charts.Series]:
    totals: dict[str | None, int] = {}
    for point in points:
        totals[point.key] = totals.get(point.key, 0) + point.cost
    top = sorted(totals, key=lambda key: (-totals[key], key or ""))[:SHADES]
    found = [_one(key or "no feature named", f"s{place}", points, starts, {key}) for place, key in enumerate(top)]
    if rest := totals.keys() - set(top):
        found.append(_one(f"{len(rest):,} more", "other", points, starts, rest))
    if with_saved and any(point.saved > 0 for point in points):
        found.append(_one("saved", "saved", points, starts, totals.keys(), saved=True))
    return found


def _one(
    name: str,
    shade: str,
    points: Sequence[Point],
    starts: Sequence[int],
    keys: Iterable[str | None],
    *,
    saved: bool = False,
) -> charts.Series:
    chosen = set(keys)
    width = starts[1] - starts[0]
    sums = dict.fromkeys(starts, 0)
    for point in points:
        at = int(point.ts) // width * width
        if point.key in chosen and at in sums:
            sums[at] += point.saved if saved else point.cost
    return charts.Series(name, tuple(sums.values()), shade)
