"""``farthing.toml`` and the environment → one frozen ``Policy``."""

from __future__ import annotations

from farthing.policy.load import load_policy
from farthing.policy.model import Cache, Policy, Server, Store
from farthing.policy.provider import Provider, Quirks
from farthing.policy.source import Settings, Source

__all__ = ["Cache", "Policy", "Provider", "Quirks", "Server", "Settings", "Source", "Store", "load_policy"]
