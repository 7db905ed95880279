import json
from decimal import Decimal

import pytest
from tests.serving import entered, serving

from farthing.cli import main
from farthing.ledger.journal import Journal
from farthing.simulator import running

from .conftest import NOW, settled

FIELDS = {
    "id", "ts", "tenant", "user", "feature", "model", "status", "cache", "cost_nano_usd", "baseline_nano_usd", "calls",
}  # fmt: skip


@pytest.fixture
def ask(ledger, capsys):
    def ask(*arguments):
        assert main(["requests", "--store", ledger, *arguments]) == 0
        return capsys.readouterr().out

    return ask


@pytest.fixture
def listed(ask):
    return lambda *arguments: [json.loads(line) for line in ask("--json", *arguments).splitlines()]


def test_one_object_a_line_newest_first(listed):
    found = listed("--limit", "5")
    assert len(found) == 5
    assert all(one.keys() >= FIELDS for one in found)
    assert [one["ts"] for one in found] == sorted((one["ts"] for one in found), reverse=True)
    assert found[0]["id"] == "fr_lost"
    assert found[0]["state"] == "unsettled"
    assert found[0]["cost_nano_usd"] is None


def test_a_request_has_its_provider_calls_with_price_and_source(listed):
    (found,) = listed("fr_0")
    (call,) = found["calls"]
    assert (call["cost_nano_usd"], call["cost_source"]) == (50_000_000, "usage")
    assert call["price_version"] == "book 1 openai/gpt-4o"
    assert call["tokens"]["input"] == 20_000
    assert found["query_type"] == "answer questions about scientific papers"


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--user", "bob"], {"fr_0", "fr_1", "fr_2"}),
        (["--status", "429"], {"fr_33"}),
        (["--failed"], {"fr_33"}),
        (["--cache", "exact"], {"fr_30"}),
        (["--source", "unpriced"], {"fr_31"}),
        (["--until", "1d"], {"fr_32"}),
        (["--query-type", "answer questions about scientific papers", "--limit", "2"], {"fr_1", "fr_2"}),
        (["--model", "nosuch"], set()),
    ],
)
def test_requests_can_be_narrowed(listed, arguments, ids):
    assert {one["id"] for one in listed(*arguments)} == ids


def test_the_table_shows_an_unknown_cost_as_unknown(ask):
    text = ask("--source", "unpriced")
    assert "unpriced" in text
    assert "$0.00" not in text
    assert ask("--model", "nosuch") == "No requests match.\n"


def test_one_request_is_shown_to_the_last_nano_dollar(ask):
    text = ask("fr_30")
    assert "Saved by exact" in text
    assert "$0.001" in text
    shown = ask("fr_0")
    assert "$0.05 (usage)" in shown
    assert "book 1 openai/gpt-4o" in shown
    assert "20,000 input, 50 output tokens" in shown
    assert "question number 0, please?" in shown


def test_an_unknown_request_is_code_1(ledger, capsys):
    assert main(["requests", "nosuch", "--store", ledger]) == 1
    assert "there is no request 'nosuch'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--limit", "0"],
        ["--status", "ok"],
        ["--cache", "warm"],
        ["--source", "guess"],
        ["--since", "soon"],
        ["--until", ""],
        ["--nosuch"],
        ["fr_1", "fr_2"],
    ],
)
def test_bad_use_is_code_2(ledger, capsys, arguments):
    assert main(["requests", "--store", ledger, *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_where_there_is_no_ledger_none_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["requests"]) == 1
    assert "farthing: there is no ledger at sqlite:///farthing.db: start `farthing serve`" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_a_client_has_sent_orders_the_terminal_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    journal = Journal(tmp_path / "farthing.db.journal", lambda: NOW)
    journal.append(settled(1, user="\x1b[2J\x9b31manna"))
    journal.close()
    for arguments in ([], ["fr_1"]):
        assert main(["requests", *arguments]) == 0
        shown = capsys.readouterr().out
        assert "anna" in shown
        assert not set(shown) & {"\x1b", "\x9b"}
    assert main(["requests", "--json"]) == 0
    assert "\x1b" not in (line := capsys.readouterr().out)
    assert json.loads(line)["user"] == "\x1b[2J\x9b31manna"


def test_a_request_can_be_looked_up_by_the_id_that_its_reply_had(tmp_path, capsys):
    with running() as sim, serving(tmp_path, sim.url) as gateway:
        reply = gateway.say(x_farthing_user="anna", x_farthing_feature="help", x_farthing_tenant="acme")
        entered(tmp_path, 1)
        url = f"sqlite:///{tmp_path}/farthing.db"
        assert main(["requests", reply.headers["x-farthing-request-id"], "--json", "--store", url]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found.keys() >= FIELDS
        assert [found[name] for name in ("tenant", "user", "feature", "model", "status", "cache")] == [
            "acme", "anna", "help", "gpt-4o-mini", 200, "off",
        ]  # fmt: skip
        cost = int(Decimal(reply.headers["x-farthing-cost-usd"]) * 10**9)
        assert found["cost_nano_usd"] == found["baseline_nano_usd"] == cost == sim.invoice.total_nano_usd
        assert [call["cost_nano_usd"] for call in found["calls"]] == [cost]
        assert gateway.stop() == 0
