"""Every symptom in the documentation is covered by a test that exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (?P<symptom>[^|]+) \| `(?P<path>tests/[\w/]+\.py)::(?P<test>test_\w+)` \|$")


def rows(text: str) -> list[str]:
    """The lines of the tables, without their heads."""
    return [
        line for line in text.splitlines() if line.startswith("|") and line not in {"| symptom | test |", "|---|---|"}
    ]


def named(line: str) -> tuple[str, str]:
    """File and test that a row names."""
    match = ROW.match(line)
    assert match, f"not a symptom and its test: {line}"
    return match["path"], match["test"]


def names_in(path: Path) -> set[str]:
    """The test functions of a file, also those of a class."""
    tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_regression_names_a_test_that_exists():
    lines = rows((ROOT / "docs" / "regressions.md").read_text())
    assert len(lines) > 40
    missing = [line for line in lines if named(line)[1] not in names_in(ROOT / named(line)[0])]
    assert missing == []


def test_no_symptom_is_listed_twice():
    symptoms = [line.split("|")[1] for line in rows((ROOT / "docs" / "regressions.md").read_text())]
    assert len(symptoms) == len(set(symptoms))


def test_a_test_that_is_gone_would_be_missed():
    here = Path(__file__)
    assert "test_a_test_that_is_gone_would_be_missed" in names_in(here)
    assert "test_that_never_was" not in names_in(here)
    assert names_in(here.with_name("no_such_file.py")) == set()
