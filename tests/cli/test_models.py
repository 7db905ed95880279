import json

import pytest

from farthing.cli import main


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No settings but those that a test makes, no key but those that it sets."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_providers_and_whether_they_can_be_used(capsys, monkeypatch, alone):
    (alone / "farthing.toml").write_text("[providers.ollama]\n")
    monkeypatch.setenv("GROQ_API_KEY", "gsk-secret")
    assert main(["models", "--json"]) == 0
    said = capsys.readouterr().out
    found = {line["provider"]: line for line in map(json.loads, said.splitlines())}
    assert [found[name]["ready"] for name in ("openai", "ollama", "groq")] == [False, True, True]
    assert found["groq"]["base_url"] == "https://api.groq.com/openai/v1"
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert "OPENAI_API_KEY is not set" in shown
    assert "takes none" in shown
    assert "gsk-secret" not in said + shown


def test_what_a_model_can_do_and_who_says_so(capsys, alone):
    (alone / "farthing.toml").write_text('[models."openai/gpt-4o"]\ntools = false\n')
    assert main(["models", "gpt-4o", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["provider"], found["capabilities"]["tools"], found["capabilities"]["max_output"]) == (
        "openai",
        False,
        16_384,
    )
    assert found["capabilities"]["source"].startswith("settings, litellm")
    assert main(["models", "claude-haiku-4-5"]) == 0
    shown = capsys.readouterr().out
    assert "anthropic/claude-haiku-4-5" in shown
    assert "4,096" in shown
    assert "unknown" in shown


def test_a_model_that_nobody_knows_is_code_1(capsys):
    assert main(["models", "nosuch"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert '[models."nosuch"]' in said.err
