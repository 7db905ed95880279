"""The simulator's doors: HTTP on the loopback interface, as a library or on its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any, Self

import msgspec
from aiohttp import web

from farthing.simulator.answers import Answers, standard_answer
from farthing.simulator.billing import Invoice
from farthing.simulator.caching import prompt_tokens
from farthing.simulator.call import Call, Json, Refusal, obj, string
from farthing.simulator.catalog import Catalog, Model, standard_models
from farthing.simulator.dialects import Dialect, dialects
from farthing.simulator.engine import Engine, Work, duration
from farthing.simulator.faults import Faults
from farthing.simulator.refusals import error_body, invalid, too_large, unauthenticated, unknown_model, unknown_path
from farthing.simulator.routes import COUNT_TOKENS, ROUTES, Route, dialect_routes
from farthing.simulator.sending import abort, send_plain, send_stream
from farthing.types import Api, Clock

_HOST = "127.0.0.1"
_MAX_BODY = 32 * 1024 * 1024
_REMEMBERED = 1000
_BACKLOG = 128


class Received(msgspec.Struct, frozen=True):
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``POST /_control`` takes. ``reset`` drops the faults in force first; ``clock``: seconds since the epoch."""

    faults: dict[str, Faults] = {}
    reset: bool = False
    seed: int | None = None
    clock: float | None = None


