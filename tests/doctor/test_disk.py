"""Room, rights, the journal's folder."""

import os
import shutil
from pathlib import Path

import pytest

from farthing.doctor import disk
from farthing.ledger.journal import Journal
from farthing.ledger.upgrade import prepare
from farthing.policy.model import Cache

from .conftest import only


@pytest.mark.parametrize(("free", "state"), [(50 << 20, "bad"), (500 << 20, "warn"), (2 << 30, "ok")])
def test_room(policy, monkeypatch, free, state):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 0, free))
    assert only(disk.room(policy)).state == state


def test_a_cache_that_may_take_more_than_there_is(policy_of, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 0, 2 << 30))
    assert only(disk.room(policy_of(cache=Cache(max_size="3GB")))).state == "warn"
    assert only(disk.room(policy_of(cache=Cache(max_size="3GB", exact=False)))).state == "ok"


def test_a_journal_that_can_be_written_is_left_as_it_is(policy):
    folder = Path(policy.store.journal)
    folder.mkdir()
    assert only(disk.journal(policy)).state == "ok"
    assert list(folder.iterdir()) == []


def test_a_journal_that_cannot_be_written(policy, monkeypatch):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "NamedTemporaryFile", full)
    one = only(disk.journal(policy))
    assert (one.state, "No space left" in one.found) == ("bad", True)


def test_what_farthing_makes_is_its_owner_s_alone(policy):
    prepare(Path(policy.store.path))
    Journal(Path(policy.store.journal), lambda: 1.0).close()
    assert only(disk.rights(policy)).state == "ok"
    Path(policy.store.path).chmod(0o644)
    one = only(disk.rights(policy))
    assert (one.state, one.todo) == ("warn", f"chmod go= {policy.store.path}")


def test_what_is_another_user_s(policy, monkeypatch):
    prepare(Path(policy.store.path))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert only(disk.rights(policy)).state == "bad"
