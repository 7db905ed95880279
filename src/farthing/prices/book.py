"""The price book: which price holds for a call, and what the call costs.

Prices come from three places, the first that knows the model wins: the user's ``prices.toml``, the built-in catalogue
(the data of genai-prices, dated), and for classes and tiers that the catalogue leaves out ``house.toml``. What none of
them knows is ``unpriced``, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import msgspec

from farthing.prices import catalog, overrides
from farthing.prices.catalog import Catalog, Found, Period
from farthing.prices.overrides import LocalPrice, LocalTier, PriceFile
from farthing.prices.rates import CLASSES, PER_CALL, Card, Fallback, Priced, Prices, card, dollars
from farthing.types import Api, Usage

STANDARD_TIERS = frozenset({"", "default", "standard", "auto", "on_demand", "standard_only"})
"""Names under which providers report an ordinary call."""

REMEMBERED = 2048
"""Quotes kept. Names of models come from outside, so their number must be bounded."""

_HOUSE = Path(__file__).with_name("house.toml")
_DAY = 86_400


class Era(msgspec.Struct, frozen=True):
    """A card and when it holds: seconds since the epoch, ``until`` excluded; ``window`` in seconds of the UTC day."""

    card: Card
    since: float = float("-inf")
    until: float = float("inf")
    window: tuple[int, int] | None = None

    def holds(self, ts: float) -> bool:
        if not self.since <= ts < self.until:
            return False
        if self.window is None:
            return True
        begin, end = self.window
        second = ts % _DAY
        return begin <= second < end if begin <= end else second >= begin or second < end


class Quote(msgspec.Struct, frozen=True):
    """Every price that one model has had in one tier at one endpoint. Of those that hold, the last one counts."""

    eras: tuple[Era, ...]
    model: str
    """The entry's own name for the model, or the name that was asked for."""
    provider: str
    context: int | None = None

    def at(self, ts: float) -> Card:
        if len(self.eras) == 1:
            return self.eras[0].card
        # The catalogue's first price also stands for the time before its dated ones.
        return next((era.card for era in reversed(self.eras) if era.holds(ts)), self.eras[0].card)


class PriceLine(msgspec.Struct, frozen=True):
    """A price for people: dollars per million tokens (web searches, requests: per thousand) as exact decimals."""

    provider: str
    model: str
    version: str
    """Source, its version and the entry; for an unpriced model the reason."""
    prices: dict[str, str]
    """Class → price. Empty if the model is unpriced."""
    above: dict[int, dict[str, str]]
    """More than so many prompt tokens → the prices of the whole call."""
    context_window: int | None
    """Tokens."""


class _Wanted(msgspec.Struct, frozen=True):
    """What is to be priced, and what the catalogue knows of it."""

    provider: str
    model: str
    tier: str = ""
    """Empty for an ordinary call."""
    found: Found | None = None
    host: str | None = None

    @property
    def owners(self) -> tuple[str, ...]:
        """Whose rules hold, the nearest first: the endpoint's as configured, as recognised, the model's maker's."""
        maker = self.found.shelf if self.found else None
        return tuple(dict.fromkeys(name for name in (self.provider, self.host, maker) if name is not None))

    @property
    def names(self) -> tuple[str, ...]:
        return (self.model,) if self.found is None else (self.model, self.found.model.id.lower())


