"""Settings that can be read again, and the file of variables."""

import pytest

from farthing.errors import ConfigError
from farthing.policy import Source
from farthing.policy.source import read_env


def test_a_variable_of_the_process_goes_before_one_of_the_file(tmp_path):
    config, variables = tmp_path / "f.toml", tmp_path / "keys.env"
    config.write_text("[server]\nport = 1\n")
    variables.write_text("OPENAI_API_KEY=sk-file\nANTHROPIC_API_KEY=sk-ant-file\nFARTHING_MODE=save\n")
    source = Source({"OPENAI_API_KEY": "sk-process"}, config, variables)
    policy, environ = source.read()
    assert (policy.mode, policy.server.port) == ("save", 1)
    assert (environ["OPENAI_API_KEY"], environ["ANTHROPIC_API_KEY"]) == ("sk-process", "sk-ant-file")
    config.write_text("[server]\nport = 2\n[prices]\nfile = 'p.toml'\n")
    policy, _ = source.read()
    assert policy.server.port == 2
    assert [path.name for path in source.files(policy)] == ["f.toml", "keys.env", "p.toml"]


def test_the_lines_of_a_file_of_variables(tmp_path):
    path = tmp_path / "keys.env"
    path.write_text("# keys\n\nA=1\n export B = 'two words' \nC=\"x=y\"\nD=\nE='\nF=#no comment\n")
    assert read_env(path) == {"A": "1", "B": "two words", "C": "x=y", "D": "", "E": "'", "F": "#no comment"}


@pytest.mark.parametrize("line", ["sk-secret", "=sk-secret", "A B=sk-secret", "9A=sk-secret"])
def test_a_line_that_is_none_is_named_and_not_shown(tmp_path, line):
    path = tmp_path / "keys.env"
    path.write_text(f"A=1\n{line}\n")
    with pytest.raises(ConfigError, match=r"keys\.env line 2: should be NAME=value") as raised:
        read_env(path)
    assert "secret" not in str(raised.value)


def test_a_file_of_variables_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_env(tmp_path / "nosuch.env")
    (tmp_path / "latin.env").write_bytes(b"A=\xff\n")
    with pytest.raises(ConfigError, match="it is not UTF-8"):
        read_env(tmp_path / "latin.env")
