"""The user's ``prices.toml`` (and our own ``house.toml``, of the same form), checked strictly.

A file that cannot be used in full is refused in full: half a price list is a wrong bill.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import cast

import msgspec

from farthing.errors import PriceError
from farthing.prices.rates import CLASSES, PRICED, Fallback, Prices

Table = Mapping[str, object]

DEAREST = Decimal(10) ** 6
"""Dollars. No model costs more per million tokens; a larger number is a slip of the unit."""

PRICE_KEYS = ("provider", "model", "aliases", "from", "until", "tiers", "above")
TIER_KEYS = ("provider", "model", "name", "multiplier")
FALLBACK_KEYS = ("class", "like", "times", "usd", "provider", "model")


class LocalPrice(msgspec.Struct, frozen=True):
    """A price of the user's own: it replaces the built-in one while it holds."""

    provider: str
    """As named in the configuration, or ``*``."""
    model: str
    names: frozenset[str]
    """The model and its aliases, lower case."""
    prices: Prices
    since: float
    until: float
    tiers: dict[str, Decimal]
    version: str

    def applies(self, provider: str, model: str) -> bool:
        return self.provider in ("*", provider) and model in self.names


class LocalTier(msgspec.Struct, frozen=True):
    """What all tokens of a call cost in a tier, as a multiple of the standard price."""

    name: str
    multiplier: Decimal
    provider: str
    model: str | None = None

    def applies(self, provider: str, names: Collection[str], tier: str) -> bool:
        known = self.model is None or self.model in names
        return tier == self.name and self.provider in ("*", provider) and known


