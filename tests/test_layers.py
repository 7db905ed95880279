"""Which room may import which, and no cycles."""

import ast
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "farthing"
LEAF = {"types", "errors", "money", "tokens", "logs"}
RECORDS = {"ledger.records", "wire.base", "exchange"}
MAY_IMPORT = {
    "types": set(),
    "errors": set(),
    "money": set(),
    "tokens": {"types"},
    "logs": {"errors"},
    "exchange": {"types", "ledger.records", "wire.base", "wire.translate.conversation"},
    "policy": LEAF,
    "wire": LEAF,
    "prices": LEAF,
    "levers": LEAF | RECORDS | {"policy", "wire", "prices"},
    "upstream": LEAF | {"policy", "wire"},
    "ledger": LEAF | {"prices"},
    "limits": LEAF | {"policy", "ledger", "upstream.credentials"},
    "insight": LEAF | {"ledger"},
    "imports": LEAF,
    "simulator": LEAF,
    "demo": LEAF | {"simulator"},
    "pipeline": LEAF | RECORDS | {"policy", "wire", "prices", "levers", "upstream", "ledger", "limits", "insight"},
    "telemetry": LEAF | RECORDS | {"policy", "ledger"},
    "doctor": LEAF | {"policy", "prices", "levers", "upstream", "ledger", "limits", "pipeline"},
    "dashboard": LEAF | {"policy", "ledger", "insight", "prices"},
    "gateway": LEAF
    | RECORDS
    | {"pipeline", "policy", "wire", "upstream", "limits", "ledger", "dashboard", "telemetry"},
    "sdk": LEAF | RECORDS | {"pipeline", "policy", "wire", "upstream", "ledger", "telemetry"},
    "outside": LEAF | RECORDS | {"pipeline", "policy", "wire", "levers", "insight", "sdk"},
    "langchain": LEAF | {"outside", "sdk", "pipeline", "policy", "wire", "levers"},
    "litellm": LEAF | {"outside", "sdk", "policy", "wire", "upstream"},
    "cli": LEAF
    | {"policy", "prices", "levers", "ledger", "limits", "insight", "pipeline", "gateway", "dashboard", "doctor"}
    | {"simulator", "demo", "imports"},
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


def cycle(graph: dict[str, set[str]]) -> list[str] | None:
    """A way from a module back to itself, if there is one."""
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str] | None:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return None
        found = next((way for target in sorted(graph[name]) if (way := visit(target, [*trail, name]))), None)
        done.add(name)
        return found

    return next((way for name in sorted(graph) if (way := visit(name, []))), None)


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
    assert cycle(graph) is None


def test_a_cycle_would_be_found():
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None


def loaded(*modules: str) -> set[str]:
    """What a fresh process has loaded once it has imported these modules."""
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    )


def test_no_database_on_hot_path():
    """The modules that serve requests do not even load one: the journal is a file, the keeper another process."""
    assert loaded("farthing.gateway.server", "farthing.pipeline.runtime").isdisjoint(
        {"sqlalchemy", "sqlite3", "alembic", "farthing.ledger.store", "farthing.ledger.keeper"}
    )


def test_heavy_modules_are_loaded_on_use():
    """aiohttp only where a proxy is set, the dashboard's and the tables' libraries only when somebody looks."""
    heavy = {
        "aiohttp",
        "jinja2",
        "rich",
        "numpy",
        "quicktok",
        "genai_prices",
        "opentelemetry",
        "farthing.upstream.proxied",
    }
    assert loaded("farthing.gateway.server", "farthing.pipeline.runtime", "farthing.cli").isdisjoint(heavy)
    assert {name for name in loaded("farthing") if name.startswith("farthing")} == {"farthing"}
