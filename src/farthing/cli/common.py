"""What the reporting commands share: options, the settings, output for machines."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from farthing.errors import ConfigError
from farthing.policy import Policy, load_policy

if TYPE_CHECKING:
    from rich.console import Console

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="The settings (default: FARTHING_CONFIG, farthing.toml)."
)
store_option = click.option(
    "--store", metavar="URL", help="The ledger, for example sqlite:///farthing.db; goes before the settings."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
WIDE = 1000
"""Characters of a line in a file or pipe."""
clock = time.time  # noqa: TID251 - here the clock enters the commands


def policy_of(config: Path | None, store: str | None) -> Policy:
    """The settings; ``store`` overrides the ledger's URL. Raises ``ConfigError``."""
    environ = dict(os.environ)
    if store is not None:
        environ["FARTHING_STORE_URL"] = store
    try:
        return load_policy(config, environ)
    except ConfigError as problem:
        if store is None:
            raise
        raise ConfigError(str(problem).replace("FARTHING_STORE_URL", "--store")) from problem


def console() -> Console:
    """For people. Where the output is not a terminal nothing is folded, so that it can be searched."""
    from farthing.cli.terminal import SafeConsole

    found = SafeConsole(highlight=False)
    return found if found.is_terminal else SafeConsole(highlight=False, width=WIDE)


def json_line(value: object) -> str:
    """One line of JSON."""
    return msgspec.json.encode(value).decode()


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Rows as CSV with a header; an unknown value is an empty field."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({column: _cell(row.get(column)) for column in columns} for row in rows)
    return out.getvalue().removesuffix("\n")


def _cell(value: object) -> object:
    """A spreadsheet must not take a user's text for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value