class PriceFile(msgspec.Struct, frozen=True):
    prices: tuple[LocalPrice, ...] = ()
    tiers: tuple[LocalTier, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()


class _Reader:
    """Reads one table and names the file and the key in every complaint."""

    def __init__(self, where: str, table: object, allowed: Collection[str]) -> None:
        self.where = where
        if not isinstance(table, dict):
            raise PriceError(f"{where}: expected a table, got {type(table).__name__}")
        self.table = cast("Table", table)
        for key in self.table:
            if key not in allowed:
                raise PriceError(f"{where}: unknown key {key!r}; allowed: {', '.join(allowed)}")

    def fail(self, key: str, wanted: str) -> PriceError:
        value = self.table.get(key)
        got = "it is missing" if value is None else f"got {value!s:.60}"
        return PriceError(f"{self.where}.{key}: expected {wanted}; {got}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.table.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, "a non-empty string")
        return value.strip().lower()

    def optional(self, key: str) -> str | None:
        return self.text(key) if key in self.table else None

    def number(self, key: str, *, most: Decimal = DEAREST, decimals: int = 9) -> Decimal:
        value = self.table.get(key)
        wanted = f"a number from 0 to {most:f} with at most {decimals} decimals"
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise self.fail(key, wanted)
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self.fail(key, wanted) from None
        if not number.is_finite() or not 0 <= number <= most or number != round(number, decimals):
            raise self.fail(key, wanted)
        return number

    def multiplier(self, key: str) -> Decimal:
        return self.number(key, most=Decimal(100), decimals=3)

    def day(self, key: str, default: float) -> float:
        if key not in self.table:
            return default
        value = self.table[key]
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.fail(key, "a date such as 2026-07-01 (without quotes)")
        return datetime.combine(value, time(), UTC).timestamp()

    def names(self, key: str) -> list[str]:
        value = self.table.get(key, [])
        wanted = "a list of non-empty strings"
        if not isinstance(value, list):
            raise self.fail(key, wanted)
        names = cast("list[object]", value)
        if not all(isinstance(name, str) and name.strip() for name in names):
            raise self.fail(key, wanted)
        return [str(name).strip().lower() for name in names]

    def tables(self, key: str) -> list[object]:
        value = self.table.get(key, [])
        if not isinstance(value, list):
            raise self.fail(key, f"a list of tables ([[{key}]])")
        return cast("list[object]", value)


def read(path: Path) -> PriceFile:
    """Read a price file. Raises ``PriceError`` naming file, key and what is allowed."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise PriceError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"{path}: not valid TOML: {error}") from error
    top = _Reader(str(path), raw, ("price", "tier", "fallback"))
    return PriceFile(
        prices=tuple(_price(f"{path}: price[{n}]", path.name, one) for n, one in enumerate(top.tables("price"), 1)),
        tiers=tuple(_tier(f"{path}: tier[{n}]", one) for n, one in enumerate(top.tables("tier"), 1)),
        fallbacks=tuple(_fallback(f"{path}: fallback[{n}]", one) for n, one in enumerate(top.tables("fallback"), 1)),
    )


def _price(where: str, file: str, table: object) -> LocalPrice:
    classes = (*CLASSES, "requests")
    reader = _Reader(where, table, (*PRICE_KEYS, *classes))
    provider, model = reader.text("provider"), reader.text("model")
    since, until = reader.day("from", float("-inf")), reader.day("until", float("inf"))
    if since >= until:
        raise reader.fail("until", "a day after `from` (the first day on which the price no longer holds)")
    prices = _prices(reader)
    if not prices:
        raise PriceError(f"{where}: it has no price; give at least one of {', '.join(classes)}")
    dated = f"@{reader.table['from']}" if "from" in reader.table else ""
    return LocalPrice(
        provider=provider,
        model=model,
        names=frozenset({model, *reader.names("aliases")}),
        prices=prices,
        since=since,
        until=until,
        tiers=_multipliers(reader),
        version=f"override {file} {provider}/{model}{dated}",
    )


def _prices(reader: _Reader) -> dict[str, tuple[tuple[int, Decimal], ...]]:
    """The classes' prices, with the steps of ``[[price.above]]``."""
    found: dict[str, tuple[tuple[int, Decimal], ...]]
    found = {name: ((0, reader.number(name)),) for name in reader.table if name in PRICED}
    last = 0
    for n, table in enumerate(reader.tables("above"), 1):
        step = _Reader(f"{reader.where}.above[{n}]", table, ("tokens", *CLASSES))
        start = step.table.get("tokens")
        if not isinstance(start, int) or isinstance(start, bool) or start <= last:
            raise step.fail("tokens", f"a whole number over {last}")
        last = start
        for name in CLASSES:
            if name not in step.table:
                continue
            if name not in found:
                raise step.fail(name, f"a base price for {name} in {reader.where} too")
            found[name] = (*found[name], (start, step.number(name)))
    return found


def _multipliers(reader: _Reader) -> dict[str, Decimal]:
    table = reader.table.get("tiers", {})
    if not isinstance(table, dict):
        raise reader.fail("tiers", "a table such as { batch = 0.5 }")
    tiers = cast("Table", table)
    inner = _Reader(f"{reader.where}.tiers", tiers, tuple(tiers))
    return {name.lower(): inner.multiplier(name) for name in tiers}


def _tier(where: str, table: object) -> LocalTier:
    reader = _Reader(where, table, TIER_KEYS)
    return LocalTier(
        name=reader.text("name"),
        multiplier=reader.multiplier("multiplier"),
        provider=reader.text("provider"),
        model=reader.optional("model"),
    )


def _fallback(where: str, table: object) -> Fallback:
    reader = _Reader(where, table, FALLBACK_KEYS)
    name, like = reader.text("class"), reader.optional("like")
    for key, value in (("class", name), ("like", like)):
        if value is not None and value not in CLASSES:
            raise reader.fail(key, f"one of {', '.join(CLASSES)}")
    if (like is None) == ("usd" not in reader.table):
        raise PriceError(f"{where}: give either `like` (another class) or `usd` (a price)")
    return Fallback(
        name=name,
        like=like,
        times=reader.multiplier("times") if "times" in reader.table else Decimal(1),
        usd=reader.number("usd") if "usd" in reader.table else None,
        provider=reader.optional("provider"),
        model=reader.optional("model"),
    )
