from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.ledger.edges import edge_sums
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.records import Settled
from farthing.ledger.rollup import GRAIN, HOUR, micro
from farthing.ledger.span import Span
from farthing.ledger.store import open_store
from farthing.ledger.sums import Sums

from .conftest import NOW, clock
from .strategies import requests


def pieces(span: Span, width: int) -> list[Span]:
    """Its parts, each in one bucket."""
    since, until = span.since or 0, span.until or 0
    cuts = [since, *range((since // width + 1) * width, until, width), until]
    return [Span(*pair) for pair in pairwise(cuts) if pair[0] < pair[1]]


@given(
    st.lists(requests(), max_size=6), st.integers(0, 110_000), st.integers(0, 110_000), st.sampled_from([None, "acme"])
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_database_sums_as_the_roll_up_does(
    tmp_path_factory: pytest.TempPathFactory, entries: Sequence[Settled], since: int, until: int, tenant: str | None
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    store = open_store(f"sqlite:///{folder / 'f.db'}", clock)
    journal = Journal(folder / "j", clock)
    for entry in entries:
        journal.append(entry)
    keeper = Keeper(store, folder / "j", clock)
    keeper.run_once()
    span = Span(micro(NOW - since), micro(NOW - until))
    its = [one for one in entries if span.contains(micro(one.ts)) and tenant in {None, one.caller.tenant}]
    expected = Sums((one, one.shape.key if one.shape else "") for one in its).sums()
    with store.reading() as connection:
        for dim, grain in GRAIN.items():
            found = {
                key: tuple(sums)
                for part in pieces(span, grain * 10**6)
                for key, sums in edge_sums(connection, dim, part, tenant).items()
                if any(sums)
            }
            its = expected.hours if grain == HOUR else expected.days
            assert found == {key: sums for key, sums in its.items() if key[0] == dim}, dim
    keeper.close()
    journal.close()
    store.close()
