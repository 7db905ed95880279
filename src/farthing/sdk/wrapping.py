"""A client of an official library, with farthing between it and the network."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from farthing.sdk.client_library import library_of
from farthing.sdk.places import Places
from farthing.sdk.transport import AsyncTransport, Transport
from farthing.types import Api

if TYPE_CHECKING:
    import httpx2
    from anthropic import Anthropic, AsyncAnthropic
    from openai import AsyncOpenAI, OpenAI

    Known = OpenAI | AsyncOpenAI | Anthropic | AsyncAnthropic

Client = TypeVar("Client", bound="OpenAI | AsyncOpenAI | Anthropic | AsyncAnthropic")
CLASSES: dict[Api, tuple[str, ...]] = {
    "openai": ("OpenAI", "AsyncOpenAI"),
    "anthropic": ("Anthropic", "AsyncAnthropic"),
}
"""Module and API → the classes that can be wrapped."""
ELSEWHERE = ("AzureOpenAI", "AsyncAzureOpenAI")
"""Their paths are not those of the API."""


def api_of(client: object) -> Api:
    """Which API a client speaks. Raises ``TypeError`` if it is none that can be wrapped."""
    for api, names in CLASSES.items():
        module = sys.modules.get(api)
        if module is None or isinstance(client, _classes(module, ELSEWHERE)):
            continue
        if isinstance(client, _classes(module, names)):
            return api
    names = ", ".join(f"{module}.{name}" for module, names in CLASSES.items() for name in names)
    raise TypeError(f"farthing.wrap() takes one of {names}, not a {type(client).__name__}")


def wrapped(client: Client, places: Callable[[str], Places]) -> Client:
    """A copy of the client that sends through us; ``places`` is told its base URL. Raises ``TypeError``."""
    known = cast("Known", client)
    http_client = known._client  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - they have no public name for it
    library = library_of(http_client)
    where = places(str(known.base_url))
    mine: Any = (
        library.AsyncClient(transport=cast("Any", AsyncTransport(library, where)), **_kept(http_client))
        if isinstance(http_client, library.AsyncClient)
        else library.Client(transport=cast("Any", Transport(library, where)), **_kept(http_client))
    )
    return cast("Client", known.copy(http_client=mine))


def _kept(old: httpx2.Client | httpx2.AsyncClient) -> dict[str, Any]:
    """What the client's own HTTP client was told, but for the network."""
    return {
        "auth": old.auth,
        "params": old.params,
        "headers": old.headers,
        "cookies": old.cookies,
        "timeout": old.timeout,
        "follow_redirects": old.follow_redirects,
        "max_redirects": old.max_redirects,
        "event_hooks": old.event_hooks,
        "base_url": old.base_url,
        "trust_env": old.trust_env,
    }


def _classes(module: object, names: tuple[str, ...]) -> tuple[type[object], ...]:
    return tuple(cast("type[object]", getattr(module, name)) for name in names if hasattr(module, name))
