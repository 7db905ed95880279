"""``farthing serve``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from farthing.policy import Policy, Source


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), help="The settings (default: FARTHING_CONFIG, farthing.toml)."
)
@click.option("--host", help="Address to listen on; goes before the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; goes before the settings.")
@click.option("--mode", type=click.Choice(["observe", "save"]), help="observe: touch nothing. save: levers on.")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    envvar="FARTHING_ENV_FILE",
    help="More variables, lines NAME=value, read again at SIGHUP (default: FARTHING_ENV_FILE).",
)
def serve(config: Path | None, host: str | None, port: int | None, mode: str | None, env_file: Path | None) -> None:
    """Start the gateway and the dashboard. SIGHUP: read the settings again; no stream is dropped."""
    from farthing.gateway.server import serve as run
    from farthing.logs import log_to_stderr

    log_to_stderr()  # until it is known how
    for name, value in (("HOST", host), ("PORT", port)):
        if value is not None:
            os.environ[f"FARTHING_SERVER_{name}"] = str(value)
    if mode is not None:
        os.environ["FARTHING_MODE"] = mode
    source = Source(dict(os.environ), config, env_file)
    settings = source.read()
    log_to_stderr(settings.policy.server.log, settings.policy.server.log_level)
    run(source, settings, lambda bound: announce(settings.policy, bound))


def announce(policy: Policy, port: int) -> None:
    """What is served, where, and how an app gets there."""
    host = f"[{policy.server.host}]" if ":" in policy.server.host else policy.server.host
    base = f"http://{host}:{port}"
    click.echo(f"farthing  mode {policy.mode}, ledger {policy.store.url}")
    click.echo(f"  dashboard   {base}/farthing/")
    click.echo(f"  OpenAI      base_url = {base}/v1")
    click.echo(f"  Anthropic   base_url = {base}")
    for notice in policy.notices:
        click.echo(f"  note: {notice}")
