"""A real gateway on a free port of loopback, its ledger, and providers: the simulator, or one that follows a script."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import anthropic
import openai
import pytest
import uvicorn
from msgspec.structs import replace

from farthing.gateway.server import application, bind, server_config
from farthing.ledger.records import Opened, Settled
from farthing.ledger.segments import read_entries, segments
from farthing.policy import Policy
from farthing.policy.model import BUILT_IN, Cache, Retries, Server, Store
from farthing.simulator import Simulator
from farthing.types import TOKEN_CLASSES

NOW = 1_750_000_000.0
KEY = "sk-sim"
MODELS = {"/v1/chat/completions": "gpt-4o", "/v1/responses": "gpt-4o", "/v1/messages": "claude-haiku-4-5"}


class Answered:
    """What a client got."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def get(self, name):
        return next((value for key, value in self.headers if key == name), None)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]


class House:
    """A running gateway."""

    def __init__(self, app, policy, port, session, tasks):
        self.app, self.policy, self.session = app, policy, session
        self.tasks = tasks
        """Of the requests that are under way."""
        self.url = f"http://127.0.0.1:{port}"
        self.port = port

    # ------------------------------------------------------------ asking

    def openai(self, kind=openai.AsyncOpenAI, **options):
        return kind(**{"base_url": f"{self.url}/v1", "api_key": KEY, "max_retries": 0} | options)

    def anthropic(self, kind=anthropic.AsyncAnthropic, **options):
        return kind(**{"base_url": self.url, "api_key": KEY, "max_retries": 0} | options)

    def request(self, method, path, body=b"", **headers):
        """An aiohttp request context with nothing added but a credential; a header ``None`` is left out."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        own = {"authorization": f"Bearer {KEY}"}
        if path.startswith("/v1/messages"):
            own = {"x_api_key": KEY, "anthropic_version": "2023-06-01"}
        if data:
            own["content_type"] = "application/json"
        named = {name.replace("_", "-"): value for name, value in (own | headers).items() if value is not None}
        return self.session.request(method, self.url + path, data=data or None, headers=named)

    async def ask(self, method, path, body=b"", **headers):
        async with self.request(method, path, body, **headers) as reply:
            raw = [(name.decode().lower(), value.decode("latin-1")) for name, value in reply.raw_headers]
            return Answered(reply.status, raw, await reply.read())

    async def say(self, text="How do I top up my card?", path="/v1/chat/completions", *, headers=None, **fields):
        """Ask a question on any of the three chat APIs."""
        body = {"model": MODELS[path]} | fields
        if path == "/v1/responses":
            body.setdefault("input", text)
        else:
            body.setdefault("messages", [{"role": "user", "content": text}])
        if path == "/v1/messages":
            body.setdefault("max_tokens", 1000)
        return await self.ask("POST", path, body, **(headers or {}))

    # ------------------------------------------------------------ the ledger

    @property
    def entries(self):
        found = []
        for segment in segments(Path(self.policy.store.journal)):
            chunk = read_entries(segment.path)
            assert chunk.corrupt == 0
            found += chunk.entries
        return found

    @property
    def rows(self):
        return [entry for entry in self.entries if isinstance(entry, Settled)]

    @property
    def opened(self):
        return [entry for entry in self.entries if isinstance(entry, Opened)]

    @property
    def row(self):
        """The only one there is."""
        (row,) = self.rows
        return row

    async def settled(self, count=1):
        """Wait for so many rows: after a hang-up there is nobody to tell the client that it has been written."""
        while len(self.rows) < count:
            await asyncio.sleep(0)
        return self.rows

    def bill(self):
        """What the ledger says of each model, as the simulator's invoice does."""
        table = {}
        for call in (call for row in self.rows for call in row.calls if call.usage is not None):
            row = table.setdefault(call.model_reported, dict.fromkeys(("requests", *TOKEN_CLASSES, "nano_usd"), 0))
            row["requests"] += 1
            row["nano_usd"] += call.cost_nano
            for name in TOKEN_CLASSES:
                row[name] += getattr(call.usage, name)
        return table


