"""The dashboard behind its door: opened at the first visit, so that a gateway nobody looks at stays small."""

from __future__ import annotations

import asyncio
import base64
import binascii

from farthing.errors import StoreError
from farthing.gateway.asgi import Application, Receive, Scope, Send, respond
from farthing.pipeline.runtime import Runtime
from farthing.types import Headers


def dashboard_for(runtime: Runtime) -> Application:
    """The application below ``/farthing``."""
    opened: list[Application] = []

    async def dashboard(scope: Scope, receive: Receive, send: Send) -> None:
        if not opened:
            try:
                opened.append(await asyncio.to_thread(_open, runtime))
            except StoreError as problem:
                text = f"The ledger cannot be opened: {problem}"
                await respond(send, 503, text.encode(), b"text/plain; charset=utf-8")
                return
        await opened[0](scope, receive, send)

    return dashboard


def _open(runtime: Runtime) -> Application:
    from farthing.dashboard.app import Dashboard
    from farthing.dashboard.books import LedgerBooks
    from farthing.ledger.store import open_store

    server = runtime.policy.server
    books = LedgerBooks(open_store(runtime.policy.store.url, runtime.clock))
    return Dashboard(
        books,
        runtime.clock,
        authorise=lambda headers: server.is_loopback or is_admin(runtime, headers),
        allowed_hosts=[server.host],
        mode=runtime.policy.mode,
        miner_names=books.names,
    )


def is_admin(runtime: Runtime, headers: Headers) -> bool:
    """HTTP Basic with an admin key as the password, or the key as a bearer token."""
    for name, value in headers:
        if name == b"authorization":
            key = runtime.keys.find(_secret(value))
            return key is not None and key.role == "admin"
    return False


def _secret(value: bytes) -> str:
    kind, _, rest = value.decode("latin-1").partition(" ")
    if kind.lower() != "basic":
        return rest.strip()
    try:
        return base64.b64decode(rest, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
