"""HTTP in and out: uvicorn's protocol, less what a pass-through does not need on every request.

- Head and body of a reply go out in one write: apart they cost a system call and a packet more.
- A client that hangs up cancels the task of its request, at once and without a task that waits for it.
- One lazy timer for an idle connection, instead of one started and cancelled for each request.
- Headers are looked at once, together: they come from a parser, or are our own.
"""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from farthing.exchange import HUNG_UP
from farthing.gateway.asgi import ARRIVED, Application, Message

if TYPE_CHECKING:
    from farthing.types import Headers

log = logging.getLogger("farthing")

BODILESS = (204, 304)
CLOSE = (b"connection", b": ", b"close", b"\r\n")
CHUNKED = (b"transfer-encoding", b": ", b"chunked", b"\r\n")


class Protocol(HttpToolsProtocol):
    """One connection of a client."""

    running: Cycle | None = None
    """The request that is being answered."""
    _idle_since = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for the answer any more."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        if self.running is not None:
            self.running.hang_up()

    def on_response_complete(self) -> None:
        """Start the next request if it is already here, else wait for it, but not for ever."""
        self.running = None
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close, unless there has been a request since the timer was set."""
        self.timeout_keep_alive_task = None
        if self.cycle.response_complete:
            left = self._idle_since + self.timeout_keep_alive - self.loop.time()
            if left > 0:
                self._wait(left)
            else:
                super().timeout_keep_alive_handler()

    def _wait(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """The timer finds out by itself."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's own types
        # From here on it waits for its turn: that is our time, too.
        cast("Message", cycle.scope)["state"][ARRIVED] = perf_counter()
        cycle.__class__ = Cycle  # uvicorn makes it itself and has no hook for another class
        self.running = cast("Cycle", cycle)
        self.running.task = task = self.loop.create_task(self.running.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)


class Cycle(RequestResponseCycle):
    """One request and its reply."""

    task: asyncio.Task[None] | None = None
    _held = b""
    """The head, until it is known whether there is a body to go with it."""

    def hang_up(self) -> None:
        """The client is gone: whatever is done for it ends."""
        self.disconnected = True
        if self.task is not None:
            self.task.cancel(HUNG_UP)

    async def run_asgi(self, app: Application) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Answer; a reply that was begun and cannot be finished is broken off, so that the client knows."""
        try:
            await app(cast("Message", self.scope), self.receive, self.send)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            if not self.disconnected:
                self.transport.close()
                raise
        except Exception:
            log.exception("%s %s failed", self.scope["method"], self.scope["path"])
            if not self.response_started:
                await self.send_500_response()
        if not self.response_complete and not self.disconnected:
            self.transport.close()

    async def send(self, message: Message) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """ASGI's ``send``. A head waits for what comes in the same turn of the event loop, but no longer."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.response_started:
            self._body(message.get("body", b""), more=message.get("more_body", False))
            return
        self.response_started = True
        self.waiting_for_100_continue = False
        self._held = self._head(message["status"], message["headers"])
        asyncio.get_running_loop().call_soon(self._flush)

    def _head(self, status: int, headers: Headers) -> bytes:
        lines = [STATUS_LINE.get(status) or b"HTTP/1.1 %d \r\n" % status]
        closing = False
        for name, value in headers:
            lines += (name, b": ", value, b"\r\n")
            if name == b"content-length":
                self.expected_content_length = int(value)
                self.chunked_encoding = False
            elif name == b"connection":
                closing, self.keep_alive = True, False
        if not self.keep_alive and not closing:
            lines += CLOSE
        if self.chunked_encoding is None and status not in BODILESS and self.scope["method"] != "HEAD":
            self.chunked_encoding = True
            lines += CHUNKED
        head = b"".join(lines)
        if head.count(b"\n") != 1 + len(lines) // 4 or head.count(b"\r") != head.count(b"\n"):
            raise ValueError("a header of the reply has a line break in it")
        return head + b"\r\n"

    def _body(self, body: bytes, *, more: bool) -> None:
        if self.scope["method"] == "HEAD":
            body, self.expected_content_length = b"", 0
        elif self.chunked_encoding:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        else:
            self.expected_content_length -= len(body)
        if self.expected_content_length < 0 or (self.expected_content_length and not more):
            raise ValueError("the body of the reply is not as long as its head says")
        self._flush(body)
        if not more:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    def _flush(self, data: bytes = b"") -> None:
        if self._held:
            data, self._held = self._held + data, b""
        if data:
            self.transport.write(data)
