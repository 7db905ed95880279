from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(scope="session")
def golden() -> Callable[[str], bytes]:
    """The bytes of a recorded reply, named ``wire/file``."""
    return lambda name: (GOLDEN / name).read_bytes()
