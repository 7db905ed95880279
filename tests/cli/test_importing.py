import sys

import pytest

from farthing.cli import main

CONFIG = """
model_list:
  - model_name: smart
    litellm_params: {model: openai/gpt-4o, api_base: "%s", api_key: os.environ/SIM_KEY}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG % "http://127.0.0.1:1/v1")
    return path


def test_to_stdout_and_to_a_file(config, tmp_path, capsys):
    assert main(["import", "litellm-config", str(config)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# Made from config.yaml")
    made = tmp_path / "farthing.toml"
    assert main(["import", "litellm-config", str(config), "--output", str(made)]) == 0
    assert made.read_text() == shown


def test_a_file_that_is_there_is_kept(config, tmp_path, capsys):
    made = tmp_path / "farthing.toml"
    made.write_text("mine")
    arguments = ["import", "litellm-config", str(config), "--output", str(made)]
    assert main(arguments) == 1
    assert "--force overwrites it" in capsys.readouterr().err
    assert made.read_text() == "mine"
    assert main([*arguments, "--force"]) == 0
    assert "[aliases]" in made.read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [("model_list: [", "not valid YAML"), ("other: 1", "it has no model_list"), (None, "cannot be read")],
)
def test_what_cannot_be_read_is_bad_use(config, capsys, text, says):
    if text is None:
        config.unlink()
    else:
        config.write_text(text)
    assert main(["import", "litellm-config", str(config)]) == 2
    assert says in capsys.readouterr().err


def test_without_the_extra_the_way_out_is_said(config, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert main(["import", "litellm-config", str(config)]) == 1
    assert "pip install 'farthing[yaml]'" in capsys.readouterr().err


def test_a_folder_that_is_not_there(config, tmp_path, capsys):
    assert main(["import", "litellm-config", str(config), "--output", str(tmp_path / "no" / "f.toml")]) == 1
    assert "cannot be written" in capsys.readouterr().err
