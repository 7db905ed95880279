"""``farthing serve`` starts, or says in one plain line why not; what is not its own it does not touch."""

import os
import re
import shutil
import socket
import sqlite3
from contextlib import closing

import pytest
from tests.serving import COMMAND, patient, run, serving

from farthing.cli import main
from farthing.ledger.upgrade import VERSION, prepare
from farthing.simulator import running

pytestmark = patient


@pytest.fixture(scope="module")
def sim():
    with running(seed=1) as sim:
        yield sim


@pytest.fixture
def refused(tmp_path):
    """Start it where it must not start: what it says, without its name."""

    def refused(*arguments, code, command=COMMAND, **more):
        done = run(tmp_path, "serve", "--port", "0", *arguments, command=command, **more)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert done.stderr.startswith("farthing: ")
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.removeprefix("farthing: ").rstrip()

    return refused


# ------------------------------------------------------------ it starts


def test_it_announces_where_it_listens_and_serves_there(tmp_path, sim):
    with serving(tmp_path, sim.url, "--mode", "save") as gateway:
        base = f"http://127.0.0.1:{gateway.port}"
        assert gateway.said == [
            f"farthing  mode save, ledger sqlite:///{tmp_path}/farthing.db\n",
            f"  dashboard   {base}/farthing/\n",
            f"  OpenAI      base_url = {base}/v1\n",
            f"  Anthropic   base_url = {base}\n",
        ]
        assert gateway.say().headers["x-farthing-cache"] == "miss"
        assert gateway.say().headers["x-farthing-cache"] == "exact"
        assert (gateway.ask("/healthz").body, gateway.ask("/readyz").body) == (b"ok", b"ok")
        assert gateway.ask("/farthing/").status == 200
        assert gateway.stop() == 0
        assert gateway.errors == ""


def test_without_a_key_in_the_environment_the_client_s_own_opens(tmp_path, sim):
    with serving(tmp_path, sim.url) as gateway:
        assert gateway.say(authorization="Bearer sk-client").status == 200
        assert sim.received[-1].headers["authorization"] == "Bearer sk-client"
        without = gateway.say(authorization=None)
        assert (without.status, without.json["error"]["code"]) == (401, "farthing_no_credential")
        assert "OPENAI_API_KEY" in without.json["error"]["message"]


def test_with_a_key_in_the_environment_none_is_needed(tmp_path, sim):
    with serving(tmp_path, sim.url, OPENAI_API_KEY="sk-env") as gateway:
        assert gateway.say(authorization=None).status == 200
        assert sim.received[-1].headers["authorization"] == "Bearer sk-env"


def test_options_go_before_the_environment_and_that_before_the_file(tmp_path, sim):
    config = tmp_path / "f.toml"
    config.write_text('mode = "save"\n[server]\nport = 1\nhost = "192.0.2.1"\n[routing]\nenabled = true\n')
    with serving(tmp_path, sim.url, "--config", str(config), "--host", "localhost", FARTHING_MODE="observe") as gateway:
        assert gateway.said[0].startswith("farthing  mode observe")
        assert gateway.said[1] == f"  dashboard   http://localhost:{gateway.port}/farthing/\n"
        assert gateway.ask("/healthz").status == 200
        gateway.process.stdout.readline()


# ------------------------------------------------------------ it does not start


