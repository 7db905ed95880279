"""Whether the cache that is configured is at work."""

from pathlib import Path

import pytest

from farthing.doctor.cache import cache
from farthing.doctor.machine import There
from farthing.levers.recall.store import open_answers
from farthing.policy.model import Cache

from .conftest import only


def test_off_as_configured(policy_of):
    assert only(cache(policy_of(cache=Cache(exact=False)), None)).state == "ok"


def test_in_observe_mode_it_serves_nothing(policy):
    one = only(cache(policy, None))
    assert (one.state, "mode = observe" in one.found) == ("warn", True)


def test_a_cache_that_is_on(policy_of):
    policy = policy_of(mode="save")
    assert only(cache(policy, None)).state == "ok"
    answers = open_answers(Path(policy.store.cache), 1_000_000, lambda: 1.0)
    answers.close()
    assert only(cache(policy, There(farthing=True, ready="ok"))).state == "ok"


@pytest.mark.parametrize("what", ["file", "garbage", "version"])
def test_cache_status_disabled_though_configured_says_why(policy_of, what):
    policy = policy_of(mode="save")
    path = Path(policy.store.cache)
    if what == "file":
        path.write_text("no folder")
    elif what == "garbage":
        path.mkdir()
        (path / "data.mdb").write_bytes(b"x" * 8192)
    else:
        answers = open_answers(path, 1_000_000, lambda: 1.0)
        with answers._env.begin(write=True) as txn:
            txn.put(b"format", b"0", db=answers._tables.about)
        answers.close()
    before = sorted(one.read_bytes() for one in path.rglob("data.mdb"))
    one = only(cache(policy, None))
    assert (one.state, str(path) in one.found) == ("bad", True)
    assert sorted(one.read_bytes() for one in path.rglob("data.mdb")) == before


def test_a_running_gateway_knows_best(policy_of):
    there = There(farthing=True, ready="ok\nthe cache is off: no room")
    one = only(cache(policy_of(mode="save"), there))
    assert (one.state, "no room" in one.found) == ("bad", True)
