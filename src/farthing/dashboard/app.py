"""The ASGI application below ``/farthing/``: checks who asks, then reads the ledger in a thread and answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from farthing.dashboard import guard
from farthing.dashboard.reading import Books
from farthing.dashboard.routes import Names, Reply, Request, Routes
from farthing.dashboard.view import Mode
from farthing.errors import FarthingError, RequestError
from farthing.types import Clock, Headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Authorise = Callable[[Headers], bool]
"""Whether a request with these headers may see the ledger."""

LOGIN = (b"www-authenticate", b'Basic realm="farthing", charset="UTF-8"')

log = logging.getLogger("farthing.dashboard")


class Dashboard:
    """Reads, never writes. It answers to the names of loopback and to ``allowed_hosts``."""

    def __init__(
        self,
        books: Books,
        clock: Clock,
        *,
        authorise: Authorise,
        allowed_hosts: Iterable[str],
        mode: Mode,
        miner_names: Names | None = None,
    ) -> None:
        self._authorise = authorise
        self._allowed = guard.allowed_names(allowed_hosts)
        self._routes = Routes(books, clock, mode, miner_names or dict)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one HTTP request (``scope["type"] == "http"``); the path is taken from the scope alone."""
        reply = self._refusal(scope) or await self._answer(scope)
        body = b"" if scope["method"] == "HEAD" else reply.body
        headers = [
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            *guard.SECURITY_HEADERS,
            *reply.headers,
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _refusal(self, scope: Scope) -> Reply | None:
        headers: Headers = scope["headers"]
        reason = guard.refusal(headers, self._allowed)
        if reason is not None:
            return Reply.text(403, reason)
        if scope["method"] not in guard.METHODS:
            return Reply.text(405, "The dashboard only reads: GET and HEAD.", (b"allow", b"GET, HEAD"))
        if not self._authorise(headers):
            return Reply.text(401, "Log in with an admin key as the password.", LOGIN)
        return None

    async def _answer(self, scope: Scope) -> Reply:
        request = Request.of(scope)
        try:
            return await asyncio.to_thread(self._routes.answer, request)
        except RequestError as problem:
            return Reply.problem(request, problem.status, problem.code, problem.message)
        except FarthingError as problem:
            log.warning("the dashboard cannot read the ledger: %s", problem)
            return Reply.problem(request, 503, "farthing_store_unavailable", f"The ledger cannot be read: {problem}")
