"""The streaming upstream: 100 events, each in a write of its own. Run as ``python -m stand.sse_mock PORT``.

A request whose body holds the word ``paced`` gets them a millisecond apart; one that asks for no stream gets the
constant answer.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

import uvloop

from stand.answer import ANSWER

EVENTS = 100
PACE_S = 0.001
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(payload: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(payload), payload)


def event(delta: bytes, finish: bytes = b"null", more: bytes = b"") -> bytes:
    return framed(
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1750000000,"model":"gpt-4o-mini",'
        b'"choices":[{"index":0,"delta":%s,"finish_reason":%s}]%s}\n\n' % (delta, finish, more)
    )


USAGE = b',"usage":{"prompt_tokens":24,"completion_tokens":99,"total_tokens":123}'
WORDS = [event(b'{"content":" tok%02d"}' % number) for number in range(EVENTS - 1)]
LAST = event(b"{}", b'"stop"', USAGE) + framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
ASKS_FOR_STREAM = re.compile(rb'"stream"\s*:\s*true')
WRITES = [HEAD + WORDS[0], *WORDS[1:], LAST]


class Mock(asyncio.Protocol):
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.got = b""
        self.paced = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by descent

    def data_received(self, data: bytes) -> None:
        self.got += data
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not found or len(body) < content_length(head):
            return
        self.got = body[content_length(head) :]
        self.paced = b"paced" in body
        if ASKS_FOR_STREAM.search(body):
            self.write(0)
        else:
            self.transport.write(WHOLE % (len(ANSWER), ANSWER.encode()))

    def write(self, number: int) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(WRITES[number])
        if number + 1 == EVENTS:
            return
        if self.paced:
            self.loop.call_later(PACE_S, self.write, number + 1)
        else:
            self.loop.call_soon(self.write, number + 1)


def content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Mock(loop), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
