"""A gateway in a thread of its own, before simulated providers, and its books."""

import threading
import time
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from tests.matrix.families import FAMILIES

from farthing.gateway.server import application, bind, server_config
from farthing.ledger.records import Settled
from farthing.ledger.segments import read_entries, segments
from farthing.limits.keys import KeyRing
from farthing.policy import Policy
from farthing.policy.model import Cache, Prices, Retries, Server, Store
from farthing.simulator import Control
from farthing.simulator.catalog import standard_models


class House:
    """What a cell sees of farthing and of those behind it."""

    def __init__(self, sim, policy, port, key, replies):
        self.sim, self.policy, self.key, self.replies = sim, policy, key, replies
        self.url = f"http://127.0.0.1:{port}"
        self._offsets = {}

    def begin(self):
        """From here on it is this cell's."""
        self.sim.reset()
        self.replies.clear()
        self.rows()

    def rows(self):
        """What the ledger has got since it was last asked."""
        found = []
        for segment in segments(Path(self.policy.store.journal)):
            chunk = read_entries(segment.path, self._offsets.get(segment.path, 0))
            self._offsets[segment.path] = chunk.offset
            assert chunk.corrupt == 0
            found += [entry for entry in chunk.entries if isinstance(entry, Settled)]
        return found

    def faults(self, **faults):
        """From now on this goes wrong, by model; nothing else does."""
        self.sim.control(Control(reset=True, faults=faults))


def overheard(app, replies):
    """The same application; the headers of its replies are noted."""

    async def application(scope, receive, send):
        async def noting(message):
            if message["type"] == "http.response.start":
                replies.append({name.decode(): value.decode("latin-1") for name, value in message["headers"]})
            await send(message)

        await app(scope, receive, noting)

    return application


def price_list(folder):
    """What the simulator takes, at whatever provider."""
    path = Path(folder) / "prices.toml"
    tables = []
    for model in standard_models():
        given = {name: getattr(model.price, name) for name in model.price.__struct_fields__}
        lines = [f"{name} = {value}" for name, value in given.items() if value is not None]
        tables.append("\n".join(["[[price]]", 'provider = "*"', f'model = "{model.name}"', *lines]))
    path.write_text("\n".join(tables))
    return str(path)


@contextmanager
def gateway(sim, folder, **settings):
    """A running gateway before all families."""
    policy = Policy(
        **{
            "mode": "save",
            "server": Server(port=0, grace="2s"),
            "store": Store(url=f"sqlite:///{folder}/farthing.db"),
            "providers": {name: family.provider(sim) for name, family in FAMILIES.items()},
            "cache": Cache(exact=False),
            "retries": Retries(attempts=1),
            "prices": Prices(file=price_list(folder)),
        }
        | settings
    )
    replies = []
    _, key = KeyRing(Path(policy.store.keys)).create(tenant="acme", name="matrix", role="app", clock=time.time)
    environ = {family.key_env: f"sk-{name}" for name, family in FAMILIES.items() if family.key_env}
    app = application(policy, environ, None)
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(server_config(policy, overheard(app, replies)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="farthing gateway")
    thread.start()
    try:
        yield House(sim, policy, listener.getsockname()[1], key, replies)
    finally:
        server.should_exit = True
        thread.join()
