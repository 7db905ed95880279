"""Where a client's request goes: the provider that its address belongs to, and the path as a gateway would see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from farthing.pipeline.intake import Home
from farthing.policy import Policy, Provider
from farthing.policy.model import BUILT_IN
from farthing.sdk.engine import Setup
from farthing.types import Api
from farthing.upstream.targets import base_of

PORTS = {"http": 80, "https": 443}


class Place(NamedTuple):
    """A base URL, and who is there."""

    base: str
    """What goes before the path, without a slash at its end."""
    setup: Setup
    home: Home


class Places:
    """Those of one client."""

    def __init__(self, api: Api, base_url: str, setup: Setup, setup_of: Callable[[Policy], Setup]) -> None:
        """``setup_of``: the setup of a policy that differs from that of ``setup``."""
        self.api: Api = api
        self._setup, self._setup_of = setup, setup_of
        self._known: dict[str, Place] = {}
        self.first = self._place(base_url.rstrip("/"))

    def find(self, url: str) -> tuple[Place, str]:
        """The place of a URL, and the path there under ``/v1``, with its query."""
        base = self.first.base
        if not url.startswith(base + "/"):
            base = base_in(url, self.api)
        rest = url[len(base) :] or "/"
        return self._known.get(base) or self._place(base), "/v1" + rest if self.api == "openai" else rest

    def _place(self, base: str) -> Place:
        policy = self._setup.policy
        name = self._provider(base, policy)
        if base == BUILT_IN[self.api].base_url and (first := _first(self.api, policy)) is not None:
            place = Place(base, self._setup, Home(first, fixed=False))
        elif name is not None:
            place = Place(base, self._setup, Home(name, fixed=True))
        else:
            name = name_of(base, policy)
            providers = {**policy.providers, name: Provider(base, self.api)}
            setup = self._setup_of(msgspec.structs.replace(policy, providers=providers))
            place = Place(base, setup, Home(name, fixed=True))
        self._known[base] = place
        return place

    def _provider(self, base: str, policy: Policy) -> str | None:
        """The one at this address."""
        wanted = base_of(base, self.api)
        for name, one in policy.providers.items():
            if one.kind == self.api and wanted in {base_of(url, one.kind) for url in (one.base_url, *one.base_urls)}:
                return name
        return None


def base_in(url: str, api: Api) -> str:
    """The base of a URL by its looks: up to ``/v1``, else the whole of its host."""
    parts = urlsplit(url)
    before, found, _ = parts.path.partition("/v1/")
    place = f"{parts.scheme}://{parts.netloc}"
    return place if not found else f"{place}{before}/v1" if api == "openai" else place + before


def name_of(base: str, policy: Policy) -> str:
    """A name for a provider that the settings do not have: its host, and the port unless it is the usual one."""
    parts = urlsplit(base)
    port = "" if parts.port in (None, PORTS.get(parts.scheme)) else f":{parts.port}"
    name = f"{parts.hostname}{port}"
    while name in policy.providers:  # which is at another address
        name = f"{name} (client)"
    return name


def _first(api: Api, policy: Policy) -> str | None:
    return next((name for name, one in policy.providers.items() if one.kind == api), None)
