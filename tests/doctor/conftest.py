import pytest

from farthing.policy import Policy
from farthing.policy.model import Cache, Server, Store

NOW = 1_795_600_000.0


@pytest.fixture
def policy_of(tmp_path):
    """Settings with a ledger in the test's folder."""

    def policy_of(**more):
        store = Store(url=f"sqlite:///{tmp_path}/books.db")
        return Policy(**{"store": store, "cache": Cache(max_size="1MB"), "server": Server(port=1)} | more)

    return policy_of


@pytest.fixture
def policy(policy_of):
    return policy_of()


def states(found):
    """(check, state) of each."""
    return [(one.check, one.state) for one in found]


def only(found):
    """The one that there is."""
    (one,) = found
    return one
