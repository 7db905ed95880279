"""The ledger for commands that read it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from farthing.errors import StoreError
from farthing.insight.naming import names
from farthing.ledger.segments import segments
from farthing.ledger.store import Store, open_store
from farthing.policy import Policy
from farthing.types import Clock

__all__ = ["catch_up", "names", "reading"]


@contextmanager
def reading(policy: Policy, clock: Clock) -> Generator[Store]:
    """The ledger, with what a stopped gateway left in its journal. Raises ``StoreError``."""
    journal = Path(policy.store.journal)
    if not Path(policy.store.path).exists() and not journal.exists():
        raise StoreError(
            f"there is no ledger at {policy.store.url}: start `farthing serve` and send it a request, "
            "or name another with --store or [store] url"
        )
    store = open_store(policy.store.url, clock)
    try:
        catch_up(store, journal, clock)
        yield store
    finally:
        store.close()


def catch_up(store: Store, journal: Path, clock: Clock) -> None:
    """Enter what is in the journal, unless a running gateway is at it. A report goes on without, and says so."""
    if not segments(journal):
        return
    from farthing.insight.query_types import Miner
    from farthing.ledger.keeper import Keeper

    keeper = Keeper(store, journal, clock, Miner.load)
    try:
        keeper.run_once()
    except (StoreError, OSError) as problem:
        click.echo(f"farthing: what is left in {journal} is not counted: {problem}", err=True)
    finally:
        keeper.close()
