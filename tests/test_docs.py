"""What the documentation says is what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from farthing.errors import ConfigError

ROOT = Path(__file__).parents[1]
SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.py")))
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
HTTP = (ROOT / "docs" / "http.md").read_text()
PROSE = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "NOTICE", *sorted((ROOT / "docs").glob("*.md"))]

CODE = r"^```\w*$.+?^```$|`[^`\n]+`|^ {4}[^\n]+$"
"""Fenced, in a line, or set in."""


def test_settings_and_commands_are_documented_as_they_are():
    script = ROOT / "scripts" / "write_docs.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False)
    assert done.returncode == 0, "run: python scripts/write_docs.py"


def test_every_variable_is_read_and_has_its_documented_default():
    from farthing.policy import Policy, load_policy

    rows = re.findall(r"^\| `\w+` \| .* \| (`.*`|none|required) \| `(FARTHING_\w+)` \|", CONFIGURATION, re.MULTILINE)
    assert len(rows) > 20
    defaults = {name: text.strip("`") for text, name in rows if text.startswith("`") and "_NAME_" not in name}
    assert load_policy(None, defaults) == Policy()
    for name in defaults:
        with pytest.raises(ConfigError, match=name):
            load_policy(None, {name: "{}"})


def test_every_setting_has_a_text_and_all_that_does_nothing_is_listed():
    from farthing.policy.load import LATER, TABLES

    settings = {field for shape in TABLES.values() for field in shape.__struct_fields__}
    assert {name for name in settings if f"| `{name}` |" not in CONFIGURATION} == set()
    without_effect = CONFIGURATION.partition("## Not in this version")[2]
    assert {name for name in LATER if f"`[{name}]`" not in without_effect} == set()


def test_every_command_in_the_documentation_exists():
    from farthing.cli import COMMANDS

    code = {path.name: "\n".join(re.findall(CODE, path.read_text(), re.MULTILINE | re.DOTALL)) for path in PROSE}
    named = {(path, name) for path, text in code.items() for name in re.findall(r"\bfarthing ([a-z]+)\b", text)}
    assert {name for _, name in named} >= {"serve", "report", "demo", "keys"}
    assert {one for one in named if one[1] not in COMMANDS} == set()


def test_every_header_is_documented():
    from farthing.pipeline.settle import MONEY

    headers = set(re.findall(r"x-farthing-[a-z-]*[a-z]", SOURCES))
    assert {"x-farthing-user", "x-farthing-cache"} <= headers
    headers |= {"x-farthing-" + name.replace("_", "-") for name in MONEY}
    assert {header for header in headers if header not in HTTP} == set()


def test_every_error_code_is_documented():
    codes = set(re.findall(r'"(farthing_[a-z_]+[a-z])"', SOURCES))
    assert len(codes) > 10
    assert {code for code in codes if code not in HTTP} == set()


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text()
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_links_between_documents_lead_somewhere():
    broken = [
        (path.name, target)
        for path in PROSE
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text())
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_the_changelog_has_this_version():
    from farthing import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()
