"""Writes ``docs/configuration.md`` and ``docs/commands.md`` from the code; ``--check`` says whether they are true."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import click
import msgspec

from farthing.cli import COMMANDS, farthing
from farthing.policy import load, model

DOCS = Path(__file__).parents[1] / "docs"

CONFIGURATION = """# Configuration
Written by `scripts/write_docs.py` from `farthing.policy.model`; a test says so.

`farthing.toml` in the working folder, or `--config FILE`, or `FARTHING_CONFIG`. Every key can be overridden by
`FARTHING_<TABLE>_<KEY>`, for example `FARTHING_SERVER_PORT=9000` or
`FARTHING_PROVIDERS_OPENAI_BASE_URL=http://127.0.0.1:9300/v1`. An error names the key, its line and what is allowed.

```toml
mode = "observe"     # observe: touch nothing, measure, say what would have been saved | save: levers on

[server]
port = 8321

[store]
url = "sqlite:///farthing.db"

[providers.groq]     # besides openai and anthropic, which are there
kind = "openai"
base_url = "https://api.groq.com/openai/v1"
api_key_env = "GROQ_API_KEY"
models = ["llama-*"]
```
"""


def documented(shape: type[msgspec.Struct]) -> dict[str, str]:
    """Field → the text below it in the source."""
    body = ast.parse(inspect.getsource(shape)).body[0]
    assert isinstance(body, ast.ClassDef)
    texts: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            texts[field.target.id] = " ".join(str(text.value.value).split())
    return texts


def table(name: str, shape: type[msgspec.Struct]) -> str:
    """A table of settings."""
    texts = documented(shape)
    lines = [f"\n## `[{name}]`", "", inspect.getdoc(shape) or "", "", "| key | default | meaning |", "|---|---|---|"]
    for field in msgspec.structs.fields(shape):
        default = "required" if field.required else f"`{msgspec.json.encode(field.default).decode()}`"
        lines.append(f"| `{field.name}` | {default} | {texts[field.name]} |")
    return "\n".join(lines)


def configuration() -> str:
    """``docs/configuration.md``."""
    tables = [table(name, shape) for name, shape in load.TABLES.items()]
    tables.insert(2, table("providers.NAME", model.Provider))
    later = ", ".join(f"`[{name}]`" for name in load.LATER)
    return CONFIGURATION + "\n".join(tables) + f"\n\n## Not in this version\n{later} are accepted and have no effect.\n"


def commands() -> str:
    """``docs/commands.md``."""
    parts = ["# Commands\nWritten by `scripts/write_docs.py` from `--help`; a test says so.\n"]
    parts += ["Exit codes: 0 ok, 1 something is wrong, 2 bad use. An error is one plain line on stderr.\n"]
    parts.append(_help("farthing", farthing))
    for name in COMMANDS:
        command = farthing.get_command(click.Context(farthing), name)
        assert command is not None
        parts.append(_help(f"farthing {name}", command))
        if isinstance(command, click.Group):
            parts += [_help(f"farthing {name} {sub}", command.commands[sub]) for sub in sorted(command.commands)]
    return "\n".join(parts)


def _help(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
    return f"## `{name}`\n```\n{command.get_help(context)}\n```\n"


def main() -> int:
    """Write, or with ``--check`` compare."""
    stale = 0
    for name, text in (("configuration.md", configuration()), ("commands.md", commands())):
        path = DOCS / name
        if "--check" in sys.argv:
            stale += not path.exists() or path.read_text() != text
        else:
            path.write_text(text)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
