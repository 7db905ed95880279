"""A miner of query types for each tenant: nobody's types are named after what others ask.

What a miner has learned is kept in the ledger, and read when its tenant asks for something again.
"""

from __future__ import annotations

import sqlite3

from farthing.ledger.miner import MinerOf, TypeMiner
from farthing.ledger.records import Shape
from farthing.types import Clock

SAVE_S = 60.0
AT_HAND = 100
"""Miners in memory: as many tenants as ask within a while, not all that there ever were."""


class Miners:
    """Reads and writes inside the transaction of its caller."""

    def __init__(self, connection: sqlite3.Connection, miner_of: MinerOf, clock: Clock) -> None:
        self._connection, self._miner_of, self._clock = connection, miner_of, clock
        self._miners: dict[str, TypeMiner] = {}
        self._learned: set[str] = set()
        self._saved = clock()

    def type_of(self, tenant: str, wire: str, shape: Shape) -> str:
        """The id of the shape's query type."""
        self._learned.add(tenant)
        return self._of(tenant).assign(wire, shape)

    def names(self, tenant: str) -> dict[str, str]:
        """Id → a name in words of this tenant's own prompts."""
        return self._of(tenant).names()

    def save_now_and_then(self) -> None:
        """Keep what has been learned, if that was long ago or many tenants ask."""
        if len(self._miners) > AT_HAND or self._clock() - self._saved >= SAVE_S:
            self.save()

    def save(self) -> None:
        """Keep what has been learned."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO miners VALUES (?,?)",
            [(tenant, self._of(tenant).dump()) for tenant in self._learned],
        )
        self._learned.clear()
        self._saved = self._clock()
        if len(self._miners) > AT_HAND:
            self._miners.clear()

    def _of(self, tenant: str) -> TypeMiner:
        miner = self._miners.get(tenant)
        return self._loaded(tenant) if miner is None else miner

    def _loaded(self, tenant: str) -> TypeMiner:
        row = self._connection.execute("SELECT learned FROM miners WHERE tenant = ?", (tenant,)).fetchone()
        try:
            miner = self._miner_of(row[0] if row else None)
        except ValueError:  # the dump of another kind of miner
            miner = self._miner_of(None)
        self._miners[tenant] = miner
        return miner