async def stop(running):
    """What uvicorn does at its end, without the tenth of a second that it sleeps."""
    for server in running.servers:
        server.close()
    for connection in list(running.server_state.connections):
        connection.shutdown()
    if running.server_state.tasks:
        await asyncio.wait(running.server_state.tasks, timeout=5)
    await running.lifespan.shutdown()


def settings_for(provider, url, *, mode="save", server=None, cache=None, retries=None, providers=None, **tables):
    """A gateway's settings in front of a simulator or an address; nothing is tried again unless a test says so."""
    openai_url, anthropic_url = (
        (provider, provider.removesuffix("/v1")) if isinstance(provider, str) else (provider.openai_url, provider.url)
    )
    return Policy(
        mode=mode,
        server=Server(port=0, **{"grace": "2s"} | (server or {})),
        store=Store(url=url),
        providers={
            "openai": replace(BUILT_IN["openai"], base_url=openai_url),
            "anthropic": replace(BUILT_IN["anthropic"], base_url=anthropic_url),
            **(providers or {}),
        },
        cache=cache or Cache(),
        retries=retries or Retries(attempts=1),
        **tables,
    )


@pytest.fixture
async def start(tmp_path):
    """Start a gateway in front of a simulator or an address."""
    async with AsyncExitStack() as stack:
        houses = []

        async def start(provider, *, environ=None, timestamp=None, **settings):
            houses.append(None)
            policy = settings_for(provider, f"sqlite:///{tmp_path}/{len(houses)}.db", **settings)
            keys = {"OPENAI_API_KEY": "sk-env", "ANTHROPIC_API_KEY": "sk-ant-env"} if environ is None else environ
            app = application(policy, keys, timestamp)
            listener = bind("127.0.0.1", 0)
            config = server_config(policy, app)
            config.load()
            running = uvicorn.Server(config)
            running.lifespan = config.lifespan_class(config)
            await running.startup(sockets=[listener])
            stack.push_async_callback(stop, running)
            session = await stack.enter_async_context(
                aiohttp.ClientSession(skip_auto_headers=["Content-Type", "User-Agent", "Accept"])
            )
            return House(app, policy, listener.getsockname()[1], session, running.server_state.tasks)

        yield start


@pytest.fixture
def simulate():
    """Simulators that are all alike: the same seed, the same time."""
    return lambda **options: Simulator(**{"clock": lambda: NOW} | options)


@pytest.fixture
async def sim(simulate):
    async with simulate() as running:
        yield running


@pytest.fixture
async def house(start, sim):
    """A gateway in save mode in front of ``sim``."""
    return await start(sim)


class Script:
    """A provider that does what its ``answer(script, reader, writer)`` does, on every connection."""

    def __init__(self, answer):
        self._answer = answer
        self.requests = []
        self.connections = 0
        self.lost = asyncio.Event()
        self.errors = []
        self._open = {}

    async def serve(self, reader, writer):
        self.connections += 1
        self._open[asyncio.current_task()] = writer
        try:
            await self._answer(self, reader, writer)
            while await reader.read(65536):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as problem:
            self.errors.append(problem)
        finally:
            self.lost.set()
            writer.close()

    async def stop(self):
        for task, writer in self._open.items():
            writer.transport.abort()
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)
        assert not self.errors, self.errors

    async def request(self, reader):
        """A whole request with a content-length or without a body: its head and its body."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
        body = await reader.readexactly(length)
        self.requests.append((head, body))
        return head, body


@pytest.fixture
async def script():
    """Start a scripted provider: ``(script, its base_url)``."""
    async with AsyncExitStack() as stack:

        async def script(answer):
            made = Script(answer)
            server = await asyncio.start_server(made.serve, "127.0.0.1", 0)

            stack.push_async_callback(made.stop)
            stack.callback(server.close)
            return made, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

        yield script


@pytest.fixture
def saying(script):
    """A provider that answers every request with these bytes."""

    async def saying(*parts):
        async def answer(it, reader, writer):
            while True:
                await it.request(reader)
                for part in parts:
                    writer.write(part)
                    await writer.drain()

        return await script(answer)

    return saying
