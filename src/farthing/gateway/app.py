"""The ASGI door: proxies ``/v1/*``, shows ``/farthing/*``, answers the health checks and ``/metrics``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from farthing.exchange import ClientGone, Exchange, Pump, Reply
from farthing.gateway.asgi import Receive, Scope, Send, respond
from farthing.gateway.doors import Door
from farthing.gateway.metrics import Metrics
from farthing.gateway.outbox import OUTBOX, Outbox
from farthing.gateway.shift import Shift
from farthing.pipeline.intake import Refused
from farthing.pipeline.runtime import Runtime
from farthing.pipeline.stream import BrokenOff
from farthing.wire.errors import error_body, error_event

log = logging.getLogger("farthing")

Phase = Literal["starting", "serving", "stopping"]
PHASES: Mapping[Phase, Sequence[str]] = {
    "starting": ["the gateway is starting"],
    "serving": [],
    "stopping": ["the gateway is stopping: it finishes what is under way"],
}
"""What they mean for ``/readyz``."""


class Gateway:
    """The application that uvicorn runs."""

    def __init__(self, runtime: Runtime, dashboard: Door) -> None:
        self._shift, self._dashboard = Shift(runtime), dashboard
        self._leaving: set[Shift] = set()
        self._phase: Phase = "starting"
        self.on_start: Callable[[], None] = _nothing
        """Called in the running loop, before the first request."""
        self._metrics = Metrics(runtime)

    @property
    def runtime(self) -> Runtime:
        """The one that the next request gets."""
        return self._shift.runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith("/v1/"):
            await self._proxy(scope, receive, send)
        elif path.startswith("/farthing"):
            await self._dashboard(self.runtime, scope, receive, send)
        elif path in {"/healthz", "/readyz"}:
            await self._health(path, send)
        elif path == "/metrics":
            await self._metrics(scope, send)
        else:
            await respond(send, 404, error_body("openai", 404, "farthing_no_such_route", NOT_FOUND.format(path)))

    async def _proxy(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._metrics.in_flight += 1
        shift = self._shift
        shift.enter()
        try:
            exchange = await shift.intake.exchange(scope, receive)
            reply = await shift.runtime.handle(exchange)
            if reply.pump is None:
                await _whole(reply, send)
            else:
                await _stream(exchange, reply, reply.pump, send)
        except Refused as refused:
            await _whole(shift.runtime.refuse(refused.exchange, refused.problem), send)
        except ClientGone:
            return
        finally:
            self._metrics.in_flight -= 1
            shift.leave()

    def take_over(self, runtime: Runtime) -> None:
        """New requests get this runtime. What is under way ends on the old one, which is stopped then."""
        old, self._shift = self._shift, Shift(runtime)
        self._metrics.runtime = runtime
        self._leaving.add(old)
        old.end(self._leaving.discard)

    def leave(self) -> None:
        """A stop has begun: what comes is still answered, but nothing more should."""
        self._phase = "stopping"

    async def _health(self, path: str, send: Send) -> None:
        problems = self._problems() if path == "/readyz" else []
        notes = self.runtime.notes() if path == "/readyz" and not problems else []
        text = "\n".join(problems or ["ok", *notes])
        await respond(send, 503 if problems else 200, text.encode(), b"text/plain; charset=utf-8")

    def _problems(self) -> list[str]:
        return [*PHASES[self._phase], *self.runtime.problems()]

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003, "reason": "farthing serves HTTP only"})
            return
        while scope["type"] == "lifespan":
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.runtime.start()
                scope.setdefault("state", {})[OUTBOX] = self._outbox()
                self._metrics.start()
                self.on_start()
                self._phase = "serving"
                await send({"type": "lifespan.startup.complete"})
            else:
                self.leave()
                self._metrics.stop()
                for one in [*self._leaving, self._shift]:
                    await one.runtime.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _outbox(self) -> Callable[[], Outbox]:
        """For connections whose replies wait for the end of the event loop's turn: then entries may wait, too."""
        journal = self.runtime.journal
        outbox = Outbox(before=journal.flush)

        def take() -> Outbox:
            journal.gather(outbox.wake)
            return outbox

        return take


NOT_FOUND = "there is nothing at {}; the APIs are under /v1/, the dashboard is at /farthing/"


def _nothing() -> None:
    """Where nobody wants to be called."""


async def _whole(reply: Reply, send: Send) -> None:
    reply.headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _stream(exchange: Exchange, reply: Reply, pump: Pump, send: Send) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})

    async def write(chunk: bytes) -> None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    try:
        await pump(write)
    except BrokenOff:
        return  # without the last chunk: the client sees that its stream was cut, as it was
    except ClientGone:
        raise
    except Exception:
        log.exception("stream %s failed inside farthing", exchange.id)
        await write(error_event(exchange.wire.api, "farthing_internal_error", "farthing failed inside this stream"))
        return
    await send({"type": "http.response.body", "body": b""})
