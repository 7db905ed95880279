"""The ledger as the pages and the API read it: implements ``reading.Books``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from msgspec.structs import replace

from farthing.dashboard.detail import line
from farthing.dashboard.reading import Figures, Point, Reading, Record
from farthing.insight import contract, naming
from farthing.ledger import figures, listing, query
from farthing.ledger.store import Store

NEWEST = 50
RANKINGS: dict[figures.By, int | None] = {"feature": 10, "model": 10, "user": 10, "query_type": 10, "lever": 0}
"""Of how many rows of each the percentiles are shown."""
DAY = 86_400
HOURLY_UP_TO = 3 * DAY
"""Seconds; a longer chart has a bar a day."""


class LedgerBooks:
    """Reads a store; every method blocks and may raise ``StoreError``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def names(self) -> dict[str, str]:
        """Query type → its name in plain words, as all of its tenants have it."""
        return naming.names(listing.query_types(self._store))

    def read(self, since: float | None, until: float, tenant: str | None) -> Reading | None:
        """For the first page. Of one tenant, query types go by the names that it has for them, not by their ids."""
        tenants = query.tenants(self._store)
        if not tenants and not listing.requests(self._store, 1):
            return None
        hourly = since is not None and until - since <= HOURLY_UP_TO
        points = query.timeseries(self._store, "feature", "hour" if hourly else "day", since, until, tenant)
        types = listing.query_types(self._store, tenant)
        own = {} if tenant is None else {one.id: one.name for one in types}
        total, found = query.reports(self._store, RANKINGS, since, until, tenant)
        rankings = {by: tuple(_figures(row) for row in rows) for by, rows in found.items()}
        where = listing.Filter(tenant=tenant, since=since, until=until)
        return Reading(
            total=_figures(total),
            features=rankings["feature"],
            models=rankings["model"],
            users=rankings["user"],
            query_types=tuple(replace(row, key=own.get(row.key or "", row.key)) for row in rankings["query_type"]),
            points=tuple(Point(point.ts, point.key, point.cost_nano_usd, point.saved_nano_usd) for point in points),
            bucket=3_600 if hourly else DAY,
            levers=tuple((_key(row) or "", row.saved_nano_usd, row.would_save_nano_usd) for row in found["lever"]),
            tenants=tuple(tenants),
            lines=tuple(line(one.request) for one in listing.requests(self._store, NEWEST, where)),
            examples={own.get(one.id, one.id): one.example for one in types if one.example},
        )

    def record(self, request_id: str) -> Record | None:
        """One request, for its page."""
        found = listing.request(self._store, request_id)
        return None if found is None else Record(found.request, self._name(found))

    def report(self, by: str | None, since: float | None, until: float | None, tenant: str | None) -> object:
        """The contract's report."""
        return query.report(self._store, cast("figures.By | None", by), since, until, tenant)

    def requests(self, limit: int) -> object:
        """The contract's requests, newest first."""
        names = naming.own_names(listing.query_types(self._store))
        return [_contract(one, _own(one, names)) for one in listing.requests(self._store, limit)]

    def request(self, request_id: str) -> object | None:
        """One of them."""
        found = listing.request(self._store, request_id)
        return None if found is None else _contract(found, self._name(found))

    def _name(self, found: listing.Found) -> str | None:
        return _own(found, naming.own_names(listing.query_types(self._store, found.request.caller.tenant)))


def _own(found: listing.Found, names: Mapping[tuple[str, str], str]) -> str | None:
    """What the request's tenant calls its query type."""
    return names.get((found.request.caller.tenant, found.query_type), found.query_type) or None


def _contract(found: listing.Found, query_type: str | None) -> contract.Json:
    return contract.request(found.request, query_type, found.state)


def _key(row: figures.Figures) -> str | None:
    return row.key if isinstance(row.key, str) else None


def _figures(row: figures.Figures) -> Figures:
    would = row.would_hit_exact + row.would_hit_semantic
    return Figures(
        key=_key(row),
        cost=row.cost_nano_usd,
        baseline=row.baseline_nano_usd,
        saved=row.saved_nano_usd,
        would_save=row.would_save_nano_usd,
        requests=row.requests,
        hits=row.hits_exact + row.hits_semantic + would,
        misses=row.misses + row.would_miss,
        unpriced=row.unpriced_calls,
        unsettled=row.unsettled_calls,
        estimated=row.estimated_calls,
        usage=row.usage,
        median=row.cost_p50_nano_usd,
    )
