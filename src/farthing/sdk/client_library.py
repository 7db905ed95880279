"""httpx and httpx2 alike: the official clients have used the one, and use the other. Neither is ours to choose."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import httpx2

NAMES = ("httpx", "httpx2")
FAILURES = {"unreachable": "ConnectError", "timeout": "ReadTimeout", "broken": "RemoteProtocolError"}
"""What such an end is called there."""


class Library(Protocol):
    """What we use of it."""

    Client: type[httpx2.Client]
    AsyncClient: type[httpx2.AsyncClient]
    HTTPTransport: type[httpx2.HTTPTransport]
    AsyncHTTPTransport: type[httpx2.AsyncHTTPTransport]
    Response: type[httpx2.Response]
    SyncByteStream: type[httpx2.SyncByteStream]
    AsyncByteStream: type[httpx2.AsyncByteStream]
    RequestError: type[httpx2.RequestError]


def library_of(http_client: object) -> Library:
    """The one that an HTTP client is of. Raises ``TypeError``."""
    for one in type(http_client).__mro__:
        name = one.__module__.partition(".")[0]
        if name in NAMES:
            return cast("Library", sys.modules[name])
    raise TypeError(
        f"farthing.wrap() takes clients whose http_client is one of httpx, not {type(http_client).__name__}"
    )


def failure(library: Library, kind: str, message: str, request: httpx2.Request) -> httpx2.RequestError:
    """The exception that a transport of this library would raise."""
    found = cast("type[httpx2.RequestError]", getattr(library, FAILURES[kind]))
    return found(message, request=request)


@lru_cache
def with_base(own: type[Any], base: type[Any]) -> type[Any]:
    """A class of ours as one of the library's."""
    return type(own.__name__, (own, base), {})
