"""Wrapped clients in front of the simulator, and the ledger that they write."""

import msgspec
import pytest
from tests.serving import eventually

import farthing
from farthing.ledger.records import Opened, Settled
from farthing.ledger.segments import read_entries, segments
from farthing.policy import Policy
from farthing.policy.model import Provider, Retries, Store
from farthing.sdk import engine
from farthing.simulator import running
from farthing.types import TOKEN_CLASSES

NOW = 1_750_000_000.0
KEY = "sk-sim"


class NoKeeper:
    """What is in the journal stays there, for tests to look at."""

    def __init__(self, _policy, **_options):
        """Nothing begins."""

    def stop(self, _patience_s):
        """Nothing ends."""

    def forget(self):
        """There is nothing to forget."""


class App:
    """An app that wraps its clients."""

    def __init__(self, folder, provider):
        self.folder, self.journal = folder, folder / "app.db.journal"
        self.policy = Policy(
            store=Store(f"sqlite:///{folder}/app.db"),
            providers={
                "openai": Provider(f"{provider}/v1", "openai", "OPENAI_API_KEY"),
                "anthropic": Provider(provider, "anthropic", "ANTHROPIC_API_KEY"),
            },
            retries=Retries(attempts=1),
        )

    def with_(self, **fields):
        """The same with other settings."""
        self.policy = msgspec.structs.replace(self.policy, **fields)
        return self

    def wrap(self, kind, *, mode="observe", environ=None, **options):
        client = kind(**{"api_key": KEY, "max_retries": 0} | options)
        return farthing.wrap(client, config=self.policy, mode=mode, environ=environ or {})

    @property
    def entries(self):
        return [entry for one in segments(self.journal) for entry in read_entries(one.path).entries]

    @property
    def rows(self):
        return [entry for entry in self.entries if isinstance(entry, Settled)]

    @property
    def opened(self):
        return [entry for entry in self.entries if isinstance(entry, Opened)]

    @property
    def row(self):
        (row,) = self.rows
        return row

    def settled(self, count=1):
        """The rows, once there are so many: who hangs up is told nothing."""
        return eventually(lambda: len(rows := self.rows) >= count and rows)

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


@pytest.fixture
def no_keeper(monkeypatch):
    monkeypatch.setattr(engine, "KeeperWatch", NoKeeper)


@pytest.fixture
def simulate():
    """Simulators that are all alike."""
    return lambda **options: running(**{"clock": lambda: NOW} | options)


@pytest.fixture
def sim(simulate):
    with simulate() as running:
        yield running


@pytest.fixture
def app(tmp_path, sim, no_keeper):
    yield App(tmp_path, sim.url)
    farthing.close()


@pytest.fixture
def app_of(tmp_path, no_keeper):
    """An app before another provider."""
    yield lambda provider: App(tmp_path, provider)
    farthing.close()