class Simulator:
    """A provider that speaks the OpenAI and the Anthropic API on the loopback interface, and hands out an invoice.

    ``models``: what is on offer, the standard catalogue by default. ``faults``: by model name or ``*``.
    ``answers``: who answers. ``keys``: the API keys that are valid; any key by default. ``clock``: seconds since the
    epoch; a request tells another time in ``x-sim-ts``. ``port`` 0 picks a free one.

        async with Simulator(faults={"*": Faults(p_error=0.1)}) as sim:
            client = AsyncOpenAI(base_url=sim.openai_url, api_key="any")
            ...
            assert sim.invoice.total_nano_usd == 1_250_000
    """

    def __init__(
        self,
        *,
        models: Iterable[Model] | None = None,
        seed: int = 0,
        faults: Mapping[str, Faults] | None = None,
        answers: Answers = standard_answer,
        keys: Iterable[str] | None = None,
        clock: Clock = time.time,  # noqa: TID251 - here the clock enters the simulator
        port: int = 0,
        max_body: int = _MAX_BODY,
    ) -> None:
        self._engine = Engine(
            Catalog(standard_models() if models is None else models), clock, answers, seed, faults or {}
        )
        self._keys = None if keys is None else frozenset(keys)
        self._port = port
        self._max_body = max_body
        self._runner: web.AppRunner | None = None
        self._listener: socket.socket | None = None
        self.received: deque[Received] = deque(maxlen=_REMEMBERED)
        """The last thousand API requests, oldest first."""

    @property
    def url(self) -> str:
        """The base URL; as it stands for Anthropic clients. Raises ``RuntimeError`` before the start."""
        if self._runner is None:
            raise RuntimeError("the simulator is not running: use `async with Simulator() as sim:`")
        return f"http://{_HOST}:{self._port}"

    @property
    def openai_url(self) -> str:
        """The base URL for OpenAI clients."""
        return f"{self.url}/v1"

    def dialect_url(self, name: str) -> str:
        """The base URL of an OpenAI-compatible endpoint with ways of its own: ``mistral``, ``groq`` …"""
        return f"{self.url}/dialects/{name}/v1"

    @property
    def invoice(self) -> Invoice:
        """What was billed so far."""
        return self._engine.invoice

    def control(self, control: Control) -> None:
        """Lays faults over those in force, sets seed and clock."""
        if control.reset:
            self._engine.faults.clear()
        for name, faults in control.faults.items():
            self._engine.faults[name] = faults.over(self._engine.faults.get(name, Faults()))
        if control.seed is not None:
            self._engine.set_seed(control.seed)
        if control.clock is not None:
            self._engine.set_clock(control.clock)

    def reset(self) -> None:
        """Back to the state after the start: invoice, caches, limits, faults, dice and clock."""
        self._engine.reset()
        self.received.clear()

    async def start(self) -> None:
        """Listens. Raises ``OSError`` if the port is taken."""
        app = web.Application(client_max_size=self._max_body)
        app.router.add_get("/_health", self._health)
        app.router.add_get("/_invoice", self._give_invoice)
        app.router.add_post("/_control", self._take_control)
        app.router.add_post("/_reset", self._take_reset)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{name}", self._models)
        for route in ROUTES:
            app.router.add_post(route.path, self._handler(route))
        app.router.add_post(COUNT_TOKENS.path, self._handler(COUNT_TOKENS))
        for dialect in dialects():
            for route in dialect_routes(dialect):
                app.router.add_post(route.path, self._handler(route))
            app.router.add_get(f"/dialects/{dialect.name}/v1/models", partial(self._models, dialect=dialect))
        app.router.add_route("*", "/{tail:.*}", self._elsewhere)
        self._listener = socket.create_server((_HOST, self._port), backlog=_BACKLOG)
        self._port = self._listener.getsockname()[1]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener, backlog=_BACKLOG).start()

    async def close(self) -> None:
        """Stops listening; replies that are under way are cut off after half a second."""
        if self._runner is not None and self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            await asyncio.sleep(0)  # who has been accepted gets his transport; asyncio would drop him, and complain
            await self._runner.cleanup()
            self._runner = self._listener = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # The providers' endpoints

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            request_id = self._request_id(route.api)
            try:
                return await self._serve(request, route, request_id)
            except Refusal as refusal:
                return self._refused(route.api, refusal, request_id, route.dialect)

        return handle

    async def _serve(self, request: web.Request, route: Route, request_id: str) -> web.StreamResponse:
        body = await self._read(request, route.api)
        self._authenticate(request, route.api, route.dialect)
        call = self._understand(body, route)
        if route is COUNT_TOKENS:
            return self._json({"input_tokens": prompt_tokens(call.blocks)}, self._headers(call.model, request_id))
        digest = blake2b(route.path.encode() + body, digest_size=16).digest()
        work = self._engine.take(call, digest, self._time_of(request), route.path, request_id)
        if work.fate.reset:
            abort(request)
            return web.Response()
        headers = self._headers(call.model, request_id) | _processing(work)
        if call.stream and route.events is not None:
            return await send_stream(request, self._engine, work, headers, route.events(call, work.done))
        return await send_plain(request, self._engine, work, headers, route.reply(call, work.done))

    async def _read(self, request: web.Request, api: Api) -> bytes:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise too_large(api) from error
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.method, request.path_qs, headers, body))
        return body

    def _authenticate(self, request: web.Request, api: Api, dialect: Dialect | None = None) -> None:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        key = bearer.strip() if scheme.lower() == "bearer" else None
        if api == "anthropic":
            key = request.headers.get("x-api-key", key)
        elif dialect is not None and dialect.auth == "api-key":
            key = request.headers.get("api-key")
        elif dialect is not None and dialect.auth == "none":
            return
        if not key or (self._keys is not None and key not in self._keys):
            raise unauthenticated(api, key or None)
        if api == "anthropic" and "anthropic-version" not in request.headers:
            raise invalid("anthropic-version: header is required")

    def _understand(self, body: bytes, route: Route) -> Call:
        try:
            fields = obj(msgspec.json.decode(body), "body")
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            message = f"We could not parse the JSON body of your request: {error}"
            raise invalid(message) from error
        if fields.get("model") is None:
            raise invalid("you must provide a model parameter" if route.api == "openai" else "model: Field required")
        try:
            name = string(fields["model"], "model")
            model = self._engine.catalog.find(name, route.api)
            if model is None or bool(model.embedding) != route.embeds:
                raise unknown_model(route.api, name)
            return route.parse(fields, model)
        except TypeError as error:
            raise invalid(str(error), param=str(error).partition(":")[0]) from error

    def _time_of(self, request: web.Request) -> float:
        told = request.headers.get("x-sim-ts")
        if told is None:
            return self._engine.now()
        try:
            return float(told)
        except ValueError as error:
            raise invalid(f"x-sim-ts: expected seconds since the epoch, got {told!r}") from error

    def _request_id(self, api: Api) -> str:
        return self._engine.ids.new("req_011", 21) if api == "anthropic" else self._engine.ids.hexadecimal("req_")

    def _refused(self, api: Api, refusal: Refusal, request_id: str, dialect: Dialect | None = None) -> web.Response:
        headers = _id_headers(api, request_id) | refusal.headers
        body = error_body(api, refusal, request_id) if dialect is None else dialect.error_body(refusal)
        return self._json(body, headers, refusal.status)

    def _headers(self, model: Model, request_id: str) -> dict[str, str]:
        headers = _id_headers(model.api, request_id)
        for name, limit, left, full_in in self._engine.limits(model):
            if model.api == "anthropic":
                full = datetime.fromtimestamp(int(self._engine.now()), UTC) + timedelta(seconds=int(full_in))
                start = f"anthropic-ratelimit-{name}"
                reset = full.strftime("%Y-%m-%dT%H:%M:%SZ")
                headers |= {f"{start}-limit": str(limit), f"{start}-remaining": str(left), f"{start}-reset": reset}
            else:
                headers[f"x-ratelimit-limit-{name}"] = str(limit)
                headers[f"x-ratelimit-remaining-{name}"] = str(left)
                headers[f"x-ratelimit-reset-{name}"] = duration(full_in)
        return headers

    async def _models(self, request: web.Request, dialect: Dialect | None = None) -> web.Response:
        api: Api = "anthropic" if "anthropic-version" in request.headers else "openai"
        request_id = self._request_id(api)
        try:
            self._authenticate(request, api, dialect)
            models = self._engine.catalog.of(api)
            if name := request.match_info.get("name"):
                found = self._engine.catalog.find(name, api)
                if found is None:
                    raise unknown_model(api, name)
                return self._json(_model_card(found), _id_headers(api, request_id))
        except Refusal as refusal:
            return self._refused(api, refusal, request_id, dialect)
        cards = [_model_card(model) for model in models]
        listing: Json = {"object": "list", "data": cards}
        if api == "anthropic":
            listing = {"data": cards, "has_more": False, "first_id": models[0].name, "last_id": models[-1].name}
        return self._json(listing, _id_headers(api, request_id))

    async def _elsewhere(self, request: web.Request) -> web.Response:
        api: Api = "anthropic" if "anthropic-version" in request.headers else "openai"
        return self._refused(api, unknown_path(api, request.method, request.path), self._request_id(api))

    # The simulator's own endpoints

    async def _health(self, _: web.Request) -> web.Response:
        return self._json({"status": "ok"})

    async def _give_invoice(self, request: web.Request) -> web.Response:
        return self._json(self.invoice.report(lines=request.query.get("lines") in ("1", "true")))

    async def _take_control(self, request: web.Request) -> web.Response:
        try:
            self.control(msgspec.json.decode(await request.read(), type=Control))
        except (msgspec.DecodeError, ValueError) as error:
            return self._json({"error": f"{error}. Allowed: faults, reset, seed, clock."}, status=400)
        return self._json({"faults": msgspec.to_builtins(self._engine.faults)})

    async def _take_reset(self, _: web.Request) -> web.Response:
        self.reset()
        return self._json({"status": "ok"})

    @staticmethod
    def _json(value: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> web.Response:  # noqa: ANN401
        data = msgspec.json.encode(value)
        return web.Response(body=data, status=status, headers=headers, content_type="application/json")


def _id_headers(api: Api, request_id: str) -> dict[str, str]:
    if api == "anthropic":
        return {"request-id": request_id, "anthropic-organization-id": "00000000-0000-4000-8000-000000000000"}
    return {"x-request-id": request_id, "openai-organization": "org-simulated", "openai-version": "2020-10-01"}


def _processing(work: Work) -> dict[str, str]:
    if work.call.model.api == "anthropic":
        return {}
    seconds = work.fate.ttft_s + (0 if work.call.stream else work.fate.token_s * work.done.usage.output)
    return {"openai-processing-ms": str(max(1, int(seconds * 1000)))}


def _model_card(model: Model) -> Json:
    if model.api == "anthropic":
        return {
            "type": "model",
            "id": model.name,
            "display_name": model.name,
            "created_at": "2025-01-01T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": model.context,
            "max_tokens": model.max_output,
        }
    return {"id": model.name, "object": "model", "created": 1735689600, "owned_by": "system"}


@contextmanager
def running(**options: Any) -> Generator[Simulator]:  # noqa: ANN401 - those of Simulator
    """A simulator in a thread of its own, for code that is not asynchronous. Options are those of ``Simulator``."""
    sim = Simulator(**options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="farthing simulator", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(sim.start(), loop).result()
        yield sim
    finally:
        asyncio.run_coroutine_threadsafe(sim.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def faults_from(text: bytes) -> dict[str, Faults]:
    """Faults by model from JSON. Raises ``ValueError`` that names what is wrong."""
    return msgspec.json.decode(text, type=dict[str, Faults])
