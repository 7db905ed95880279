"""What no linter checks: sizes, state, and what has no business in a public file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "scripts", "benchmarks", "examples", "tests", "docs")
NOT_OURS = {"peers", "__pycache__", "golden", "data"}
MOST_LINES = 400
MOST_TEST_LINES = 500
"""A test file is a list: it may be longer before it is hard to find one's way."""
MOST_FUNCTION_LINES = 50
LONG_FOR_A_REASON = {
    "benchmarks/ledger.py": "one made-up request, field by field",
    "src/farthing/ledger/migrations/versions/0001_first.py": "a migration is a list of tables, frozen once released",
}
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
PLACES = re.compile(r"(?<![\w./])/(?:home|root|Users|work|tmp|mnt|opt)/\w")
"""Paths of somebody's machine."""


def files(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Path and text of every file of ours."""
    tops = [path for path in ROOT.iterdir() if path.is_file()]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted([*tops, *below]):
        if path.suffix in suffixes and not NOT_OURS & set(path.relative_to(ROOT).parts):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def long_functions(text: str) -> list[str]:
    """The functions of a source that are too long."""
    return [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MOST_FUNCTION_LINES
    ]


def state(text: str) -> list[str]:
    """Names at the top of a module that hold something that can change, or that a function rebinds.

    A table that is written down in capitals and never touched is a constant; the same name on the left of a later
    change, or with a method that changes it, is state.
    """
    tree = ast.parse(text)
    tables = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, MUTABLE)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    quiet = {name for name in tables if name.lstrip("_").isupper() or name == "__all__"}
    rebound = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    return sorted((tables - quiet) | (quiet & set(_changed(tree))) | rebound)


CHANGES = {"append", "add", "update", "setdefault", "pop", "popitem", "clear", "extend", "insert", "remove", "discard"}


def _changed(tree: ast.Module) -> Iterator[str]:
    """Names that a method changes or that are assigned into."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in CHANGES:
                yield name
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                yield name
            case _:
                pass


def test_files_stay_short():
    most = {True: MOST_TEST_LINES, False: MOST_LINES}
    assert [name for name, text in files(".py") if text.count("\n") > most[name.startswith("tests/")]] == [], (
        "split by reason to change"
    )


def test_functions_stay_short():
    found = {name: long for name, text in files(".py") if (long := long_functions(text))}
    assert {name: long for name, long in found.items() if name not in LONG_FOR_A_REASON} == {}
    assert LONG_FOR_A_REASON.keys() <= found.keys(), "no longer an exception: take it off the list"


def test_no_module_holds_state():
    found = {name: held for name, text in files(".py") if name.startswith("src/") and (held := state(text))}
    assert found == {}


def test_nothing_names_a_place_on_somebody_s_machine():
    found = [
        (name, match.group())
        for name, text in files(".py", ".md", ".toml", ".lock", ".json", ".html", ".css", ".svg", "")
        for match in PLACES.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("seen = []", ["seen"]),
        ("CACHE = {}\ndef f(x):\n    CACHE[x] = 1", ["CACHE"]),
        ("_SEEN: set[int] = {0}\ndef f(x):\n    _SEEN.add(x)", ["_SEEN"]),
        ("count = 0\ndef f():\n    global count\n    count += 1", ["count"]),
        ("TABLE = {'a': 1}\ndef f(x):\n    return TABLE[x]", []),
        ("def f():\n    seen = []\n    seen.append(1)", []),
    ],
)
def test_state_would_be_found(text, names):
    assert state(text) == names


def test_a_long_function_would_be_found():
    body = "    x = 1\n"
    assert long_functions("def short():\n" + body * 49) == []
    assert long_functions("async def long():\n" + body * 50) == ["long"]


def test_a_place_would_be_found():
    assert PLACES.search("open('/" + "home/mara/notes')")
    assert not PLACES.search("https://example.com/home/mara and sqlite:///farthing.db")
