"""Writes configuration, commands, metrics and the providers' table in ``docs``; ``--check`` says if they are true."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

import click
import msgspec

from farthing.cli import COMMANDS, farthing
from farthing.ledger.rollup import MEASURES
from farthing.policy import load, model
from farthing.policy.presets import presets
from farthing.policy.provider import Provider, Quirks, scheme
from farthing.telemetry import families
from farthing.telemetry.exposition import Family

DOCS = Path(__file__).parents[1] / "docs"

CONFIGURATION = """# Configuration
Written by `scripts/write_docs.py` from `farthing.policy.model`; a test says so.

`--config FILE`, else the file that `FARTHING_CONFIG` names, else `farthing.toml` in the working folder if there is one.
Every key can be overridden by a variable, `FARTHING_<TABLE>_<KEY>`: `FARTHING_SERVER_PORT=9000`,
`FARTHING_PROVIDERS_OPENAI_BASE_URL=http://127.0.0.1:9300/v1`. A variable's value is read as TOML, and as text where it
is none. An error names the key, its line or its variable, and what is allowed; nothing is started then.

A duration is a number with a unit: `250ms`, `90s`, `15m`, `24h`, `7d`, `2w`. A size: `500kB`, `64MB`, `1GB`, `64MiB`.

```toml
mode = "save"

[server]
port = 8321

[store]
url = "sqlite:///farthing.db"

[providers.groq]     # a known one: what is not said is known
models = ["llama-*"]

[providers.own]      # any other that speaks one of the two APIs
kind = "openai"
base_url = "https://llm.example.com/v1"
api_key_env = "OWN_LLM_KEY"

[rates."openai"]              # a key's limits: what is over them waits instead of failing
requests_per_minute = 10_000

[rates."openai/gpt-4o*"]      # besides, all these models together
tokens_per_minute = 2_000_000
```
"""


METRICS = """# Metrics
The tables are written by `scripts/write_docs.py` from `farthing.telemetry.families`; a test says so.

`GET /metrics` answers in the text format of Prometheus:

```yaml
scrape_configs:
  - job_name: farthing
    static_configs: [{targets: ["127.0.0.1:8321"]}]
    # off loopback: authorization: {credentials_file: farthing-admin.key}
```

**Who may look.** On loopback everybody on the machine, by a name of loopback (`Host` and `Origin` are checked, so
that no page in the same browser can read it). Elsewhere who sends an admin key (`farthing keys create --admin`), as
the bearer token or as the password; then the name does not matter. What tenants spend is nobody else's business:
`[metrics] public = true` opens the door to all, `[metrics] enabled = false` closes it, `[metrics] labels` without
`"tenant"` tells no tenants apart.

**What it costs.** A request pays two additions. All figures of requests are read from the ledger's sums when somebody
asks: those of the last days, a few rows a day and label, however many requests there were. So they are those of
`farthing report`, a moment late (`farthing_ledger_behind_bytes` says how late), the same whichever worker answers,
and they go on where they were after a restart.

**Counters never go down.** Where the ledger takes something back (a request's end turns up after it was given up, a
price is mended) a counter stays where it is, and goes on from there. So a bill to the nano-dollar is what
`farthing report` says. Corrections of days long past are there alone. Savings may be negative and are gauges. What has
been told is kept in `<database>.metrics/`; without that folder the counters begin with what the ledger has.

**Labels** are bounded: users and query types are none, and of each label the first 100 values
(`[metrics] most_values`) have series of their own, all later ones together are `_other`. An empty value is what the
requests did not name. The dimensions stand side by side: each has all requests, so do not add up over several of them.
A call counts under the model and provider of the invoice, a request under those that answered it
([ledger](ledger.md)).

**Durations** come from the ledger's histograms, whose buckets grow by 2%: a value may count on the other side of a
bound if it is within 1% of it, and `_sum` is off by at most 1%.

Useful: the bill of an hour `sum(increase(farthing_cost_usd_total[1h]))`, what was saved
`sum(increase(farthing_baseline_usd_total[1h])) - sum(increase(farthing_cost_usd_total[1h]))`, the 95th percentile
`histogram_quantile(0.95, rate(farthing_request_duration_seconds_bucket[5m]))`, an alarm
`farthing_journal_waiting_entries > 0`.
"""

FALLBACK = """
## `[fallback]`

```toml
[fallback]
"gpt-4o*" = ["azure/gpt-4o", "gpt-4.1"]
```
"""

ALIASES = """
## `[aliases]`

