"""Statement and ledger, put side by side by day, provider and model. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from farthing.ledger.billed import Billed
from farthing.ledger.rollup import DAY
from farthing.ledger.statements import Item, Statement

_DATE = re.compile(r"-20\d{2}-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$|-latest$")


class Place(NamedTuple):
    """Day (its start, UTC), provider and model; ``None`` where the statement does not tell them apart."""

    day: int | None
    provider: str | None
    model: str | None


class Side(msgspec.Struct):
    """What one of the two says of a place. ``None`` is not told."""

    requests: int | None = None
    tokens: dict[str, int] = msgspec.field(default_factory=dict)
    cost_nano: int | None = None

    def add(self, other: Side) -> None:
        """Add up; what nobody tells stays unknown."""
        self.requests = plus(self.requests, other.requests)
        self.cost_nano = plus(self.cost_nano, other.cost_nano)
        for name, count in other.tokens.items():
            self.tokens[name] = self.tokens.get(name, 0) + count

    def measures(self) -> dict[str, int]:
        """What it tells, by name."""
        named = {"requests": self.requests, **self.tokens, "cost_nano_usd": self.cost_nano}
        return {name: number for name, number in named.items() if number is not None}


class Cell(msgspec.Struct):
    """A place with both sides, and what may explain why they differ."""

    place: Place
    theirs: Side
    ours: Side
    slack_nano: int = 0
    keys: dict[str, Side] = msgspec.field(default_factory=dict)
    their_tiers: set[str] = msgspec.field(default_factory=set)
    tiers: set[str] = msgspec.field(default_factory=set)
    versions: set[str] = msgspec.field(default_factory=set)
    unpriced: int = 0
    unsettled: int = 0
    estimated: int = 0

    @property
    def delta(self) -> dict[str, int]:
        """Measure → theirs less ours, where they differ."""
        ours = self.ours.measures()
        found = {name: number - ours.get(name, 0) for name, number in self.theirs.measures().items()}
        return {name: number for name, number in found.items() if number}


def plus(one: int | None, other: int | None) -> int | None:
    """The sum of what is known."""
    return other if one is None else one if other is None else one + other


def cells(statement: Statement, provider: str | None, ledger: Sequence[Billed]) -> dict[Place, Cell]:
    """Every place that either of them has something about, with the measures that the statement tells."""
    items = statement.items
    daily = all(one.since is not None and (one.until or one.since) - one.since <= DAY for one in items)
    by_model = any(one.model is not None for one in items)
    told, exact = _told(statement), not any(item.slack_nano for item in items)
    renamed = same_names({one.model for one in items if one.model}, {one.model for one in ledger})
    theirs = [(_place(one, statement, provider, daily=daily), one) for one in items]
    by_provider = all(place.provider is not None for place, _ in theirs)
    found: dict[Place, Cell] = {}

    def at(place: Place) -> Cell:
        if place not in found:
            found[place] = Cell(place, _nothing(statement, told), _nothing(statement, told))
        return found[place]

    for place, item in theirs:
        _add_theirs(at(place), item, statement)
    for one in ledger:
        name = renamed.get(one.model, one.model) if by_model else None
        place = Place(one.day if daily else None, (provider or one.provider) if by_provider else None, name)
        _add_ours(at(place), one, statement, told, exact=exact)
    return found


def _nothing(statement: Statement, told: Collection[str]) -> Side:
    """Zero of everything that the statement tells."""
    return Side(
        0 if "requests" in told else None,
        dict.fromkeys(statement.classes, 0) if "tokens" in told else {},
        0 if "cost_nano_usd" in told else None,
    )


def same_names(theirs: Collection[str], ours: Collection[str]) -> dict[str, str]:
    """Our name → theirs, where only a date or ``-latest`` is the difference and no second model comes into question."""
    undated: defaultdict[str, list[str]] = defaultdict(list)
    for name in theirs:
        undated[plain(name)].append(name)
    return {name: known[0] for name in ours if name not in theirs and len(known := undated.get(plain(name), [])) == 1}


def plain(model: str) -> str:
    """A model's name without its date."""
    return _DATE.sub("", model.lower())


def _told(statement: Statement) -> set[str]:
    """Which measures the statement tells at all."""
    found: set[str] = set()
    for one in statement.items:
        if one.requests is not None:
            found.add("requests")
        if one.tokens:
            found.add("tokens")
        if one.cost_nano is not None:
            found.add("cost_nano_usd")
    return found


def _place(item: Item, statement: Statement, provider: str | None, *, daily: bool) -> Place:
    day = int(item.since // DAY * DAY) if daily and item.since is not None else None
    return Place(day, provider or item.provider or statement.provider, item.model)


def _add_theirs(cell: Cell, item: Item, statement: Statement) -> None:
    tokens = {name: item.tokens.get(name, 0) for name in statement.classes} if item.tokens else {}
    side = Side(item.requests, tokens, item.cost_nano)
    cell.theirs.add(side)
    cell.slack_nano += item.slack_nano
    if item.key is not None:
        cell.keys.setdefault(item.key, Side()).add(side)
    if item.tier is not None:
        cell.their_tiers.add(item.tier.lower())


def _add_ours(cell: Cell, one: Billed, statement: Statement, told: Collection[str], *, exact: bool) -> None:
    tokens = {name: sum(one.tokens[its] for its in held) for name, held in statement.classes.items()}
    cell.ours.add(
        Side(
            one.calls if "requests" in told else None,
            tokens if "tokens" in told else {},
            one.cost_nano if "cost_nano_usd" in told else None,
        )
    )
    if not exact:
        cell.slack_nano += one.calls  # each call is rounded to whole nano-dollars here, and perhaps not there
    cell.tiers |= one.tiers
    cell.versions |= one.versions
    cell.unpriced += one.unpriced
    cell.unsettled += one.unsettled
    cell.estimated += one.estimated


def neighbours(found: Mapping[Place, Cell], cell: Cell) -> Iterable[Cell]:
    """The same provider and model, a day before and after."""
    place = cell.place
    days = () if place.day is None else (place.day - DAY, place.day + DAY)
    return filter(None, (found.get(place._replace(day=day)) for day in days))


def beside(found: Mapping[Place, Cell], cell: Cell) -> Iterable[Cell]:
    """Other models of the same day and provider."""
    return (one for one in found.values() if one is not cell and one.place[:2] == cell.place[:2])
