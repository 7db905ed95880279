"""The dashboard behind its door: opened at the first visit, so that a gateway nobody looks at stays small."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from farthing.errors import StoreError
from farthing.gateway.asgi import Application, Receive, Scope, Send, respond
from farthing.pipeline.runtime import Runtime
from farthing.types import Headers

if TYPE_CHECKING:
    from farthing.dashboard.books import LedgerBooks


Door = Callable[[Runtime, Scope, Receive, Send], Awaitable[None]]
"""An application that is told the settings with every request: they may change."""


class DashboardDoor:
    """What is below ``/farthing``. The ledger is opened once, whatever becomes of the other settings."""

    def __init__(self) -> None:
        self._books: LedgerBooks | None = None
        self._opened: tuple[Runtime, Application] | None = None

    async def __call__(self, runtime: Runtime, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._opened is None or self._opened[0] is not runtime:
            try:
                self._opened = runtime, await asyncio.to_thread(self._open, runtime)
            except StoreError as problem:
                text = f"The ledger cannot be opened: {problem}"
                await respond(send, 503, text.encode(), b"text/plain; charset=utf-8")
                return
        await self._opened[1](scope, receive, send)

    def _open(self, runtime: Runtime) -> Application:
        from farthing.dashboard.app import Dashboard
        from farthing.dashboard.books import LedgerBooks
        from farthing.ledger.store import open_store

        server = runtime.policy.server
        if self._books is None:
            self._books = LedgerBooks(open_store(runtime.policy.store.url, runtime.clock))
        return Dashboard(
            self._books,
            runtime.clock,
            authorise=lambda headers: server.is_loopback or is_admin(runtime, headers),
            allowed_hosts=[server.host],
            mode=runtime.policy.mode,
            miner_names=self._books.names,
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
