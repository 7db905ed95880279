"""The parameters of the JSON API; ``openapi.json`` describes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from farthing.dashboard.reading import Books
from farthing.dashboard.when import instant, whole
from farthing.errors import BadRequest, NoSuchRoute

BY = ("model", "feature", "user", "tenant", "provider", "query_type", "day", "hour", "lever")
MOST_REQUESTS = 1_000


def report(books: Books, query: Mapping[str, str], now: float) -> object:
    """Raises ``BadRequest`` that names the parameter."""
    _known(query, ("by", "since", "until", "tenant"))
    by = query.get("by") or None
    if by is not None and by not in BY:
        raise BadRequest(f"by: {by!r} is none of {', '.join(BY)}")
    since, until = (instant(name, query.get(name), now) for name in ("since", "until"))
    return books.report(by, since, until, query.get("tenant") or None)


def requests(books: Books, query: Mapping[str, str]) -> object:
    """Raises ``BadRequest`` that names the parameter."""
    _known(query, ("limit",))
    return books.requests(whole("limit", query.get("limit"), 50, MOST_REQUESTS))


def request(books: Books, request_id: str, query: Mapping[str, str]) -> object:
    """Raises ``NoSuchRoute`` if there is none."""
    _known(query, ())
    found = books.request(request_id)
    if found is None:
        raise NoSuchRoute(f"There is no request {request_id!r} in the ledger; it may be older than the retention.")
    return found


def _known(query: Mapping[str, str], names: Collection[str]) -> None:
    """A misspelt parameter that is silently ignored would give a wrong figure."""
    if unknown := sorted(query.keys() - names):
        raise BadRequest(f"{', '.join(unknown)}: not a parameter here; there are: {', '.join(names) or 'none'}")