class PriceBook:
    """Immutable. ``load`` reads two files of the package and the override file; nothing is fetched."""

    def __init__(
        self, built_in: Catalog, house: PriceFile, local: PriceFile, sellers: Mapping[str, str] | None = None
    ) -> None:
        self._catalog, self._sellers = built_in, sellers or {}
        self._local = local
        self._tiers = local.tiers + house.tiers
        self._fallbacks = local.fallbacks + house.fallbacks
        self._quote: Callable[[str, Api, str | None, str | None], Quote] = lru_cache(REMEMBERED)(self._resolve)

    @classmethod
    def load(
        cls, path: Path | None = None, newer: Path | None = None, sellers: Mapping[str, str] | None = None
    ) -> PriceBook:
        """The built-in prices and those of ``path``. Raises ``PriceError`` naming file, key and what is allowed.

        ``newer``: where a newer catalogue may lie; it counts if it is there and newer than the built-in one.
        ``sellers``: provider → whose list holds for it, where its own name does not say so.
        """
        local = PriceFile() if path is None else overrides.read(path)
        return cls(_catalogue(newer), overrides.read(_HOUSE), local, sellers)

    @property
    def catalog(self) -> Catalog:
        """The catalogue in force."""
        return self._catalog

    @property
    def source(self) -> str:
        """Name and version of the built-in data."""
        return self._catalog.source

    @property
    def taken(self) -> date | None:
        """The day on which the built-in data was taken over."""
        return self._catalog.taken

    def price(
        self, provider: str, api: Api, model: str | None, usage: Usage, ts: float, service_tier: str | None = None
    ) -> Priced:
        """What a provider call cost.

        ``provider``: its name in the configuration; ``model``: as the provider reports it; ``ts``: when the call
        began; ``service_tier``: as the provider reports it. The long-context price is decided by this call's prompt.
        """
        return self._quote(provider, api, model, service_tier).at(ts).price(usage)

    def context_window(self, provider: str, api: Api, model: str) -> int | None:
        """In tokens, if known."""
        return self._quote(provider, api, model, None).context

    def maker(self, provider: str, api: Api, model: str) -> str | None:
        """Whose list has the model's price, by the list's own name (``anthropic``); ``None`` if none has."""
        found = self._catalog.find(self._sellers.get(provider, provider), api, model)
        return found.shelf if found else None

    def explain(
        self, provider: str, model: str, ts: float, *, api: Api = "openai", service_tier: str | None = None
    ) -> PriceLine:
        """The price that a call at this time gets."""
        quote = self._quote(provider, api, model, service_tier)
        return _line(quote, ts)

    def entries(self, ts: float, provider: str | None = None, match: str | None = None) -> Iterator[PriceLine]:
        """All prices of a time, the user's own first. ``match``: a part of the model's name, in any case."""
        wanted = (match or "").lower()
        for local in self._local.prices:
            era = self._local_era(local, _Wanted(local.provider, local.model))
            if provider in (None, local.provider) and any(wanted in name for name in local.names) and era.holds(ts):
                yield _line(Quote((era,), local.model, local.provider), ts)
        for shelf in self._catalog.shelves:
            if provider in (None, shelf.id):
                for model in shelf.entries:
                    if wanted in model.id.lower():
                        found = Found(shelf.id, model, shelf.id)
                        yield _line(self._listed(found, _Wanted(shelf.id, model.id, found=found)), ts)

    def _resolve(self, provider: str, api: Api, model: str | None, service_tier: str | None) -> Quote:
        tier, seller = (service_tier or "").strip().lower(), self._sellers.get(provider, provider)
        wanted = _Wanted(
            provider=provider.lower(),
            model=(model or "").lower(),
            tier="" if tier in STANDARD_TIERS else tier,
            found=self._catalog.find(seller, api, model or ""),
            host=host.id if (host := self._catalog.host(seller)) else None,
        )
        own = [price for price in self._local.prices if price.applies(wanted.provider, wanted.model)]
        eras = [self._local_era(price, wanted) for price in own]
        if wanted.found is None:
            unknown = Card(f"{self.source}: no price for {provider:.80}/{wanted.model:.120}")
            return Quote((Era(unknown), *eras), wanted.model, provider)
        listed = self._listed(wanted.found, wanted)
        return msgspec.structs.replace(listed, eras=(*listed.eras, *eras))

    def _listed(self, found: Found, wanted: _Wanted) -> Quote:
        """The catalogue's prices of an entry in the wanted tier."""
        model, tier = found.model, wanted.tier
        own = tier and not found.borrowed and self._multiplier(self._local.tiers, wanted) is None
        # Of the variants that hold the first counts, of the eras the last.
        variants = [period for period in reversed(model.periods) if own and period.tier == tier]
        eras: list[Era] = []
        for period in (period for period in model.periods if period.tier is None):
            version = _entry(self.source, found, period)
            eras.append(_era(period, self._card(version, _prices(period), wanted)))
            for variant in variants:
                prices = _prices(period) | _prices(variant)
                made = card(f"{version} {tier}", prices, self._fallbacks_for(wanted))
                eras.append(_era(period, made, variant))
        return Quote(tuple(eras), model.id, found.shelf, model.context)

    def _local_era(self, price: LocalPrice, wanted: _Wanted) -> Era:
        made = self._card(price.version, price.prices, wanted, price.tiers.get(wanted.tier))
        return Era(made, price.since, price.until)

    def _card(self, version: str, prices: Prices, wanted: _Wanted, multiplier: Decimal | None = None) -> Card:
        """The prices as they are, or times the wanted tier's multiplier."""
        fallbacks = self._fallbacks_for(wanted)
        if not wanted.tier:
            return card(version, prices, fallbacks)
        if multiplier is None:
            multiplier = self._multiplier(self._tiers, wanted)
        if multiplier is None:
            return Card(f"{version}: no price for service tier {wanted.tier:.40}")
        return card(f"{version} {wanted.tier} x{multiplier}", prices, fallbacks, multiplier)

    def _fallbacks_for(self, wanted: _Wanted) -> list[Fallback]:
        return [one for one in self._fallbacks if one.applies(wanted.owners, wanted.names)]

    def _multiplier(self, tiers: tuple[LocalTier, ...], wanted: _Wanted) -> Decimal | None:
        fitting = (
            one.multiplier for owner in wanted.owners for one in tiers if one.applies(owner, wanted.names, wanted.tier)
        )
        return next(fitting, None)


def _catalogue(newer: Path | None) -> Catalog:
    built_in = catalog.load()
    if newer is None or not newer.exists():
        return built_in
    from farthing.prices import newer as files

    found = files.read(newer)
    known = files.version(found)
    return built_in if known and known <= files.version(built_in) else found


def _entry(source: str, found: Found, period: Period) -> str:
    dated = f"@{period.since.isoformat()}" if period.since else ""
    return f"{source} {found.shelf}/{found.model.id}{dated}"


def _prices(period: Period) -> dict[str, tuple[tuple[int, Decimal], ...]]:
    return {
        name: ((0, Decimal(value)),) if isinstance(value, str) else tuple((start, Decimal(usd)) for start, usd in value)
        for name, value in period.prices.items()
    }


def _era(period: Period, made: Card, variant: Period | None = None) -> Era:
    days = [day for day in (period.since, variant.since if variant else None) if day is not None]
    return Era(made, _midnight(max(days)) if days else float("-inf"), window=period.window)


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _line(quote: Quote, ts: float) -> PriceLine:
    made = quote.at(ts)
    rows = {start: _shown(rates) for start, rates in made.steps}
    prices = rows.pop(0, {})
    if made.per_call:
        prices[PER_CALL] = dollars(made.per_call, PER_CALL)
    return PriceLine(
        provider=quote.provider,
        model=quote.model,
        version=made.version,
        prices=prices,
        above=dict(sorted(rows.items())),
        context_window=quote.context,
    )


def _shown(rates: tuple[int | None, ...]) -> dict[str, str]:
    return {name: dollars(rate, name) for name, rate in zip(CLASSES, rates, strict=True) if rate is not None}
