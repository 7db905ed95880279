import json

from farthing.cli import main


def test_a_known_model_has_its_price_and_its_source(capsys):
    assert main(["prices", "explain", "gpt-4o", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["prices"]["input"] == "2.5"
    assert "openai/gpt-4o" in line["version"]


def test_the_table_names_the_source(capsys):
    assert main(["prices", "explain", "anthropic/claude-3-5-sonnet-20241022"]) == 0
    shown = capsys.readouterr().out
    assert "cache write 5m" in shown
    assert "Source: " in shown


def test_an_unknown_model_is_unpriced_and_never_0(capsys):
    assert main(["prices", "explain", "openai/nosuch-model"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("farthing: unpriced: ")


def test_a_list_can_be_narrowed(capsys):
    assert main(["prices", "list", "gpt-4o-mini", "--provider", "openai", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines
    assert all("gpt-4o-mini" in line["model"] for line in lines)
    assert main(["prices", "list", "gpt-4o-mini", "--provider", "openai"]) == 0
    assert "per million tokens" in capsys.readouterr().out


def test_nothing_found_is_code_1(capsys):
    assert main(["prices", "list", "nosuch-model"]) == 1
    assert "no prices match" in capsys.readouterr().err


def test_an_own_price_goes_first(tmp_path, monkeypatch, capsys):
    prices = tmp_path / "prices.toml"
    prices.write_text('[[price]]\nprovider = "openai"\nmodel = "my-model"\ninput = "1.25"\noutput = "2"\n')
    monkeypatch.setenv("FARTHING_PRICES_FILE", str(prices))
    assert main(["prices", "explain", "openai/my-model", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["prices"]
    assert (found["input"], found["output"]) == ("1.25", "2")
