"""What tests of libraries beside farthing share: the simulator in front, and the ledger of this process."""

import time

import pytest

import farthing
from farthing.ledger.listing import requests
from farthing.ledger.store import open_store
from farthing.outside.books import Books
from farthing.policy import Policy
from farthing.policy.model import Store
from farthing.simulator import running


@pytest.fixture
def closing():
    """The engines of this process end with the test."""
    yield
    farthing.close()


@pytest.fixture
def books(tmp_path, closing):
    return Books(Policy(store=Store(url=f"sqlite:///{tmp_path}/farthing.db")), {})


@pytest.fixture
def rows(books):
    """The ledger's rows, the newest first, when all has been entered."""

    def rows():
        assert farthing.flush(60)
        store = open_store(books.policy.store.url, time.time)
        try:
            return [found.request for found in requests(store, 1000)]
        finally:
            store.close()

    return rows


@pytest.fixture
def sim():
    with running(seed=1) as simulator:
        yield simulator


def spent(rows):
    return sum(row.cost_nano for row in rows)
