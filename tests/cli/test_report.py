import csv
import io
import json

import pytest

from farthing.cli import main
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.store import open_store

CONTRACT = {
    "requests", "provider_calls", "cost_nano_usd", "baseline_nano_usd", "saved_nano_usd", "unpriced_calls",
    "unsettled_calls", "tokens",
}  # fmt: skip
CLASSES = {"input", "cache_read", "cache_write_5m", "cache_write_1h", "output"}
BILL = 3 * 50_000_000 + 10 * 1_000_000 + 1_000_000


@pytest.fixture
def ask(ledger, capsys):
    def ask(*arguments):
        assert main(["report", "--store", ledger, *arguments]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        return said.out

    return ask


def test_what_a_stopped_gateway_left_in_its_journal_is_counted(ask):
    total = json.loads(ask("--json"))["total"]
    assert total["requests"] == 18
    assert total["cost_nano_usd"] == BILL
    assert (total["unpriced_calls"], total["unsettled_calls"]) == (1, 1)
    assert json.loads(ask("--json"))["total"] == total


def test_the_json_is_the_contracts(ask):
    found = json.loads(ask("--by", "feature", "--json"))
    assert set(found) == {"total", "rows"}
    for row in [found["total"], *found["rows"]]:
        assert row.keys() >= CONTRACT
        assert row["tokens"].keys() >= CLASSES
    assert [row["key"] for row in found["rows"]] == ["papers", "support", None]
    assert sum(row["cost_nano_usd"] for row in found["rows"]) == BILL
    assert json.loads(ask("--json"))["rows"] == []


@pytest.mark.parametrize("by", ["model", "feature", "user", "tenant", "provider", "query_type", "day", "hour", "lever"])
def test_every_dimension_adds_up_to_the_total(ask, by):
    found = json.loads(ask("--by", by, "--json"))
    field = "saved_nano_usd" if by == "lever" else "cost_nano_usd"
    assert sum(row[field] for row in found["rows"]) == found["total"][field]
    assert ask("--by", by)


def test_query_types_have_names_in_plain_words(ask):
    rows = json.loads(ask("--by", "query_type", "--json"))["rows"]
    assert [row["name"] for row in rows][:2] == [
        "answer questions about scientific papers",
        "support assistant of Acme Bank",
    ]
    assert rows[0]["key"] != rows[0]["name"]


def test_a_period_is_from_since_to_before_until(ask):
    assert json.loads(ask("--since", "1h", "--json"))["total"]["requests"] == 7
    assert json.loads(ask("--since", "2d", "--until", "1h", "--json"))["total"]["requests"] == 10
    assert json.loads(ask("--until", "2026-11-16", "--json"))["total"]["requests"] == 1


def test_the_csv_has_the_same_columns(ask):
    rows = list(csv.DictReader(io.StringIO(ask("--by", "user", "--csv"))))
    assert [row["key"] for row in rows] == ["bob", "anna", ""]
    assert rows[0]["cost_nano_usd"] == "150000000"
    assert rows[0]["tokens_input"] == "60000"
    assert CONTRACT - {"tokens"} <= rows[0].keys()
    assert len(list(csv.DictReader(io.StringIO(ask("--csv"))))) == 1


def test_the_overview_says_where_the_money_goes_and_what_is_not_sure(ask):
    text = ask()
    assert "$0.16" in text
    assert "! 1 call unpriced" in text
    assert "! 1 call estimated" in text
    assert "! 1 call unsettled" in text
    assert "50% of the query types (1 of 2) make 93% of the bill." in text
    assert "1. answer questions about scientific papers" in text
    assert "for example fr_0 $0.05: question number 0, please?" in text
    for title in ("By feature", "By query type", "By user", "By model", "Savings by lever"):
        assert title in text


def test_one_dimension_says_how_few_make_most_of_the_bill(ask):
    assert "(1 of 2) make 93% of the bill" in ask("--by", "user")


def test_an_empty_period_says_so(ask):
    assert "Nothing has been recorded in this period." in ask("--until", "2020-01-01")


def test_without_a_ledger_the_way_out_is_named_and_none_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report"]) == 1
    assert "there is no ledger at sqlite:///farthing.db: start `farthing serve`" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_bad_use_is_one_line_and_code_2(ledger, capsys):
    for arguments in (["--since", "today", "--until", "yesterday"], ["--by", "colour"], ["--since", "soon"]):
        assert main(["report", "--store", ledger, *arguments]) == 2
        said = capsys.readouterr().err
        assert said.startswith("farthing: ")
        assert said.count("\n") == 1


def test_a_file_that_is_no_ledger_is_code_1(tmp_path, capsys):
    (tmp_path / "x.db").write_text("not a database, but long enough to be looked at" * 50)
    assert main(["report", "--store", f"sqlite:///{tmp_path}/x.db"]) == 1
    assert capsys.readouterr().err.startswith("farthing: ")


def test_a_running_gateway_goes_on_keeping_the_ledger(ledger, tmp_path, capsys):
    store = open_store(ledger, lambda: 0.0)
    keeper = Keeper(store, tmp_path / "books.db.journal", lambda: 0.0)
    keeper.run_once()
    journal = Journal(tmp_path / "books.db.journal", lambda: 1.0)
    try:
        assert main(["report", "--store", ledger, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["total"]["requests"] == 18
    finally:
        journal.close()
        keeper.close()
        store.close()
