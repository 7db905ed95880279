from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from farthing.levers.recall.answer import Answer
from farthing.levers.recall.store import open_answers
from farthing.types import Usage


@pytest.fixture
def make_answer() -> Callable[..., Answer]:
    def make(**changes: object) -> Answer:
        fields: dict[str, object] = {
            "wire": "openai.chat",
            "stored_at": 1000.0,
            "expires_at": 2000.0,
            "streamed": False,
            "body": b'{"choices":[]}',
            "content_type": "application/json",
            "provider": "openai",
            "tenant": "acme",
            "request_id": "r1",
            "usage": Usage(input=100, output=20),
            "cost_nano": 450_000,
        }
        return Answer(**fields | changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def store(tmp_path: Path):
    opened = open_answers(tmp_path / "answers", 1 << 20, lambda: 1000.0)
    yield opened
    opened.close()


@pytest.fixture
def key() -> Callable[[int], bytes]:
    return lambda number: number.to_bytes(32, "big")
