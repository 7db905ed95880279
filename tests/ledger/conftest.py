"""A journal and a ledger in a temporary folder, and requests to put into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.records import Call, Opened, Settled, Shape
from farthing.ledger.store import Store, open_store
from farthing.types import Caller, Usage

NOW = 1_795_600_000.0


def call(**changes: Any) -> Call:
    base = Call(
        id="c1",
        provider="openai",
        model="gpt-4o",
        started=NOW,
        model_reported="gpt-4o-2024-08-06",
        status=200,
        finish_reason="stop",
        provider_request_id="req_1",
        service_tier="default",
        usage=Usage(input=100, cache_read=40, output=20, reasoning=5),
        raw_usage='{"prompt_tokens":140}',
        cost_nano=500_000,
        cost_source="usage",
        price_version="genai-prices 0.2.3 openai/gpt-4o",
        latency_us=800_000,
        ttft_us=200_000,
    )
    return msgspec.structs.replace(base, **changes)


def settled(id_: str = "fr_1", **changes: Any) -> Settled:
    base = Settled(
        id=id_,
        ts=NOW,
        caller=Caller("acme", "ada", "chat", "s1", (("env", "prod"),)),
        wire="openai.chat",
        path="/v1/chat/completions",
        provider="openai",
        model="gpt-4o",
        served_model="gpt-4o-2024-08-06",
        status=200,
        cache="miss",
        calls=(call(id=f"call-{id_}"),),
        cost_nano=500_000,
        baseline_nano=500_000,
        latency_us=810_000,
        ttft_us=205_000,
        overhead_us=400,
        shape=Shape("chat::abc", ("where", "is"), "Answers a question", "Where is my order?"),
    )
    return msgspec.structs.replace(base, **changes)


def opened(id_: str = "fr_1", **changes: Any) -> Opened:
    base = Opened(
        id=id_,
        ts=NOW,
        caller=Caller("acme", "ada", "chat", "s1", (("env", "prod"),)),
        wire="openai.chat",
        path="/v1/chat/completions",
        provider="openai",
        model="gpt-4o",
        call_id=f"call-{id_}",
    )
    return msgspec.structs.replace(base, **changes)


def clock() -> float:
    return NOW


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "farthing.db.journal"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'farthing.db'}", clock)
    yield store
    store.close()


@pytest.fixture
def keeper(store: Store, folder: Path) -> Iterator[Keeper]:
    keeper = Keeper(store, folder, clock)
    yield keeper
    keeper.close()


@pytest.fixture
def journal_of(folder: Path) -> Iterator[Callable[..., Journal]]:
    made: list[Journal] = []

    def make(**options: Any) -> Journal:
        made.append(Journal(folder, lambda: NOW + len(made), **options))
        return made[-1]

    yield make
    for journal in made:
        journal.close()
