"""``farthing demo``: a month of a made-up company against the simulated provider, ending with the bill."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from farthing.cli.common import clock, console
from farthing.errors import StoreError
from farthing.money import usd
from farthing.policy import Policy, load_policy

if TYPE_CHECKING:
    import uvicorn

    from farthing.demo.replay import Replayed
    from farthing.types import Headers

KEY = "sk-sim"
SIM_TS = b"x-sim-ts"
PATIENCE_S = 60.0
END_S = 5.0

WHAT_NEXT = """
The dashboard is at {0}/farthing/ (stop with Ctrl-C).
Try it: base_url = {0}/v1 for OpenAI clients, {0} for Anthropic's; any key starting with sk-sim.
With real traffic: set OPENAI_API_KEY or ANTHROPIC_API_KEY and run `farthing serve`."""


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="Port of gateway and dashboard."
)
@click.option("--mode", type=click.Choice(["observe", "save"]), default="save", show_default=True)
@click.option("--requests", type=click.IntRange(1), default=1_800, show_default=True, help="How many to replay.")
@click.option("--once", is_flag=True, help="Print the bill and end, instead of going on with the dashboard.")
def demo(port: int, mode: str, requests: int, once: bool) -> None:
    """Replay a month of sample traffic against the built-in simulated provider, and show the bill."""
    from farthing.simulator import running

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="farthing-demo-")))
        simulator = stack.enter_context(running(seed=1))
        environ = _environ(folder, port, mode, simulator.url)
        policy = load_policy(None, environ)
        _serve(policy, environ, requests, lambda: simulator.invoice.total_nano_usd, once=once)


def _environ(folder: Path, port: int, mode: str, provider: str) -> dict[str, str]:
    """Settings of its own: a demo neither reads nor changes the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FARTHING_")}
    kept.update(
        FARTHING_CONFIG=str(folder / "farthing.toml"),
        FARTHING_SERVER_PORT=str(port),
        FARTHING_MODE=mode,
        FARTHING_STORE_URL=f"sqlite:///{folder}/demo.db",
        FARTHING_PROVIDERS_OPENAI_BASE_URL=f"{provider}/v1",
        FARTHING_PROVIDERS_ANTHROPIC_BASE_URL=provider,
        OPENAI_API_KEY=KEY,
        ANTHROPIC_API_KEY=KEY,
    )
    (folder / "farthing.toml").touch()
    return kept


def _serve(policy: Policy, environ: Mapping[str, str], count: int, invoice: Callable[[], int], *, once: bool) -> None:
    """The gateway in this thread, the traffic in another."""
    import uvicorn

    from farthing.gateway.server import application, bind, keeper, run, server_config

    with bind(policy.server.host, policy.server.port) as listener:
        policy = replace(policy, server=replace(policy.server, port=listener.getsockname()[1]))
        server = uvicorn.Server(server_config(policy, application(policy, environ, sim_time)))
        show = Show(server, policy, count, invoice, once=once)
        with keeper(policy):
            run(server, listener, show.start)
        show.end()


def sim_time(headers: Headers) -> float:
    """When a request of the demo happened; one that somebody sends by hand happens now."""
    for name, value in headers:
        if name == SIM_TS:
            return float(value)
    return clock()


class Show:
    """The traffic and the bill, in a thread of their own."""

    def __init__(
        self, server: uvicorn.Server, policy: Policy, count: int, invoice: Callable[[], int], *, once: bool
    ) -> None:
        self._server, self._policy, self._count, self._invoice, self._once = server, policy, count, invoice, once
        self._base = f"http://{policy.server.host}:{policy.server.port}"
        self._problem: Exception | None = None
        self._done = False
        self._thread = threading.Thread(target=self._run, name="farthing demo", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """The server has stopped. Raises what has gone wrong, and ``Abort`` if there was to be a bill and is none."""
        self._thread.join(END_S)
        if self._problem is not None:
            raise self._problem
        if self._once and not self._done:
            raise click.Abort

    def _run(self) -> None:
        try:
            self._done = self._replay_and_report()
        except Exception as problem:  # noqa: BLE001 - raised again in the thread that has an exit code
            if not self._stopped():  # stopped in the middle: then nothing is as it should be
                self._problem = problem
        if self._done and not self._once:
            click.echo(WHAT_NEXT.format(self._base))
        else:
            self._server.should_exit = True

    def _stopped(self) -> bool:
        return self._server.should_exit

    def _replay_and_report(self) -> bool:
        """Whether it came to the bill before somebody stopped it."""
        from farthing.demo.replay import replay
        from farthing.demo.sample import load_sample
        from farthing.demo.traffic import make_traffic

        while not self._server.started and not self._stopped():
            time.sleep(0.02)
        traffic = make_traffic(load_sample(), seed=1, now=clock(), requests=self._count)
        click.echo(f"Replaying {len(traffic):,} requests of a made-up company's month against a simulated provider …")
        done = asyncio.run(replay(takewhile(lambda _: not self._stopped(), traffic), self._base))
        if self._stopped():
            return False
        click.echo(f"{done.ok:,} answered in {done.wall_s:.1f} s" + _failed(done))
        if not _report(self._policy, len(traffic), self._stopped):
            return False
        click.echo(f"The simulated provider's own invoice says ${usd(self._invoice())}.")
        return True


def _failed(done: Replayed) -> str:
    return f", {done.errors:,} failed: {done.statuses}" if done.errors else ""


def _report(policy: Policy, expected: int, stopped: Callable[[], bool]) -> bool:
    """Show the bill, once the ledger has everything. Raises ``StoreError``."""
    from farthing.cli.report import Scope, overview
    from farthing.ledger.query import report
    from farthing.ledger.store import open_store

    store = open_store(policy.store.url, clock)
    try:
        until = clock() + PATIENCE_S
        while report(store, None).total.requests < expected:
            if clock() > until:
                raise StoreError("the ledger did not catch up with the demo within a minute")
            if stopped():
                return False
            time.sleep(0.1)
        out = console()
        for part in overview(store, Scope()):
            out.print(part)
    finally:
        store.close()
    return True
