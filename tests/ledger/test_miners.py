from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from farthing.ledger import miners
from farthing.ledger.miner import KeyMiner
from farthing.ledger.miners import Miners
from farthing.ledger.records import Shape
from farthing.ledger.store import Store

WIRE = "openai.chat"


@pytest.fixture
def connection(store: Store) -> Iterator[sqlite3.Connection]:
    connection = store.writer()
    yield connection
    connection.close()


def kept(connection: sqlite3.Connection) -> list[str]:
    return [tenant for (tenant,) in connection.execute("SELECT tenant FROM miners ORDER BY tenant")]


def test_every_tenant_has_its_own(connection: sqlite3.Connection) -> None:
    its = Miners(connection, KeyMiner, lambda: 0.0)
    for tenant in ("acme", "globex"):
        assert its.type_of(tenant, WIRE, Shape("k", (), f"title of {tenant}")) == "k"
    assert its.names("acme") == {"k": "title of acme"}
    assert its.names("globex") == {"k": "title of globex"}
    its.save()
    again = Miners(connection, KeyMiner, lambda: 0.0)
    assert again.names("acme") == {"k": "title of acme"}
    assert again.names("nobody") == {}
    assert kept(connection) == ["acme", "globex"]


def test_what_was_learned_is_kept_now_and_then(connection: sqlite3.Connection) -> None:
    now = 0.0
    its = Miners(connection, KeyMiner, lambda: now)
    its.type_of("acme", WIRE, Shape("k"))
    its.save_now_and_then()
    assert kept(connection) == []
    now = miners.SAVE_S
    its.save_now_and_then()
    assert kept(connection) == ["acme"]


def test_of_many_tenants_few_are_in_memory(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miners, "AT_HAND", 3)
    its = Miners(connection, KeyMiner, lambda: 0.0)
    for number in range(10):
        its.type_of(f"tenant {number}", WIRE, Shape("k", (), f"title {number}"))
        its.save_now_and_then()
        assert len(its._miners) <= 3
    assert all(its.names(f"tenant {number}") == {"k": f"title {number}"} for number in range(10))


def test_a_dump_of_another_kind_is_no_reason_to_stop(connection: sqlite3.Connection) -> None:
    def strict(dump: bytes | None) -> KeyMiner:
        if dump is not None:
            raise ValueError("not mine")
        return KeyMiner()

    connection.execute("INSERT INTO miners VALUES ('acme', x'00')")
    assert Miners(connection, strict, lambda: 0.0).type_of("acme", WIRE, Shape("k")) == "k"
