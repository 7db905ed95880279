"""Which provider a request goes to, and under which name it knows the model."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from farthing.errors import NoSuchRoute
from farthing.policy import Provider
from farthing.types import Api


def choose(providers: Mapping[str, Provider], api: Api, model: str | None) -> tuple[str, str | None]:
    """The provider's name and the model's name there.

    ``name/model`` names the provider; else the first whose ``models`` fit; else the first that speaks the API.
    Raises ``NoSuchRoute``.
    """
    speaking = {name: provider for name, provider in providers.items() if provider.kind == api}
    if model is not None:
        name, slash, rest = model.partition("/")
        if slash and name in speaking:
            return name, rest
        for name, provider in speaking.items():
            if any(fnmatchcase(model, pattern) for pattern in provider.models):
                return name, model
    if not speaking:
        raise NoSuchRoute(f'no provider speaks the {api} API; add one with kind = "{api}" to farthing.toml')
    return next(iter(speaking)), model


def url_of(provider: Provider, path: str) -> str:
    """The address of a path (``/v1/…`` with its query) at a provider."""
    base = provider.base_url.rstrip("/")
    if provider.kind == "anthropic":
        return base.removesuffix("/v1") + path
    return base + path.removeprefix("/v1")
