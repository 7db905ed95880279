"""``farthing keys``, and what a key opens at a gateway that is already running."""

import json
import re
import stat

import pytest
from tests.serving import entered, serving, settled

from farthing.cli import main
from farthing.simulator import running


@pytest.fixture
def keys(tmp_path, monkeypatch, capsys):
    """Run ``farthing keys``: what it says on stdout."""
    monkeypatch.chdir(tmp_path)

    def keys(*arguments, code=0):
        assert main(["keys", *arguments, "--store", f"sqlite:///{tmp_path}/farthing.db"]) == code
        said = capsys.readouterr()
        keys.err = said.err
        return said.out

    return keys


def test_a_key_is_shown_once_and_listed_without_what_opens(keys, tmp_path):
    token = keys("create", "--tenant", "acme", "--name", "the shop").strip()
    assert re.fullmatch(r"fk-[\w-]{43}", token)
    assert re.fullmatch(r"key_\w+, tenant acme\. This is the only time it is shown\.\n", keys.err)
    listed = keys("list") + keys("list", "--json")
    assert "acme" in listed
    assert "the shop" in listed
    assert token not in listed
    assert "digest" not in listed
    file = tmp_path / "farthing.db.keys.json"
    assert token not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_keys_for_machines(keys):
    made = json.loads(keys("create", "--tenant", " acme ", "--admin", "--json"))
    assert made["key"].startswith("fk-")
    assert (made["tenant"], made["role"], made["revoked"]) == ("acme", "admin", None)
    (listed,) = [json.loads(line) for line in keys("list", "--json").splitlines()]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert keys("revoke", made["id"]) == f"{made['id']} is revoked.\n"
    (revoked,) = [json.loads(line) for line in keys("list", "--json").splitlines()]
    assert revoked["revoked"] >= revoked["created"]
    keys("revoke", made["id"])
    assert json.loads(keys("list", "--json")) == revoked


def test_without_keys_the_list_says_how_to_make_one(keys, tmp_path):
    assert "farthing keys create --tenant NAME" in keys("list")
    assert keys("list", "--json") == ""
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_key_cannot_be_revoked(keys):
    assert keys("revoke", "key_nosuch", code=1) == ""
    assert keys.err == "farthing: there is no key key_nosuch; see `farthing keys list`\n"


@pytest.mark.parametrize(
    "arguments",
    [["create"], ["create", "--tenant", ""], ["create", "--tenant", " "], ["revoke"], ["nosuch"], ["list", "--nosuch"]],
)
def test_bad_use(keys, tmp_path, arguments):
    """A key whose tenant has no name would be one of any tenant that a header names."""
    assert keys(*arguments, code=2) == ""
    assert keys.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_shown_as_it_is_and_orders_the_terminal_nothing(keys):
    keys("create", "--tenant", "[/x] [red]", "--name", "\x1b]0;owned\x07:smile:")
    shown = keys("list")
    assert "[/x] [red]" in shown
    assert "]0;owned:smile:" in shown
    assert "\x1b" not in shown


def test_a_file_of_keys_that_cannot_be_read_is_left_alone(keys, tmp_path):
    file = tmp_path / "farthing.db.keys.json"
    file.write_text("{broken")
    for arguments in (["list"], ["create", "--tenant", "acme"], ["revoke", "key_1"]):
        keys(*arguments, code=1)
        assert keys.err.startswith(f"farthing: {file}: the virtual keys cannot be read: ")
        assert keys.err.count("\n") == 1
    assert file.read_text() == "{broken"


def test_a_key_works_and_stops_working_while_the_gateway_runs(keys, tmp_path):
    with running() as sim, serving(tmp_path, sim.url, OPENAI_API_KEY="sk-env") as gateway:
        unknown = gateway.say(authorization="Bearer fk-unknown")
        assert (unknown.status, unknown.json["error"]["code"]) == (401, "farthing_unknown_key")
        made = json.loads(keys("create", "--tenant", "acme", "--json"))
        bearer = {"authorization": f"Bearer {made['key']}"}
        assert gateway.say(**bearer, x_farthing_tenant="globex").status == 200
        assert sim.received[-1].headers["authorization"] == "Bearer sk-env"
        keys("revoke", made["id"])
        assert gateway.say(**bearer).status == 401
        assert len(sim.received) == 1
        entered(tmp_path, 1)
        assert gateway.stop() == 0
    assert [row.request.caller.tenant for row in settled(tmp_path) if row.request.status == 200] == ["acme"]
    assert made["key"] not in gateway.errors


def test_with_a_key_it_listens_to_other_machines_and_asks_all_of_them_for_one(keys, tmp_path):
    token = keys("create", "--tenant", "acme").strip()
    with running() as sim, serving(tmp_path, sim.url, "--host", "0.0.0.0", OPENAI_API_KEY="sk-env") as gateway:
        assert gateway.say(authorization=None).status == 401
        assert gateway.say(authorization=f"Bearer {token}").status == 200
        assert gateway.ask("/farthing/").status == 401
        assert len(sim.received) == 1
