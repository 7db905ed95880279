import json
import re

import pytest

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


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain"],
        ["explain", "gpt-4o", "--at", "soon"],
        ["list", "--at", ""],
        ["list", "a", "b"],
        ["list", "--nosuch"],
    ],
)
def test_bad_use_is_code_2(arguments, capsys):
    assert main(["prices", *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("arguments", [["list"], ["explain", "gpt-4o"]])
@pytest.mark.parametrize(
    ("text", "said"), [(None, "cannot be read"), ("[[price]\n", "TOML"), ("[[price]]\nmodel = 1\n", r"price\[1\]\.")]
)
def test_a_price_file_that_cannot_be_used_is_told(tmp_path, monkeypatch, capsys, arguments, text, said):
    file = tmp_path / "prices.toml"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("FARTHING_PRICES_FILE", str(file))
    assert main(["prices", *arguments]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert re.match(rf"farthing: {file}: .*{said}", found.err)
    assert found.err.count("\n") == 1


def test_prices_as_they_were(tmp_path, monkeypatch, capsys):
    """Also at the beginning of time, which is a number like any other."""
    prices = tmp_path / "prices.toml"
    dated = 'model = "m"\nprovider = "openai"\noutput = "2"\n'
    prices.write_text(f'[[price]]\n{dated}input = "1"\n[[price]]\n{dated}input = "3"\nfrom = 2026-01-01\n')
    monkeypatch.setenv("FARTHING_PRICES_FILE", str(prices))
    for at, price in (("2025-12-31", "1"), ("2026-01-01", "3"), ("1970-01-01", "1")):
        assert main(["prices", "explain", "openai/m", "--at", at, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["prices"]["input"] == price
