"""What LangChain's tests ask of pytest plugins, without the plugins: they time, record and compare nothing here."""

import inspect

import pytest


@pytest.fixture
def benchmark():
    """Of a test that skips itself where nothing is recorded."""


@pytest.fixture
def vcr():
    """Likewise."""


def pytest_collection_modifyitems(items):
    """LangChain's clients are kept from test to test with their connections: one event loop for all."""
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "function", None)) and "ecosystem" in item.path.parts:
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)
