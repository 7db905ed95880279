"""HTTP in and out: uvicorn's protocol, less what a pass-through does not need on every request.

- Head and body of a reply go out in one write, with the replies of the same turn of the event loop, see ``outbox``.
- A client that hangs up cancels the task of its request, at once and without a task that waits for it.
- One lazy timer for an idle connection, instead of one started and cancelled for each request.
- Headers are looked at once, together: they come from a parser, or are our own.
"""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from farthing.exchange import HUNG_UP
from farthing.gateway.asgi import ARRIVED, Application, Message
from farthing.gateway.outbox import OUTBOX, Outbox

if TYPE_CHECKING:
    from farthing.types import Headers

log = logging.getLogger("farthing")

BODILESS = (204, 304)
CLOSE = b"connection: close\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"


class Protocol(HttpToolsProtocol):
    """One connection of a client."""

    app: Any
    parser: Any
    outbox: Outbox
    running: Cycle | None = None
    """The request that is being answered."""
    _idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self.outbox = self.app_state.get(OUTBOX, Outbox)()

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

    def on_headers_complete(self) -> None:
        """Answer it, or let it wait behind the request before: pipelined ones are answered in order."""
        scope, before = cast("Message", self.scope), cast("Cycle | None", self.cycle)
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version = self.parser.get_http_version()
        scope["path"], scope["raw_path"], scope["query_string"] = _parsed(self.url)
        keep_alive = version != "1.0" and self.parser.should_keep_alive()
        self.cycle = cycle = Cycle(self, scope, keep_alive=keep_alive)
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's own types
        # From here on it waits for its turn: that is our time, too.
        cast("Message", cycle.scope)["state"][ARRIVED] = perf_counter()
        self.running = cast("Cycle", cycle)
        self.running.task = task = self.loop.create_task(self.running.run_asgi(app))
        self.tasks.add(task)


class Cycle(RequestResponseCycle):
    """One request and its reply. What most of them never change is the class's, not the object's."""

    task: asyncio.Task[None] | None = None
    disconnected = False
    more_body = True
    response_started = response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    _held = b""
    """What goes out at the end of the turn: the head, and the body if it has all come by then."""
    _is_whole = False
    """The application has said everything."""

    def __init__(self, connection: Protocol, scope: Message, *, keep_alive: bool) -> None:  # pyright: ignore[reportMissingSuperCall]
        self.scope = scope  # pyright: ignore[reportAttributeAccessIssue]
        self.transport, self.flow, self.outbox = connection.transport, connection.flow, connection.outbox
        self.on_response, self.tasks = connection.on_response_complete, connection.tasks
        self.keep_alive, self.waiting_for_100_continue = keep_alive, connection.expect_100_continue
        self.body = bytearray()
        self.message_event = asyncio.Event()

    def hang_up(self) -> None:
        """The client is gone: whatever is done for it ends."""
        self.disconnected = True
        if self.task is not None:
            self.task.cancel(HUNG_UP)
            self.task.add_done_callback(self.tasks.discard)  # it may not have begun, and then never does

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
        finally:
            if self.task is not None:
                self.tasks.discard(self.task)
        if not self._is_whole and not self.disconnected:
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
        self.outbox.put(self._send_held)

    def _head(self, status: int, headers: Headers) -> bytes:
        lines = [STATUS_LINE.get(status) or b"HTTP/1.1 %d \r\n" % status, *[b"%b: %b\r\n" % one for one in headers]]
        named = dict(headers)
        if b"content-length" in named:
            self.expected_content_length = int(named[b"content-length"])
            self.chunked_encoding = False
        elif status not in BODILESS and self.scope["method"] != "HEAD":
            self.chunked_encoding = True
            lines.append(CHUNKED)
        if b"connection" in named:
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(CLOSE)
        head = b"".join(lines)
        if not head.count(b"\n") == head.count(b"\r") == len(lines):
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
        self._is_whole = not more
        if self._held and not more:
            self._held += body
        else:
            self.outbox.before()
            self._write(body)

    def _send_held(self) -> None:
        if self._held and not self.disconnected:
            self._write()

    def _write(self, data: bytes = b"") -> None:
        data, self._held = self._held + data, b""
        if data:
            self.transport.write(data)
        if self._is_whole:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()


@lru_cache(64)
def _parsed(url: bytes) -> tuple[str, bytes, bytes]:
    """Path, the same as it came, query: clients ask for the same few. Raises ``HttpParserInvalidURLError``."""
    parsed = httptools.parse_url(url)
    return unquote(parsed.path.decode("ascii")), parsed.path, parsed.query or b""
