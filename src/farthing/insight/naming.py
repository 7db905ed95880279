"""What query types are called. A type that several tenants use has a name of each, in words of its own prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from farthing.insight import titles
from farthing.ledger.listing import QueryType


def names(types: Iterable[QueryType]) -> dict[str, str]:
    """Query type → its name; of a type of several tenants only the words that all of their names have.

    So no tenant's words are told to another, whoever asks; a type without such words goes by its id.
    """
    known: defaultdict[str, list[str]] = defaultdict(list)
    for one in types:
        known[one.id].append(one.name)
    return {id_: titles.shared(its) or id_ for id_, its in known.items()}


def own_names(types: Iterable[QueryType]) -> dict[tuple[str, str], str]:
    """Tenant and query type → the name that this tenant has for it."""
    return {(one.tenant, one.id): one.name for one in types}
