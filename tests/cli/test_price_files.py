import json
from pathlib import Path

import pytest

from farthing.cli import main
from farthing.prices import catalog


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def newer():
    """The built-in catalogue with another price for one model, as a file."""
    text = Path(catalog.__file__).with_name("catalog.json").read_text()
    line = next(line for line in text.splitlines() if line.startswith('{"id":"claude-2",'))
    changed = text.replace(line, line.replace('"input":"8"', '"input":"9"'))
    Path("newer.json").write_text(changed.replace(catalog.load().source, "genai-prices 99.0"))
    return "newer.json"


def test_an_update_is_shown_and_taken_only_when_told(newer, capsys):
    assert main(["prices", "update", newer]) == 0
    said = capsys.readouterr().out
    assert "input 8" in said
    assert "input 9" in said
    assert "1 model with other prices. Nothing is written without --yes" in said
    assert not Path("farthing.db.prices.json").exists()
    assert main(["prices", "update", newer, "--yes", "--json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["model"], change["was"]["input"], change["becomes"]["input"]) == ("claude-2", "8", "9")
    assert main(["prices", "explain", "anthropic/claude-2", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["prices"]["input"], line["version"]) == ("9", "genai-prices 99.0 anthropic/claude-2")


def test_an_update_that_is_wrong_or_older_leaves_the_old_prices(newer, capsys):
    assert main(["prices", "update", newer, "--yes"]) == 0
    kept = Path("farthing.db.prices.json").read_bytes()
    Path("bad.json").write_text(Path(newer).read_text().replace('"input":"9"', '"input":"-9"'))
    Path("older.json").write_text(Path(newer).read_text().replace("genai-prices 99.0", "genai-prices 98.0"))
    capsys.readouterr()
    for file, said in (("bad.json", "expected dollars"), ("older.json", "is older"), ("nosuch.json", "cannot be read")):
        assert main(["prices", "update", file, "--yes"]) == 2
        assert said in capsys.readouterr().err
        assert Path("farthing.db.prices.json").read_bytes() == kept


def test_the_installed_data_are_those_that_were_baked(capsys):
    pytest.importorskip("genai_prices")
    assert main(["prices", "update", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"].startswith("genai-prices ")


def test_a_price_is_set_and_holds(monkeypatch, capsys):
    assert main(["prices", "set", "acme/big", "input=1.2"]) == 2
    assert "[prices] file is not set" in capsys.readouterr().err
    monkeypatch.setenv("FARTHING_PRICES_FILE", "prices.toml")
    Path("prices.toml").write_text("# ours\n")
    assert main(["prices", "set", "acme/big", "input=1.2", "output=4.8", "--from", "2026-01-01"]) == 0
    assert main(["prices", "set", "other", "input=0", "--provider", "acme"]) == 0
    capsys.readouterr()
    assert main(["prices", "explain", "acme/big", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["prices"]["input"], line["version"]) == ("1.2", "override prices.toml acme/big@2026-01-01")
    assert Path("prices.toml").read_text().startswith("# ours\n\n[[price]]\n")


@pytest.mark.parametrize("price", ["input", "input=-1", "colour=1", "input=x"])
def test_a_price_that_is_none_is_not_set(monkeypatch, price, capsys):
    monkeypatch.setenv("FARTHING_PRICES_FILE", "prices.toml")
    Path("prices.toml").write_text("# ours\n")
    assert main(["prices", "set", "acme/big", price]) == 2
    assert Path("prices.toml").read_text() == "# ours\n"
    assert not Path("prices.toml.new").exists()


def test_two_sources_are_compared(capsys):
    entry = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06}
    Path("l.json").write_text(json.dumps({"gpt-4o": entry}))
    assert main(["prices", "check", "l.json"]) == 0
    assert "1 model compared, 0 differ" in capsys.readouterr().out
    Path("l.json").write_text(json.dumps({"gpt-4o": entry | {"input_cost_per_token": 3e-06}}))
    assert main(["prices", "check", "l.json", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["apart"] == [
        {"provider": "openai", "model": "gpt-4o", "price": "input", "farthing": "2.5", "other": "3"}
    ]
    assert main(["prices", "check", "nosuch.json"]) == 2
