"""What the documentation says is what the code does."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.py")))
HTTP = (ROOT / "docs" / "http.md").read_text()
PROSE = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "NOTICE", *sorted((ROOT / "docs").glob("*.md"))]


def test_settings_and_commands_are_documented_as_they_are():
    script = ROOT / "scripts" / "write_docs.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False)
    assert done.returncode == 0, "run: python scripts/write_docs.py"


def test_every_header_is_documented():
    headers = set(re.findall(r"x-farthing-[a-z-]*[a-z]", SOURCES))
    assert {"x-farthing-user", "x-farthing-cache"} <= headers
    assert {header for header in headers if header not in HTTP} == set()


def test_every_error_code_is_documented():
    codes = set(re.findall(r'"(farthing_[a-z_]+[a-z])"', SOURCES))
    assert len(codes) > 10
    assert {code for code in codes if code not in HTTP} == set()


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
