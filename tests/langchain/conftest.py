"""LangChain's own models in front of the simulator."""

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from tests.neighbours import books, closing, rows, sim

__all__ = ["books", "closing", "rows", "sim"]


@pytest.fixture
def openai(sim):
    return lambda **options: ChatOpenAI(
        **{"model": "gpt-4o-mini", "base_url": sim.openai_url, "api_key": "sk-sim", "max_retries": 0} | options
    )


@pytest.fixture
def anthropic(sim):
    return lambda **options: ChatAnthropic(
        **{"model": "claude-haiku-4-5", "base_url": sim.url, "api_key": "sk-sim", "max_retries": 0} | options
    )
