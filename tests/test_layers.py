"""Which room may import which, and no cycles."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "farthing"
LEAF = {"types", "errors", "money", "tokens"}
RECORDS = {"ledger.records", "wire.base", "exchange"}
MAY_IMPORT = {
    "types": set(),
    "errors": set(),
    "money": set(),
    "tokens": {"types"},
    "exchange": {"types", "ledger.records", "wire.base"},
    "policy": LEAF,
    "wire": LEAF,
    "prices": LEAF,
    "levers": LEAF | RECORDS | {"policy", "wire", "prices"},
    "upstream": LEAF | {"policy", "wire"},
    "ledger": LEAF | {"prices"},
    "limits": LEAF | {"policy", "ledger", "upstream.credentials"},
    "insight": LEAF | {"ledger"},
    "simulator": LEAF,
    "demo": LEAF | {"simulator"},
    "pipeline": LEAF | RECORDS | {"policy", "wire", "prices", "levers", "upstream", "ledger", "limits", "insight"},
    "dashboard": LEAF | {"policy", "ledger", "insight", "prices"},
    "gateway": LEAF | RECORDS | {"pipeline", "policy", "wire", "upstream", "limits", "ledger", "dashboard"},
    "cli": LEAF
    | {"policy", "prices", "levers", "ledger", "limits", "insight", "pipeline", "gateway", "dashboard"}
    | {"simulator", "demo"},
}


def imports_of(text: str, *, at_start: bool) -> set[str]:
    """Modules of ours that a source imports, without the ``farthing.``; ``at_start``: not those within functions."""
    tree = ast.parse(text)
    nodes = tree.body if at_start else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "farthing":
            base = node.module.removeprefix("farthing").lstrip(".")
            found |= {".".join(filter(None, [base, alias.name])) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("farthing.") for a in node.names if a.name.startswith("farthing.")}
    return found


def violations(room: str, imported: set[str]) -> set[str]:
    """What a room imports and may not."""
    allowed = MAY_IMPORT[room] | {room}
    return {
        name
        for name in imported
        if name != "__version__" and not any(name == one or name.startswith(one + ".") for one in allowed)
    }


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts and path != SOURCE / "__init__.py"
    }


def test_rooms_import_only_what_lies_below_them():
    wrong = {
        name: bad
        for name, path in modules().items()
        if (bad := violations(name.split(".")[0], imports_of(path.read_text(), at_start=False)))
    }
    assert wrong == {}


def test_a_violation_would_be_found():
    assert violations("wire", imports_of("from farthing.ledger.store import Store", at_start=False)) == {
        "ledger.store.Store"
    }
    assert violations("wire", imports_of("def f():\n    import farthing.gateway.app", at_start=False)) == {
        "gateway.app"
    }
    assert violations("cli", imports_of("from farthing.types import Usage", at_start=False)) == set()


def test_no_import_cycles():
    known = modules()
    graph = {}
    for name, path in known.items():
        wanted = imports_of(path.read_text(), at_start=True)
        targets = {one if one in known else one.rpartition(".")[0] for one in wanted}
        graph[name] = {target for target in targets if target in known and target != name}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_files_and_functions_stay_short():
    long_files, long_functions = [], []
    for name, path in modules().items():
        text = path.read_text()
        if text.count("\n") > 400:
            long_files.append(name)
        long_functions += [
            f"{name}.{node.name}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno > 50
        ]
    assert long_files == []
    assert long_functions == []