def test_a_port_in_use(tmp_path, refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("--port", str(port), code=2)
    assert re.match(rf"port {port} on 127\.0\.0\.1 is in use: .* choose another with --port", said)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_no_other_machine_is_let_in_before_there_is_a_key(tmp_path, refused, host):
    assert "farthing keys create --tenant NAME" in refused("--host", host, code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[server]\ngrace = "x"\n', r"f\.toml line 2: \[server\] grace: 'x' is not a duration"),
        ("[server]\n\nprot = 1\n", r"f\.toml line 3: \[server\] prot: there is no such setting; did you mean port\?"),
        ("[server\n", r"f\.toml: not valid TOML: .*line 1"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_its_line(tmp_path, refused, text, said):
    (tmp_path / "f.toml").write_text(text)
    found = refused("--config", "f.toml", code=2)
    assert re.match(said, found), found
    assert [path.name for path in tmp_path.iterdir()] == ["f.toml"]


def test_a_settings_file_that_is_not_there(refused):
    assert "nosuch.toml: no such file" in refused("--config", "nosuch.toml", code=2)


@pytest.mark.parametrize("arguments", [["--port", "x"], ["--port", "70000"], ["--mode", "fast"], ["--nosuch"], ["x"]])
def test_bad_options(arguments, capsys):
    assert main(["serve", *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("text", "workers", "said"),
    [
        (None, "1", "prices.toml: cannot be read: .*No such file"),
        (None, "2", "prices.toml: cannot be read: .*No such file"),
        ("", "1", "prices.toml: cannot be read: .*directory"),
        ("[[price]]\nprovider = 1\n", "1", r"prices.toml: price\[1\]\.provider: expected a non-empty string; got 1"),
    ],
)
def test_a_price_file_that_cannot_be_used(tmp_path, refused, text, workers, said):
    if text:
        (tmp_path / "prices.toml").write_text(text)
    elif text == "":
        (tmp_path / "prices.toml").mkdir()
    found = refused(code=2, FARTHING_PRICES_FILE="prices.toml", FARTHING_SERVER_WORKERS=workers)
    assert re.match(said, found), found


# ------------------------------------------------------------ a store that is not its own


def test_a_newer_ledger_is_refused_and_left_alone(tmp_path, refused):
    path = tmp_path / "farthing.db"
    prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    said = refused(code=1)
    assert "schema 9999" in said
    assert f"schema {VERSION}" in said
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["farthing.db"]


@pytest.mark.parametrize("alembic", [False, True])
def test_another_program_s_database_is_refused_and_left_alone(tmp_path, refused, alembic):
    path = tmp_path / "farthing.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE invoices (id INTEGER)")
        if alembic:
            connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
            connection.execute("INSERT INTO alembic_version VALUES ('abc')")
    before = path.read_bytes()
    assert "another program's" in refused(code=1)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["farthing.db"]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, refused):
    path = tmp_path / "farthing.db"
    path.write_text("a letter to Mara\n" * 100)
    before = path.read_bytes()
    assert "no SQLite database" in refused(code=1)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["farthing.db"]


# ------------------------------------------------------------ a place where it may not write

ROOT = os.geteuid() == 0
COMMON = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", *COMMAND) if ROOT else COMMAND
"""Root may write anywhere; without these rights it is a user like any other."""
with_rights = pytest.mark.skipif(ROOT and not shutil.which("setpriv"), reason="root may write anywhere")


@pytest.fixture
def closed(tmp_path):
    """Take away the right to write something, until the end of the test."""
    taken = []

    def closed(path):
        taken.append((path, path.stat().st_mode))
        path.chmod(0o500 if path.is_dir() else 0o400)

    yield closed
    for path, mode in reversed(taken):
        path.chmod(mode)


@with_rights
@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_is_read_only(tmp_path, refused, closed, there):
    (tmp_path / "books").mkdir()
    if there:
        prepare(tmp_path / "books" / "farthing.db")
    before = sorted(tmp_path.rglob("*"))
    closed(tmp_path / "books")
    said = refused(code=1, command=COMMON, FARTHING_STORE_URL="sqlite:///books/farthing.db")
    assert "check the rights on the file and its folder, or change [store] url" in said
    assert sorted(tmp_path.rglob("*")) == before


@with_rights
def test_a_ledger_that_is_read_only(tmp_path, refused, closed):
    prepare(tmp_path / "farthing.db")
    closed(tmp_path / "farthing.db")
    assert "the ledger cannot be written: check the rights on the file" in refused(code=1, command=COMMON)


@with_rights
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_journal_that_is_read_only(tmp_path, closed, workers):
    (tmp_path / "farthing.db.journal").mkdir()
    closed(tmp_path / "farthing.db.journal")
    done = run(tmp_path, "serve", "--port", "0", command=COMMON, FARTHING_SERVER_WORKERS=workers)
    assert done.returncode == 1
    assert "the journal cannot be written to" in done.stderr
    assert "Traceback" not in done.stderr
