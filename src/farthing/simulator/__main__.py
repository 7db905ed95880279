"""``python -m farthing.simulator``: the simulated provider on its own."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import click

from farthing.simulator.faults import Faults
from farthing.simulator.server import Simulator, faults_from


@click.command(name="python -m farthing.simulator")
@click.option("--port", type=click.IntRange(0, 65535), default=9300, show_default=True, help="0 picks a free one.")
@click.option("--seed", default=0, show_default=True, help="For faults and ids.")
@click.option("--key", "keys", multiple=True, help="A valid API key; without this option any key is.")
@click.option(
    "--faults", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON: model or * → faults."
)
def main(port: int, seed: int, keys: tuple[str, ...], faults: Path | None) -> None:
    """A simulated provider on 127.0.0.1 that speaks the OpenAI and the Anthropic API."""
    sim = Simulator(port=port, seed=seed, keys=keys or None, faults=_faults(faults))
    asyncio.run(_serve(sim, port))


def _faults(path: Path | None) -> dict[str, Faults]:
    if path is None:
        return {}
    try:
        return faults_from(path.read_bytes())
    except ValueError as error:
        raise click.ClickException(f"{path}: {error}") from error


async def _serve(sim: Simulator, port: int) -> None:
    try:
        await sim.start()
    except OSError as error:
        raise click.ClickException(f"port {port} is in use; choose another with --port") from error
    click.echo(f"listening on {sim.url}")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
    await sim.close()


if __name__ == "__main__":
    main()
