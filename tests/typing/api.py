"""Only type-checked: what users may rely on keeps its types."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import anthropic
import openai

import farthing
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


class House(openai.OpenAI):
    """A company's own client."""


def wrapped(path: Path) -> None:
    assert_type(farthing.wrap(openai.OpenAI()), openai.OpenAI)
    assert_type(farthing.wrap(openai.AsyncOpenAI(), config=path), openai.AsyncOpenAI)
    assert_type(farthing.wrap(anthropic.Anthropic(), config=settings(path)), anthropic.Anthropic)
    assert_type(farthing.wrap(anthropic.AsyncAnthropic(), environ={}), anthropic.AsyncAnthropic)
    assert_type(farthing.wrap(House(), mode="save"), House)


def tagged(client: openai.OpenAI) -> bool:
    with farthing.tags(user="ada", feature="search", session="s", tenant="acme", team="a"):
        client.models.list()
    farthing.close(1.0)
    return farthing.flush()
