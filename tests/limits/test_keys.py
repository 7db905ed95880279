import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from farthing.errors import StoreError
from farthing.limits.keys import KeyRing


def ring(folder) -> KeyRing:
    return KeyRing(folder / "db.keys.json")


def test_a_new_key_is_found_and_a_revoked_one_is_not(tmp_path):
    keys = ring(tmp_path)
    key, token = keys.create(tenant="acme", name="web", role="app", clock=lambda: 1.0)
    assert token.startswith("fk-")
    assert keys.find(token) == key
    assert ring(tmp_path).find(token) == key
    assert keys.revoke(key.id, lambda: 2.0).revoked == 2.0
    assert keys.find(token) is None
    assert keys.revoke("key_none", lambda: 3.0) is None


def test_another_process_s_changes_are_seen(tmp_path):
    mine, theirs = ring(tmp_path), ring(tmp_path)
    assert mine.find("fk-unknown") is None
    key, token = theirs.create(tenant="acme", name="", role="app", clock=lambda: 1.0)
    assert mine.find(token) == key
    theirs.revoke(key.id, lambda: 2.0)
    assert mine.find(token) is None


def test_keys_sharing_a_prefix_are_distinct(tmp_path):
    keys = ring(tmp_path)
    key, token = keys.create(tenant="acme", name="", role="app", clock=lambda: 1.0)
    assert keys.find(token[:20]) is None
    assert keys.find(token + "x") is None
    assert keys.find(token[:-1]) is None
    assert keys.find(token) == key


def test_hash_is_not_a_credential(tmp_path):
    keys = ring(tmp_path)
    key, token = keys.create(tenant="acme", name="", role="app", clock=lambda: 1.0)
    stored = (tmp_path / "db.keys.json").read_text()
    assert token not in stored
    assert keys.find(key.digest) is None
    assert keys.find("fk-" + key.digest) is None


def test_the_file_is_private(tmp_path):
    ring(tmp_path).create(tenant="a", name="", role="app", clock=lambda: 1.0)
    assert (tmp_path / "db.keys.json").stat().st_mode & 0o077 == 0


def test_a_broken_file_fails_closed_and_is_named(tmp_path):
    (tmp_path / "db.keys.json").write_text(json.dumps({"no": "list"}))
    with pytest.raises(StoreError, match=r"db\.keys\.json"):
        ring(tmp_path).find("fk-any")


def test_changes_at_once_do_not_undo_each_other(tmp_path):
    """Each change reads, changes and writes the whole file."""
    path = tmp_path / "keys.json"
    made = [KeyRing(path).create(tenant="t", name="", role="app", clock=lambda: 1.0)[0] for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        new = [pool.submit(KeyRing(path).create, tenant="n", name="", role="app", clock=lambda: 2.0) for _ in range(8)]
        gone = [pool.submit(KeyRing(path).revoke, key.id, lambda: 3.0) for key in made]
        assert all(one.result() for one in [*new, *gone])
    found = KeyRing(path).all()
    assert len(found) == 12
    assert {key.id for key in found if key.revoked} == {key.id for key in made}
