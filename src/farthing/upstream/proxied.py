"""Sending through an HTTP proxy (``HTTPS_PROXY``): aiohttp knows how. Its exceptions become ours here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from urllib.request import proxy_bypass_environment  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType] - not in its stubs

import aiohttp
from yarl import URL

from farthing.errors import UpstreamError
from farthing.types import Headers
from farthing.upstream.pending import TaskPending
from farthing.upstream.pool import Body, Cut

_AUTOMATIC = ("User-Agent", "Accept", "Content-Type")
"""Headers aiohttp would add; the client's own are sent, and no others."""

KEEP_ALIVE_S = 15.0
"""Idle connections are closed before a provider's own limit (often 60 s or less) makes a reuse race."""


class ProxiedResponse:
    """Implements ``upstream.pool.Response``."""

    __slots__ = ("_parts", "_raw", "headers", "heard", "status")

    def __init__(self, raw: aiohttp.ClientResponse) -> None:
        self._raw = raw
        self._parts: list[bytes] = []
        self.status = raw.status
        self.heard: float | None = None
        self.headers: Headers = [(name.lower(), value) for name, value in raw.raw_headers]

    async def read(self) -> bytes:
        async for part in self.chunks():
            self._parts.append(part)
        return b"".join(self._parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        with _cuts():
            async for chunk in self._raw.content.iter_any():
                yield chunk

    def close(self) -> None:
        self._raw.close()


class ProxiedPool:
    """Implements ``upstream.pool.Pool``."""

    def __init__(self, proxies: Mapping[str, str], *, connect_timeout: float, read_timeout: float) -> None:
        self._proxies = dict(proxies)
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout, sock_read=read_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_AUTOMATIC,
        )

    def send(self, method: str, url: str, headers: Headers, body: Body) -> TaskPending:
        return TaskPending(asyncio.ensure_future(self._request(method, url, headers, body)))

    async def _request(self, method: str, url: str, headers: Headers, body: Body) -> ProxiedResponse:
        """Send a request and wait for the reply's headers. Raises ``UpstreamError``."""
        named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        proxy = self._proxy_of(_url(url))
        with self._mapped(url, proxy):
            reply = await self._session.request(
                method, _url(url), headers=named, data=body or None, allow_redirects=False, proxy=proxy
            )
            return ProxiedResponse(reply)

    async def close(self) -> None:
        await self._session.close()

    def _proxy_of(self, url: URL) -> str | None:
        """Not aiohttp's own look-up: that knows no ``ALL_PROXY`` and adds passwords from ``~/.netrc``."""
        if proxy_bypass_environment(url.authority, self._proxies):
            return None
        return self._proxies.get(url.scheme) or self._proxies.get("all")

    @contextmanager
    def _mapped(self, url: str, proxy: str | None) -> Generator[None]:
        host = _url(url).host
        try:
            yield
        except aiohttp.ConnectionTimeoutError as problem:
            raise UpstreamError(
                f"{host} cannot be reached: no connection within {self._connect_timeout:g} s; see [server] "
                "connect_timeout",
                status=504,
            ) from problem
        except aiohttp.ServerTimeoutError as problem:
            raise UpstreamError(
                f"{host} did not answer in time: silent for {self._read_timeout:g} s; see [server] read_timeout",
                code="farthing_upstream_timeout",
                status=504,
            ) from problem
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as problem:
            check = "the proxy settings (HTTPS_PROXY, NO_PROXY)" if proxy else "base_url of the provider"
            raise UpstreamError(f"{host} cannot be reached: {problem}; check {check}") from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise UpstreamError(
                f"{host} closed the connection before it answered: {problem or type(problem).__name__}",
                code="farthing_upstream_closed",
            ) from problem


@contextmanager
def _cuts() -> Generator[None]:
    try:
        yield
    except asyncio.CancelledError:
        raise
    except (aiohttp.ClientError, OSError, TimeoutError) as problem:
        raise Cut(str(problem) or type(problem).__name__) from problem


@lru_cache(maxsize=1024)
def _url(url: str) -> URL:
    return URL(url, encoded=True)