```toml
[aliases]
smart = "azure/gpt-4o"
```
"""

HEADER = ("| key | type | default | variable | meaning |", "|---|---|---|---|---|")
TYPES: dict[object, str] = {
    str: "string",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Quirks: "table",
}


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
    prefix = name.replace(".", "_") + "_"
    lines = [f"\n## `[{name}]`", "", _markdown(inspect.getdoc(shape) or ""), "", *HEADER]
    return "\n".join([*lines, *(row(prefix, *one) for one in fields_of(shape))])


def fields_of(shape: type[msgspec.Struct]) -> list[tuple[msgspec.structs.FieldInfo, str]]:
    """The settings of a table, each with its text. Raises ``KeyError`` for one that has none."""
    texts = documented(shape)
    return [(field, texts[field.name]) for field in msgspec.structs.fields(shape)]


def row(prefix: str, field: msgspec.structs.FieldInfo, text: str) -> str:
    """One setting: key, type, default, variable, meaning."""
    default = "required" if field.required else _default(field.default)
    variable = "FARTHING_" + f"{prefix}{field.name}".upper()
    return f"| `{field.name}` | {_type(field.type)} | {default} | `{variable}` | {_markdown(text)} |"


def _default(value: object) -> str:
    if isinstance(value, msgspec.Struct):
        return "see there"
    return "none" if value is None else f"`{_toml(value)}`"


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _type(annotation: object) -> str:
    """In words: a literal is its choices, whatever may be left out is just itself."""
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{_toml(choice)}`" for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        one = get_args(annotation)[0]
        return f"list of {_type(one)}" + ("" if get_origin(one) is Literal else "s")
    inner = [one for one in get_args(annotation) if one is not type(None)]
    return " or ".join(map(_type, inner)) if inner else TYPES[annotation]


def _markdown(text: str) -> str:
    """Prose of the code: the names of pages become links."""
    return re.sub(r"`docs/(\w+)\.md`", r"[\1](\1.md)", " ".join(text.split()).replace("``", "`"))


def configuration() -> str:
    """``docs/configuration.md``."""
    mode = {field.name: field for field in msgspec.structs.fields(model.Policy)}["mode"]
    top = "\n".join(["\n## At the top", "", *HEADER, row("", mode, documented(model.Policy)["mode"])])
    tables = [table(name, shape) for name, shape in load.TABLES.items()]
    tables[2:2] = [
        table("providers.NAME", Provider) + "\n\n" + built_in(),
        table("providers.NAME.quirks", Quirks),
        table("rates.NAME", model.Rates),
    ]
    tables += [table("models.NAME", model.Model), FALLBACK + _markdown(documented(model.Policy)["fallback"])]
    tables.append(ALIASES + _markdown(documented(model.Policy)["aliases"]))
    return CONFIGURATION + "\n".join([top, *tables]) + "\n\n" + not_yet()


def built_in() -> str:
    """The providers that are there without being configured."""
    lines = [
        "Of the known ones ([providers](providers.md)) these two are always there. A table changes keys of them:",
        "",
    ]
    for name, provider in model.BUILT_IN.items():
        given = {key: getattr(provider, key) for key in ("base_url", "kind", "api_key_env")}
        lines.append(
            f"- `[providers.{name}]`: " + ", ".join(f"`{key} = {_toml(value)}`" for key, value in given.items())
        )
    return "\n".join(lines)


def not_yet() -> str:
    """What is accepted and does nothing."""
    tables = ", ".join(f"`[{name}]`" for name in load.LATER)
    keys = [
        f"`[{name}] {field.name}`"
        for name, shape in load.TABLES.items()
        for field, text in fields_of(shape)
        if text.startswith("Not in this version")
    ]
    return (
        f"## Not in this version\nThe tables {tables} and the keys {', '.join(keys)} are accepted, so that a file "
        "for a later version can be read, and have no effect. `farthing serve` says so when it finds such a table.\n"
    )


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


def metrics() -> str:
    """``docs/metrics.md``."""
    every = dict.fromkeys((*MEASURES, families.BASELINE), 1)
    dims = [dim for dim in families.DIMS if dim != "all"]
    shown = {dim: {"x": every} for dim in (*dims, families.STATUS, families.LEVER)}
    shown |= {metric: {"": {"+Inf": 1, families.SUM: 1}} for metric in families.HISTOGRAMS}
    house = families.House("", "", (families.Vitals(),), 1, 1, 1, 1, 1)
    head = "| metric | kind | labels | meaning |\n|---|---|---|---|"
    parts = [METRICS, "## From the ledger", head, *map(_metric, families.of_ledger(shown, shown))]
    return "\n".join([*parts, "\n## As it is now", head, *map(_metric, families.of_house(house))]) + "\n"


def _metric(family: Family) -> str:
    labels = dict.fromkeys(name for sample in family.samples for name, _ in sample.labels)
    return f"| `{family.name}` | {family.kind} | {', '.join(f'`{name}`' for name in labels)} | {family.text} |"


def providers() -> str:
    """``docs/providers.md``, its table anew."""
    text = (DOCS / "providers.md").read_text()
    rows = [
        f"| `{name}` | {one.title} | {one.kind} | `{one.base_url}` | {_code(one.api_key_env)} | "
        f"{_code(scheme(one.kind, one.auth))} |"
        for name, one in presets().items()
    ]
    head, rule, *_ = re.findall(r"^\|.*\n", text, re.MULTILINE)
    return re.sub(r"(?:^\|.*\n)+", lambda _: head + rule + "\n".join(rows) + "\n", text, count=1, flags=re.MULTILINE)


def _code(text: str | None) -> str:
    return f"`{text}`" if text and text != "none" else "none"


def main() -> int:
    """Write, or with ``--check`` compare."""
    stale = 0
    pages = {
        "configuration.md": configuration,
        "commands.md": commands,
        "metrics.md": metrics,
        "providers.md": providers,
    }
    for name, page in pages.items():
        text = page()
        path = DOCS / name
        if "--check" in sys.argv:
            stale += not path.exists() or path.read_text() != text
        else:
            path.write_text(text)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
