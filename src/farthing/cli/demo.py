"""``farthing demo``: a month of a made-up company against the simulated provider, ending with the bill."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
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


@click.command()
@click.option("--port", type=int, default=8321, show_default=True, help="Port of gateway and dashboard.")
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


def _serve(policy: Policy, environ: Mapping[str, str], count: int, invoice: object, *, once: bool) -> None:
    """The gateway in this thread, the traffic in another."""
    import uvicorn

    from farthing.gateway.server import application, bind, keeper, run, server_config

    listener = bind(policy.server.host, policy.server.port)
    policy = replace(policy, server=replace(policy.server, port=listener.getsockname()[1]))
    server = uvicorn.Server(server_config(policy, application(policy, environ, sim_time)))
    problems: list[Exception] = []
    show = threading.Thread(
        target=_show, args=(server, policy, count, invoice, once, problems), name="farthing demo", daemon=True
    )
    with keeper(policy):
        run(server, listener, show.start)
    if problems:
        raise problems[0]


def sim_time(headers: Headers) -> float:
    """When a request of the demo happened; one that somebody sends by hand happens now."""
    for name, value in headers:
        if name == SIM_TS:
            return float(value)
    return clock()


def _show(
    server: uvicorn.Server, policy: Policy, count: int, invoice: object, once: bool, problems: list[Exception]
) -> None:
    try:
        _replay_and_report(server, policy, count, invoice)
    except Exception as problem:  # noqa: BLE001 - raised again in the thread that has an exit code
        if not server.should_exit:  # stopped in the middle: then nothing is as it should be
            problems.append(problem)
            server.should_exit = True
        return
    if once:
        server.should_exit = True
        return
    base = f"http://{policy.server.host}:{policy.server.port}"
    click.echo(f"\nThe dashboard is at {base}/farthing/ (stop with Ctrl-C).")
    click.echo(
        f"Try it: base_url = {base}/v1 for OpenAI clients, {base} for Anthropic's; any key starting with sk-sim."
    )
    click.echo("With real traffic: set OPENAI_API_KEY or ANTHROPIC_API_KEY and run `farthing serve`.")


def _replay_and_report(server: uvicorn.Server, policy: Policy, count: int, invoice: object) -> None:
    from farthing.demo.replay import replay
    from farthing.demo.sample import load_sample
    from farthing.demo.traffic import make_traffic

    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    traffic = make_traffic(load_sample(), seed=1, now=clock(), requests=count)
    click.echo(f"Replaying {len(traffic):,} requests of a made-up company's month against a simulated provider …")
    done = asyncio.run(replay(traffic, f"http://{policy.server.host}:{policy.server.port}"))
    click.echo(f"{done.ok:,} answered in {done.wall_s:.1f} s" + _failed(done))
    _report(policy, len(traffic))
    total = invoice() if callable(invoice) else None
    if isinstance(total, int):
        click.echo(f"The simulated provider's own invoice says ${usd(total)}.")


def _failed(done: Replayed) -> str:
    return f", {done.errors:,} failed: {done.statuses}" if done.errors else ""


def _report(policy: Policy, expected: int) -> None:
    from farthing.cli.report import Scope, overview
    from farthing.ledger.query import report
    from farthing.ledger.store import open_store

    store = open_store(policy.store.url, clock)
    try:
        until = clock() + PATIENCE_S
        while report(store, None).total.requests < expected:
            if clock() > until:
                raise StoreError("the ledger did not catch up with the demo within a minute")
            time.sleep(0.1)
        out = console()
        for part in overview(store, Scope()):
            out.print(part)
    finally:
        store.close()
