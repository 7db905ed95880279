"""What sending looks like from outside: a pool that sends, a response that arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol
from urllib.request import getproxies_environment

from farthing.types import Headers

Body = bytes | AsyncIterator[bytes]
EVENT_STREAM = "text/event-stream"


class Cut(Exception):
    """The provider broke off inside a body; what came before has been delivered."""


class Response(Protocol):
    """A provider's reply whose headers have arrived."""

    status: int
    headers: Headers
    """As they came, names in lower case."""
    heard: float | None
    """When its latest bytes came, on the pool's monotonic clock; ``None`` where that is not known."""

    async def read(self) -> bytes:
        """The whole body; raises ``Cut``. May be called again after it was cancelled."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; raises ``Cut``. After it was cancelled another one goes on where this one was."""
        ...

    def close(self) -> None:
        """Drop the connection, unless the body has arrived to its end."""
        ...


class Pending(Protocol):
    """A request that is on its way: its bytes are written, or being written."""

    @property
    def sent(self) -> bool:
        """Whether anything has gone out: else the provider knows nothing of it."""
        ...

    async def response(self) -> Response:
        """Wait for the reply's headers. Raises ``UpstreamError``. Who is cancelled asks again, or closes."""
        ...

    def close(self) -> None:
        """Drop the connection, unless the reply has arrived to its end."""
        ...


class Pool(Protocol):
    """Keep-alive connections to every provider."""

    def send(self, method: str, url: str, headers: Headers, body: Body) -> Pending:
        """Start a request: when this returns, it has gone out, unless a connection has to be made first."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


def open_pool(
    *, connect_timeout: float, read_timeout: float, environ: Mapping[str, str], monotonic: Callable[[], float]
) -> Pool:
    """The pool for this environment: where a proxy is set (``HTTPS_PROXY`` …) the one that can speak through it."""
    wanted = {name.lower() for name in environ} & {"http_proxy", "https_proxy", "all_proxy"}
    if wanted and (proxies := getproxies_environment()):
        from farthing.upstream.proxied import ProxiedPool

        return ProxiedPool(proxies, connect_timeout=connect_timeout, read_timeout=read_timeout)
    from farthing.upstream.http1_pool import Http1Pool

    return Http1Pool(connect_timeout=connect_timeout, read_timeout=read_timeout, monotonic=monotonic)


def content_type(headers: Headers) -> str:
    """The media type of a reply, without parameters."""
    for name, value in headers:
        if name == b"content-type":
            return value.partition(b";")[0].strip().lower().decode("latin-1")
    return ""
