"""ASGI's own types, and the smallest reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ARRIVED = "farthing.arrived"
"""In a scope's state: when the head of the request had been read, in seconds of ``time.perf_counter``."""


async def respond(send: Send, status: int, body: bytes, kind: bytes = b"application/json") -> None:
    """A reply in one piece."""
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
