import json

import aiohttp
import pytest

from farthing.simulator import Simulator


class Lab:
    """A simulator and a plain HTTP client that sees headers and bytes."""

    def __init__(self, sim, session):
        self.sim = sim
        self.session = session

    async def post(self, path, body, **headers):
        own = {"authorization": "Bearer sk-sim", "x-api-key": "sk-sim"}
        if "/messages" in path:
            own["anthropic-version"] = "2023-06-01"
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(self.sim.url + path, data=data, headers=own) as reply:
            raw = await reply.read()
            seen = {name.lower(): value for name, value in reply.headers.items()}
            return reply.status, seen, json.loads(raw) if raw.startswith(b"{") else raw

    async def chat(self, text="Where is my card?", model="gpt-4o", *, ts=None, **body):
        messages = body.pop("messages", [{"role": "user", "content": text}])
        headers = {} if ts is None else {"x_sim_ts": str(ts)}
        return await self.post("/v1/chat/completions", {"model": model, "messages": messages, **body}, **headers)

    async def message(self, text="Where is my card?", model="claude-3-5-sonnet-20241022", *, ts=None, **body):
        messages = body.pop("messages", [{"role": "user", "content": text}])
        headers = {} if ts is None else {"x_sim_ts": str(ts)}
        body = {"model": model, "max_tokens": 500, "messages": messages, **body}
        return await self.post("/v1/messages", body, **headers)

    async def invoice(self, query=""):
        async with self.session.get(f"{self.sim.url}/_invoice{query}") as reply:
            return await reply.json()


@pytest.fixture
async def lab():
    async with Simulator(clock=lambda: 1_750_000_000.0) as sim, aiohttp.ClientSession() as session:
        yield Lab(sim, session)


def events_of(raw):
    """The JSON of every event of a stream."""
    datas = [line[6:] for line in raw.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(data) for data in datas if data != "[DONE]"]
