"""Only type-checked: what users may rely on keeps its types."""

from __future__ import annotations

from pathlib import Path

from farthing.ledger.figures import Figures
from farthing.ledger.query import report
from farthing.ledger.store import open_store
from farthing.policy import Policy, load_policy
from farthing.prices.book import PriceBook
from farthing.simulator import Simulator, running
from farthing.types import Usage


def settings(path: Path) -> Policy:
    return load_policy(path, {"FARTHING_SERVER_PORT": "8321"})


def spent(url: str) -> int:
    total: Figures = report(open_store(url, lambda: 0.0), "model").total
    return total.cost_nano_usd


def cost(book: PriceBook) -> int | None:
    return book.price("openai", "openai", "gpt-4o", Usage(input=1), 0.0).cost_nano


def simulated() -> str:
    with running(seed=1) as simulator:
        typed: Simulator = simulator
        return typed.url
