"""The reference: the least a Python gateway on uvicorn and aiohttp can do. Passes POST bodies on, counts nothing."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

NOT_PASSED_ON = {b"host", b"connection", b"content-length", b"transfer-encoding", b"accept-encoding"}
NOT_PASSED_BACK = {b"connection", b"transfer-encoding", b"keep-alive", b"date", b"server"}


class Bare:
    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.session: aiohttp.ClientSession

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        else:
            await self.answer(scope, receive, send)

    async def live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.session.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def answer(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await whole(receive)
        sent = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"] if n not in NOT_PASSED_ON]
        url = self.upstream + scope["path"].removeprefix("/v1")
        async with self.session.post(url, data=body, headers=sent, allow_redirects=False) as reply:
            got = [(name.lower(), value) for name, value in reply.raw_headers]
            got = [(name, value) for name, value in got if name not in NOT_PASSED_BACK]
            await send({"type": "http.response.start", "status": reply.status, "headers": got})
            if reply.content_length is not None:
                await send({"type": "http.response.body", "body": await reply.read()})
                return
            async for chunk in reply.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def whole(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message.get("more_body"):
            return body


app = Bare(os.environ["BARE_UPSTREAM"])
