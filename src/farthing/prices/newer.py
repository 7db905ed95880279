"""A newer catalogue beside the built-in one: checked in full, compared, and put in place only if it is right."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from farthing.errors import PriceError
from farthing.prices.catalog import Catalog, Clause, Model, Shelf, Steps
from farthing.prices.rates import PRICED

DEAREST = Decimal(10) ** 6
"""Dollars: a larger number is a slip of the unit."""
LEAST_SHARE = 2
"""A catalogue with less than one in so many of the models that are known is a broken one."""


class Change(msgspec.Struct, frozen=True):
    """One model whose prices are not the same in both; ``None`` where one of them does not have it."""

    provider: str
    model: str
    was: dict[str, str] | None
    becomes: dict[str, str] | None
    """Class → dollars at a small prompt; the last of several periods. Gone models keep their prices."""


def parse(where: str, data: bytes) -> Catalog:
    """A catalogue as ``bake`` writes it. Raises ``PriceError`` that names place and trouble."""
    try:
        found = msgspec.json.decode(data, type=Catalog)
        for shelf in found.shelves:
            for model in shelf.entries:
                _check(f"{where}: {shelf.id}/{model.id}", model)
    except (msgspec.DecodeError, re.error, UnicodeDecodeError) as problem:
        raise PriceError(f"{where}: it is no catalogue of prices: {problem}") from None
    if not found.source.strip() or not found.shelves:
        raise PriceError(f"{where}: a catalogue names its source and has at least one provider")
    return found


def read(path: Path) -> Catalog:
    """The file of a catalogue. Raises ``PriceError``."""
    try:
        return parse(str(path), path.read_bytes())
    except OSError as problem:
        raise PriceError(f"{path}: cannot be read: {problem.strerror}") from problem


def version(found: Catalog) -> tuple[int, ...]:
    """The numbers at the end of its source's name: ``genai-prices 0.2.3`` → (0, 2, 3); empty if there are none."""
    numbers = re.search(r"(\d+(?:\.\d+)*)$", found.source.strip())
    return tuple(map(int, numbers[1].split("."))) if numbers else ()


def merged(old: Catalog, new: Catalog) -> Catalog:
    """The new one, and behind its own the models and providers that it no longer has: last year's calls need them.

    Raises ``PriceError`` if it has lost too many to be whole.
    """
    known, there = (sum(len(shelf.entries) for shelf in one.shelves) for one in (old, new))
    if there * LEAST_SHARE < known:
        raise PriceError(
            f"{new.source}: {there:,} models, where {known:,} are known: it is not whole, the old one stays"
        )
    ids = {shelf.id for shelf in new.shelves}
    shelves = [_kept(old.shelf(shelf.id), shelf) for shelf in new.shelves]
    return Catalog(new.source, (*shelves, *(shelf for shelf in old.shelves if shelf.id not in ids)))


def changes(old: Catalog, new: Catalog) -> list[Change]:
    """What differs, by provider and model."""
    before, after = _latest(old), _latest(new)
    return [
        Change(*key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def write(path: Path, found: Catalog) -> None:
    """Put it in place in one step: whoever reads sees the old one or the new one. Raises ``PriceError``."""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
            file.write(msgspec.json.encode(found))
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as problem:
        raise PriceError(f"{path}: cannot be written: {problem.strerror}; the old prices stay") from problem


def _check(where: str, model: Model) -> None:
    _compile(model.match)
    if not any(period.tier is None for period in model.periods):
        raise PriceError(f"{where}: it has no standard price")
    for period in model.periods:
        for name, price in period.prices.items():
            if name not in PRICED:
                raise PriceError(f"{where}.{name}: not a class of tokens; allowed: {', '.join(sorted(PRICED))}")
            _check_price(f"{where}.{name}", ((0, price),) if isinstance(price, str) else price)


def _check_price(where: str, steps: Steps) -> None:
    starts = [start for start, _ in steps]
    if not steps or starts[0] != 0 or starts != sorted(set(starts)):
        raise PriceError(f"{where}: expected steps that begin at 0 and grow, got {starts}")
    for _, usd in steps:
        try:
            value = Decimal(usd)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or not 0 <= value <= DEAREST:
            raise PriceError(f"{where}: expected dollars from 0 to {DEAREST:,}, got {usd:.40}")


def _compile(clause: Clause) -> None:
    if clause.op == "~":
        re.compile(clause.text)
    for part in clause.parts:
        _compile(part)


def _kept(old: Shelf | None, new: Shelf) -> Shelf:
    """What is sold, and behind it what no longer is."""
    names = {model.id for model in new.entries}
    gone = [model for model in (old.entries if old else ()) if model.id not in names]
    if not gone:
        return new
    return msgspec.structs.replace(new, models=msgspec.Raw(msgspec.json.encode([*new.entries, *gone])))


def _latest(found: Catalog) -> dict[tuple[str, str], dict[str, str]]:
    return {(shelf.id, model.id): dict(_shown(model)) for shelf in found.shelves for model in shelf.entries}


def _shown(model: Model) -> Iterable[tuple[str, str]]:
    periods = [period for period in model.periods if period.tier is None]
    for name, price in sorted(periods[-1].prices.items()):
        yield (
            name,
            price
            if isinstance(price, str)
            else " / ".join(f"{usd} >{start:,}" if start else usd for start, usd in price),
        )
