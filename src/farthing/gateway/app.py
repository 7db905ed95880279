"""The ASGI door: proxies ``/v1/*``, shows ``/farthing/*``, answers the health checks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from farthing.errors import RequestError
from farthing.exchange import Exchange, Pump
from farthing.gateway.asgi import Application, Receive, Scope, Send, respond
from farthing.gateway.intake import ClientGone, Intake, Refused
from farthing.pipeline.runtime import Runtime
from farthing.pipeline.send import BrokenOff
from farthing.types import Api, Headers
from farthing.wire.errors import error_body, error_event

log = logging.getLogger("farthing")

WATCH_AFTER_S = 0.02
"""A hang-up is watched for once a provider takes longer than this: a watcher for each fast reply would cost more."""


class Gateway:
    """The application that uvicorn runs."""

    def __init__(self, runtime: Runtime, dashboard: Application) -> None:
        self._runtime, self._dashboard = runtime, dashboard
        self._intake = Intake(runtime)
        self._watches = _Watches(runtime.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith("/v1/"):
            await self._proxy(scope, receive, send)
        elif path.startswith("/farthing"):
            await self._dashboard(scope, receive, send)
        elif path in {"/healthz", "/readyz"}:
            await self._health(path, send)
        else:
            await respond(send, 404, error_body("openai", 404, "farthing_no_such_route", NOT_FOUND.format(path)))

    async def _proxy(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            exchange = await self._intake.exchange(scope, receive)
        except ClientGone:
            return
        except Refused as refused:
            await respond(send, refused.problem.status, _refusal(refused.api, refused.problem))
            return
        watch = self._watches.open(receive)
        try:
            await self._answer(exchange, watch, send)
        except asyncio.CancelledError:
            if not watch.gone:
                raise
        except ClientGone:
            return
        finally:
            self._watches.close(watch)

    async def _answer(self, exchange: Exchange, watch: _Watch, send: Send) -> None:
        if exchange.upload is None:
            self._watches.start_later(watch)
        try:
            reply = await self._runtime.handle(exchange)
        except RequestError as problem:
            await respond(send, problem.status, _refusal(exchange.wire.api, problem))
            return
        except (asyncio.CancelledError, ClientGone):
            raise
        except Exception:
            log.exception("request %s failed inside farthing", exchange.id)
            message = f"farthing failed on this request ({exchange.id}); its log says why"
            await respond(send, 500, error_body(exchange.wire.api, 500, "farthing_internal_error", message))
            return
        if reply.pump is None:
            length = (b"content-length", b"%d" % len(reply.body))
            await send({"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, length]})
            await send({"type": "http.response.body", "body": reply.body})
        else:
            await self._stream(exchange, reply.status, reply.headers, reply.pump, watch, send)

    async def _stream(
        self, exchange: Exchange, status: int, headers: Headers, pump: Pump, watch: _Watch, send: Send
    ) -> None:
        watch.start()
        await send({"type": "http.response.start", "status": status, "headers": headers})

        async def write(chunk: bytes) -> None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

        try:
            await pump(write)
        except BrokenOff:
            return  # without the last chunk: the client sees that its stream was cut, as it was
        except (asyncio.CancelledError, ClientGone):
            raise
        except Exception:
            log.exception("stream %s failed inside farthing", exchange.id)
            await write(error_event(exchange.wire.api, "farthing_internal_error", "farthing failed inside this stream"))
            return
        await send({"type": "http.response.body", "body": b""})

    async def _health(self, path: str, send: Send) -> None:
        problems = self._runtime.problems() if path == "/readyz" else []
        text = "\n".join(problems) or "ok"
        await respond(send, 503 if problems else 200, text.encode(), b"text/plain; charset=utf-8")

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003, "reason": "farthing serves HTTP only"})
            return
        while scope["type"] == "lifespan":
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._runtime.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._runtime.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


NOT_FOUND = "there is nothing at {}; the APIs are under /v1/, the dashboard is at /farthing/"


class _Watch:
    """Cancels the task it was made in when its client hangs up."""

    __slots__ = ("_receive", "_task", "_watcher", "born", "gone")

    def __init__(self, receive: Receive, born: float) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self._watcher: asyncio.Task[None] | None = None
        self.born = born
        self.gone = False

    def start(self) -> None:
        if self._watcher is None:
            self._watcher = asyncio.get_running_loop().create_task(self._watch(), name="farthing hang-up watch")

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._task is not None:
            self._task.cancel()


class _Watches:
    """Starts the watches of requests that have taken a while: one timer for all, none for the fast ones."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._waiting: dict[_Watch, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def open(self, receive: Receive) -> _Watch:
        return _Watch(receive, self._monotonic())

    def start_later(self, watch: _Watch) -> None:
        self._waiting[watch] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._look)

    def close(self, watch: _Watch) -> None:
        self._waiting.pop(watch, None)
        watch.stop()

    def _look(self) -> None:
        self._timer = None
        before = self._monotonic() - WATCH_AFTER_S
        for watch in list(self._waiting):  # oldest first
            if watch.born > before:
                break
            del self._waiting[watch]
            watch.start()
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._look)


def _refusal(api: Api, problem: RequestError) -> bytes:
    return error_body(api, problem.status, problem.code, problem.message)
