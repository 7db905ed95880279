import json

import pytest

from farthing.cli import main, reconcile, reprice

from .conftest import NOW

DAY = 86_400


@pytest.fixture
def days(ledger, monkeypatch, tmp_path):
    """The ledger, and a function that writes a statement by the day."""
    monkeypatch.setattr(reconcile, "clock", lambda: NOW + 2 * DAY)
    monkeypatch.setattr(reconcile, "pause", lambda: None)
    monkeypatch.setattr(reprice, "pause", lambda: None)

    def write(text, name="statement.csv"):
        (tmp_path / name).write_text(text)
        return name

    return ledger, write


def told(capsys, *arguments, code):
    assert main(["reconcile", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_equal_is_0_and_different_is_1(days, capsys):
    ledger, write = days
    every = "date,model,input\n2026-11-18,gpt-4o,71000\n2026-11-15,gpt-4o,1000\n"
    found = told(capsys, write(every), "--store", ledger, code=0)
    assert (found["equal"], found["statements"][0]["totals"]["input"]["difference"]) == (True, 0)
    found = told(capsys, write(every.replace("71000", "72500")), "--store", ledger, code=1)
    (one,) = found["statements"][0]["differences"]
    assert (one["day"], one["measure"], one["difference"]) == ("2026-11-18", "input", 1500)
    assert one["causes"] == ["1 call here unsettled: a statement call by call can close them (--apply)"]


def test_people_are_told_every_difference_and_its_cause(days, capsys):
    ledger, write = days
    statement = write("date,model,input,cost_usd\n2026-11-18,gpt-4o,70000,0.1600\n2026-11-18,gpt-9,5,0.01\n")
    assert main(["reconcile", statement, "--since", "2026-11-18", "--store", ledger]) == 1
    shown = capsys.readouterr().out
    assert "did not go through farthing" in shown
    assert "gpt-9" in shown
    assert "likely cause" in shown


def test_unsettled_calls_are_closed_by_a_statement_and_can_be_opened_again(days, capsys):
    ledger, write = days
    classes = "input,cache_read,cache_write_5m,cache_write_1h,output"
    statement = write(
        f"request_id,time,model,{classes},cost_nano_usd\nreq_lost,{NOW - 4},gpt-4o,9,0,0,0,5,77\n", "invoice.csv"
    )
    since = ("--since", "2026-11-18T11:06:30", "--store", ledger)
    found = told(capsys, statement, *since, code=1)
    assert found["statements"][0]["closable"] == 1
    applied = told(capsys, statement, *since, "--apply", code=0)
    assert (applied["correction"]["requests"], applied["correction"]["change_nano_usd"]) == (1, 77)
    assert applied["equal"]
    assert main(["report", "--json", "--store", ledger]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["unsettled_calls"] == 0
    assert main(["prices", "undo", str(applied["correction"]["version"]), "--store", ledger]) == 0
    capsys.readouterr()
    assert told(capsys, statement, *since, code=1)["statements"][0]["closable"] == 1
    assert main(["reconcile", statement, *since, "--apply"]) == 0
    assert "closed: correction 2" in capsys.readouterr().out


def test_apply_needs_a_statement_of_calls(days, capsys):
    ledger, write = days
    assert main(["reconcile", write("date,input\n2026-11-18,1\n"), "--apply", "--store", ledger]) == 2
    assert "call by call" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nosuch.json"], ["empty.json"], ["ok.csv", "--since", "soon"]])
def test_bad_use_is_code_2(days, capsys, arguments):
    ledger, write = days
    write("{}", "empty.json")
    write("date,input\n2026-11-18,1\n", "ok.csv")
    assert main(["reconcile", *arguments, "--store", ledger]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
