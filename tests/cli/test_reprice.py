import json

import pytest

from farthing.cli import main, report, reprice


@pytest.fixture
def cheaper(ledger, tmp_path, monkeypatch):
    """The ledger, and a price file by which its calls cost something else."""
    monkeypatch.setattr(reprice, "clock", report.clock)
    monkeypatch.setattr(reprice, "pause", lambda: None)
    file = tmp_path / "prices.toml"
    file.write_text('[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = "1"\noutput = "2"\n')
    monkeypatch.setenv("FARTHING_PRICES_FILE", str(file))
    return ledger


def told(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def total(capsys, ledger):
    return told(capsys, "report", "--store", ledger)["total"]


def test_history_at_other_prices_and_back(cheaper, capsys):
    before = total(capsys, cheaper)
    dry = told(capsys, "prices", "reprice", "--since", "30d", "--dry-run", "--store", cheaper)
    assert (dry["version"], total(capsys, cheaper)) == (None, before)
    done = told(capsys, "prices", "reprice", "--since", "30d", "--store", cheaper)
    assert done | {"version": None} == dry
    after = total(capsys, cheaper)
    assert after["cost_nano_usd"] == before["cost_nano_usd"] + done["change_nano_usd"]
    assert (before["unpriced_calls"], after["unpriced_calls"]) == (1, 0)
    (model,) = done["models"]
    assert (model["newly_priced"], set(model["versions"].values())) == (1, {"override prices.toml openai/gpt-4o"})
    assert told(capsys, "prices", "history", "--store", cheaper)["state"] == "applied"
    told(capsys, "prices", "undo", str(done["version"]), "--store", cheaper)
    assert total(capsys, cheaper) == before


def test_people_are_told_what_changes_and_how_to_take_it_back(cheaper, capsys):
    assert main(["prices", "history", "--store", cheaper]) == 0
    assert "Nothing has been corrected" in capsys.readouterr().out
    assert main(["prices", "reprice", "--since", "30d", "--dry-run", "--store", cheaper]) == 0
    assert "would change by -$" in capsys.readouterr().out
    assert main(["prices", "reprice", "--since", "30d", "--store", cheaper]) == 0
    assert "`farthing prices undo 1` takes it back" in capsys.readouterr().out
    assert main(["prices", "reprice", "--since", "30d", "--store", cheaper]) == 0
    assert "Every call has the price" in capsys.readouterr().out
    assert main(["prices", "history", "--store", cheaper]) == 0
    assert "reprice" in capsys.readouterr().out
    assert main(["prices", "undo", "1", "--store", cheaper]) == 0
    assert "put back" in capsys.readouterr().out
    assert main(["prices", "undo", "1", "--store", cheaper]) == 1
    assert "undone already" in capsys.readouterr().err


def test_the_prices_that_a_correction_gave_stand_with_the_calls(cheaper, capsys):
    told(capsys, "prices", "reprice", "--since", "30d", "--store", cheaper)
    (call,) = told(capsys, "requests", "fr_31", "--store", cheaper)["calls"]
    assert (call["cost_source"], call["price_version"]) == ("usage", "override prices.toml openai/gpt-4o")


@pytest.mark.parametrize("arguments", [["reprice"], ["reprice", "--since", "soon"], ["undo"], ["undo", "x"]])
def test_bad_use_is_code_2(cheaper, arguments, capsys):
    assert main(["prices", *arguments, "--store", cheaper]) == 2
    assert capsys.readouterr().err.count("\n") == 1
