"""``farthing cache`` beside a gateway that goes on serving."""

import json
import time

import pytest
from tests.serving import CHAT, eventually, question, serving

from farthing.cli import main
from farthing.levers.recall.store import open_answers
from farthing.simulator import running


@pytest.fixture
def cache(tmp_path, monkeypatch, capsys):
    """Run ``farthing cache``: what it says on stdout."""
    monkeypatch.chdir(tmp_path)

    def cache(*arguments, code=0):
        assert main(["cache", *arguments, "--store", f"sqlite:///{tmp_path}/farthing.db"]) == code
        said = capsys.readouterr()
        cache.err = said.err
        return said.out

    return cache


def test_answers_are_counted_and_purged_while_the_gateway_runs(cache, tmp_path, monkeypatch):
    def ask(text="Where is my card?", **headers):
        found = gateway.ask(CHAT, question(text), **headers)
        assert found.status == 200
        return found.headers["x-farthing-cache"]

    def stats():
        return json.loads(cache("stats", "--json"))

    with running() as sim, serving(tmp_path, sim.url, "--mode", "save") as gateway:
        assert [ask(), ask()] == ["miss", "exact"]
        assert ask(x_farthing_tenant="acme") == "miss"
        assert ask(x_farthing_tenant="globex", x_farthing_feature="chat") == "miss"
        eventually(lambda: stats()["entries"] == 3)
        assert stats()["bytes"] > 0
        assert "entries    3\n" in cache("stats")
        assert cache("purge", "--older-than", "1h") == "0 answers deleted.\n"
        assert cache("purge", "--tenant", "acme") == "1 answers deleted.\n"
        assert [ask(x_farthing_tenant="acme"), ask()] == ["miss", "exact"]
        assert cache("purge", "--feature", "chat") == "1 answers deleted.\n"
        assert ask(x_farthing_tenant="globex", x_farthing_feature="chat") == "miss"
        eventually(lambda: stats()["entries"] == 3)
        with monkeypatch.context() as later:
            later.setattr("farthing.cli.cache.clock", lambda: time.time() + 7200)
            assert cache("purge", "--older-than", "1h") == "3 answers deleted.\n"
        assert [ask(), ask()] == ["miss", "exact"]
        eventually(lambda: stats()["entries"] == 1)
        assert cache("purge", "--all") == "1 answers deleted.\n"
        assert [ask(), ask()] == ["miss", "exact"]
        assert gateway.stop() == 0
        assert gateway.errors == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["purge"], "say what to delete: --tenant, --feature, --older-than, or --all"),
        (["purge", "--older-than", "soon"], "--older-than: "),
        (["purge", "--nosuch"], "No such option"),
        (["nosuch"], "No such command"),
    ],
)
def test_bad_use_deletes_nothing(cache, tmp_path, arguments, said):
    answers = open_answers(tmp_path / "farthing.db.cache", 1 << 20, lambda: 0.0)
    answers.close()
    assert cache(*arguments, code=2) == ""
    assert said in cache.err
    assert cache.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["stats"], ["purge", "--all"]])
def test_where_there_is_no_cache_none_is_made(cache, tmp_path, arguments):
    assert cache(*arguments, code=1) == ""
    assert cache.err.startswith(f"farthing: there is no cache at {tmp_path}/farthing.db.cache: ")
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_is_damaged_is_told_and_moved_aside(cache, tmp_path):
    folder = tmp_path / "farthing.db.cache"
    folder.mkdir()
    (folder / "data.mdb").write_bytes(b"not LMDB" * 4096)
    assert "entries    0\n" in cache("stats")
    assert "cannot be used" in cache.err
    assert (tmp_path / "farthing.db.cache.broken-1").is_dir()
