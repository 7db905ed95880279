"""``farthing doctor``: what is wrong, and what to do."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from farthing.cli.common import clock, config_option, console, json_line, json_option, store_option
from farthing.doctor.examine import examine
from farthing.doctor.finding import Finding
from farthing.policy import Source

STYLES = {"ok": "green", "warn": "yellow", "bad": "bold red"}


@click.command()
@click.option("--offline", is_flag=True, help="Ask no provider.")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    envvar="FARTHING_ENV_FILE",
    help="More variables, lines NAME=value (default: FARTHING_ENV_FILE).",
)
@config_option
@store_option
@json_option
def doctor(offline: bool, env_file: Path | None, config: Path | None, store: str | None, as_json: bool) -> int:
    """Look at settings, keys, providers, disk and ledger; say what is wrong and what to do.

    It changes nothing, and shows no key. The exit code is 1 if something does not work.
    """
    environ = dict(os.environ)
    if store is not None:
        environ["FARTHING_STORE_URL"] = store
    source = Source(environ, config, env_file)
    found = asyncio.run(_all(source, offline=offline))
    if as_json:
        for one in found:
            click.echo(json_line(one))
    else:
        _show(found)
    return 1 if any(one.state == "bad" for one in found) else 0


async def _all(source: Source, *, offline: bool) -> list[Finding]:
    return [one async for one in examine(source, clock=clock, monotonic=time.perf_counter, offline=offline)]


def _show(found: Sequence[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "", "found", "what to do", box=None, pad_edge=False)
    for one in found:
        table.add_row(Text(one.state, style=STYLES[one.state]), Text(one.check), Text(one.found), Text(one.todo))
    console().print(table)
