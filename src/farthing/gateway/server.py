"""Starts and stops: the socket, the keeper of the ledger, the workers. uvicorn does the serving."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from farthing.errors import ConfigError, FarthingError, StoreError
from farthing.gateway.http import Protocol
from farthing.gateway.process import application, listening
from farthing.gateway.reload import report
from farthing.gateway.watch import Watch
from farthing.gateway.workers import Worker, Workers
from farthing.limits.keys import KeyRing
from farthing.pipeline.keeper_watch import KeeperWatch
from farthing.pipeline.runtime import price_book
from farthing.policy import Policy, Settings, Source
from farthing.policy.units import seconds

WORKER_START_S = 60
"""A worker that gives no sign of life for so long is replaced. Many that start together on few cores need a while."""
KEEP_ALIVE_S = 75
FILES = 65_536
"""Open at once, at most."""
BACKLOG = 2048


def serve(source: Source, settings: Settings, announce: Callable[[int], None] = lambda _port: None) -> None:
    """Serve until stopped, with these settings of that source; ``announce`` gets the port once clients can connect.

    Raises ``ConfigError`` or ``StoreError`` if it cannot start.
    """
    from farthing.ledger.upgrade import prepare  # brings the database's driver along, which no request waits for

    policy = settings.policy
    check_keys(policy)
    path = Path(policy.store.path)
    prepare(path)  # a ledger that cannot be used is told now, not after the first request
    if not os.access(path, os.W_OK):
        raise StoreError(f"{path}: the ledger cannot be written: check the rights on the file, or change [store] url")
    open_more_files()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nobody reads settings again who has not begun
    serving = _serve_alone if policy.server.workers == 1 else _serve_together
    with bind(policy.server.host, policy.server.port) as listener, watching(source, policy):
        port = listener.getsockname()[1]
        serving(source, settings, listener, lambda: announce(port))


def _serve_alone(source: Source, settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    gateway = listening(application(settings.policy, settings.environ), source, report)
    server = uvicorn.Server(server_config(settings.policy, gateway))
    with keeper(settings.policy):
        run(server, listener, ready)


def _serve_together(source: Source, settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    price_book(settings.policy)  # told once here, not by every worker
    config = server_config(settings.policy, Worker(source, settings), factory=True)
    workers = Workers(config, [listener], source, settings)
    with keeper(settings.policy):
        ready()
        workers.run()
    if any(process.exitcode == STARTUP_FAILURE for process in workers.processes):
        raise FarthingError("the workers could not start; why stands above")


def run(server: uvicorn.Server, listener: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal. uvicorn, having stopped, raises the signal again: there is still a keeper to be ended."""

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    ready()
    server.run(sockets=[listener])


def server_config(policy: Policy, app: object, *, factory: bool = False) -> uvicorn.Config:
    """Uvicorn as a pass-through needs it: no access log, no headers of its own, a stop that lets work finish."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        factory=factory,
        workers=policy.server.workers,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=Protocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(seconds(policy.server.grace)),
        timeout_worker_healthcheck=WORKER_START_S,
    )


def check_keys(policy: Policy) -> None:
    """Off loopback anybody could spend the owner's money: there have to be keys."""
    if policy.server.is_loopback or any(key.revoked is None for key in KeyRing(Path(policy.store.keys)).all()):
        return
    raise ConfigError(
        f"[server] host = {policy.server.host!r} is reachable from other machines and there are no virtual keys: "
        "make one with `farthing keys create --tenant NAME`, or listen on 127.0.0.1"
    )


def bind(host: str, port: int) -> socket.socket:
    """The listening socket; raises ``ConfigError`` if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as problem:
        listener.close()
        raise ConfigError(_bind_problem(host, port, problem)) from problem
    listener.set_inheritable(True)
    return listener


def _bind_problem(host: str, port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: stop what listens there, or choose another with "
            f"--port or [server] port (is farthing already running?)"
        )
    if problem.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has: choose one above 1023"
    return f"cannot listen on {host}:{port}: {problem.strerror or problem}"


def open_more_files() -> None:
    """As many as the system lets us: a stream takes two, and the usual limit is an old one, for ``select``."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(hard, FILES), hard)
        )


@contextmanager
def watching(source: Source, policy: Policy) -> Generator[None]:
    """Where the settings say so: SIGHUP to ourselves when one of their files has changed."""
    if not policy.server.watch:
        yield
        return
    watch = Watch(lambda: source.files(policy), lambda: os.kill(os.getpid(), signal.SIGHUP))
    try:
        yield
    finally:
        watch.stop()


@contextmanager
def keeper(policy: Policy) -> Generator[None]:
    """The process that moves the journal into the store, while it is needed and once more at the end."""
    watch = KeeperWatch(policy)
    try:
        yield
    finally:
        watch.stop()
