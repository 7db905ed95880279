import subprocess
import sys

import pytest

from farthing import cli
from farthing.errors import ConfigError, StoreError


def test_help_names_every_command_and_imports_none():
    code = "import sys; from farthing.cli import main; main(['--help']); print([m for m in sys.modules if 'numpy' in m or 'rich' in m or m.startswith('farthing.cli.')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in cli.COMMANDS:
        assert f"\n  {name} " in run.stdout
    assert run.stdout.rstrip().endswith("[]")


def test_every_command_can_be_loaded_and_explains_itself(capsys):
    for name in cli.COMMANDS:
        assert cli.main([name, "--help"]) == 0
        assert f"Usage: farthing {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["nosuch"], ["--nosuch"], ["prices", "nosuch"], ["prices", "list", "--at", "never"]]
)
def test_bad_use_is_one_line_on_stderr_and_code_2(arguments, capsys):
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("farthing: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(("problem", "code"), [(ConfigError("x.toml:\n wrong"), 2), (StoreError("gone"), 1)])
def test_an_error_is_one_plain_line(problem, code, monkeypatch, capsys):
    def fail(*_, **__):
        raise problem

    monkeypatch.setattr(cli.farthing, "invoke", fail)
    assert cli.main(["prices", "list"]) == code
    assert capsys.readouterr().err == f"farthing: {' '.join(str(problem).split())}\n"


def test_a_reader_that_has_seen_enough_hears_no_complaint():
    code = "import sys; from farthing.cli import main; sys.exit(main(['prices', 'list', '--json']))"
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert writer.stdout.readline().startswith("{")
    writer.stdout.close()
    assert writer.stderr.read() == ""
    writer.stderr.close()
    writer.wait()
