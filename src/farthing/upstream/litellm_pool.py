"""Sending through LiteLLM (``farthing[litellm]``): providers that speak neither API. Chat only.

LiteLLM makes the call and translates; retries, fallbacks, keys, limits and prices stay ours.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, Protocol, cast

from farthing.errors import BadRequest, ConfigError
from farthing.policy.provider import LITELLM, Provider
from farthing.types import Headers
from farthing.upstream import litellm_words as words
from farthing.upstream.credentials import presented
from farthing.upstream.pending import TaskPending
from farthing.upstream.pool import Body, Cut, Pool, Response

CHAT = "/chat/completions"
AHEAD = 16
"""Chunks that may wait for a slow client; then LiteLLM is not asked for more."""


class Library(Protocol):
    """What is used of the module ``litellm``."""

    suppress_debug_info: bool

    async def acompletion(self, **fields: object) -> Said:
        """A reply, or a stream of chunks."""
        ...

    def get_supported_openai_params(self, model: str, custom_llm_provider: str) -> list[str] | None:
        """Names of fields."""
        ...


class Said(Protocol):
    """A reply or a chunk of LiteLLM's, a pydantic model; or its stream, an async iterator of them."""

    _hidden_params: Mapping[str, Any]

    def model_dump(self) -> dict[str, Any]: ...


class Chunks(Protocol):
    """LiteLLM's stream."""

    _hidden_params: Mapping[str, Any]
    chunks: list[object]
    """What the provider has said so far."""

    async def __anext__(self) -> Said: ...
    async def aclose(self) -> None: ...


async def litellm_pools(providers: Mapping[str, Provider], read_timeout: float) -> dict[str, Pool]:
    """A pool for every provider that is reached so. Takes seconds: LiteLLM is imported. Raises ``ConfigError``."""
    library = await asyncio.to_thread(_library)
    return {name: LiteLlmPool(library, one, read_timeout) for name, one in providers.items() if one.via}


def _library() -> Library:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or importing it would ask the network
    try:
        library = cast("Library", importlib.import_module("litellm"))
    except ImportError as problem:
        raise ConfigError("via = \"litellm\" needs LiteLLM: pip install 'farthing[litellm]'") from problem
    library.suppress_debug_info = True  # it prints advice to stdout
    return library


class LiteLlmPool:
    """Implements ``upstream.pool.Pool`` for one provider."""

    def __init__(self, library: Library, provider: Provider, read_timeout: float) -> None:
        self._library, self._provider, self._read_timeout = library, provider, read_timeout
        self._name = (provider.via or "").partition("/")[2]
        self.tasks: set[asyncio.Task[Any]] = set()

    def send(self, method: str, url: str, headers: Headers, body: Body) -> TaskPending:
        return TaskPending(self.started(self._answer(method, url, headers, body)))

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def started(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task that lives until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _answer(self, method: str, url: str, headers: Headers, body: Body) -> Response:
        """Raises ``UpstreamError``."""
        if method != "POST" or not url.endswith(CHAT) or not isinstance(body, bytes):
            text = "only chat goes through LiteLLM (POST /v1/chat/completions); send this to another provider"
            return _Whole(*words.farthing_refusal(404, "farthing_no_such_route", text))
        key = presented(headers)
        if key is None and self._provider.scheme != "none":
            # LiteLLM would look for a key in the environment, which is not for everybody who asks.
            text = 'there is no key: send one, or set api_key_env of the provider, or auth = "none" for LiteLLM\'s own'
            return _Whole(*words.farthing_refusal(401, "farthing_unauthenticated", text))
        try:
            model, fields = words.arguments(body)
        except BadRequest as problem:
            return _Whole(*words.farthing_refusal(problem.status, problem.code, problem.message))
        return await self._called(model, fields, url.removesuffix(CHAT), key)

    async def _called(self, model: str, fields: dict[str, Any], base: str, key: str | None) -> Response:
        names = self._library.get_supported_openai_params(model=model, custom_llm_provider=self._name)
        settings: dict[str, Any] = {"num_retries": 0, "max_retries": 0, "no-log": True, "timeout": self._read_timeout}
        if key is not None:
            settings["api_key"] = key
        if not base.startswith(LITELLM):
            settings["api_base"] = base
        try:
            said = await self._library.acompletion(
                model=f"{self._name}/{model}", **words.supported(fields, names or ()), **settings
            )
            if fields.get("stream"):
                return await self._begun(cast("Chunks", said), key)
        except Exception as problem:  # noqa: BLE001 - every provider raises what it likes; CancelledError goes through
            return _Whole(*words.refusal(problem, key))
        return _Whole(200, words.JSON_HEADERS + _shown(said), words.reply(said.model_dump()))

    async def _begun(self, chunks: Chunks, key: str | None) -> Response:
        """A stream whose first chunk has come: LiteLLM may ask the provider only then."""
        try:
            first = await _next(chunks)
        except BaseException as problem:
            await chunks.aclose()
            if isinstance(problem, Exception) and words.breaks_off(problem):
                return _Broken(200, words.EVENT_HEADERS + _shown(chunks), words.masked(str(problem), key).encode())
            raise
        return _Streamed(self, chunks, first, key)


async def _next(chunks: Chunks) -> Said | None:
    try:
        return await chunks.__anext__()
    except StopAsyncIteration:
        return None


def _shown(said: Said | Chunks) -> Headers:
    hidden: Mapping[str, Any] = getattr(said, "_hidden_params", None) or {}
    return words.shown(hidden.get("additional_headers") or {})


class _Whole:
    """A reply in one piece. Implements ``upstream.pool.Response``."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status, self.headers, self._body = status, headers, body
        self.heard: float | None = None

    async def read(self) -> bytes:
        return self._body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    def close(self) -> None:
        """There is nothing left to close."""


class _Broken(_Whole):
    """A stream that broke off at its beginning: the provider may bill it. The body is the reason."""

    async def read(self) -> bytes:
        raise Cut(self._body.decode())

    async def chunks(self) -> AsyncIterator[bytes]:
        yield await self.read()


class _Streamed:
    """A stream. Implements ``upstream.pool.Response``.

    A task of its own reads it, since LiteLLM's iterator does not survive that a reader is cancelled.
    """

    def __init__(self, pool: LiteLlmPool, chunks: Chunks, first: Said | None, key: str | None) -> None:
        self.status, self.headers = 200, words.EVENT_HEADERS + _shown(chunks)
        self.heard: float | None = None
        self._pool, self._chunks, self._key = pool, chunks, key
        self._has_begun = False
        self._parts: list[bytes] = []
        self._over = False
        self._ready: asyncio.Queue[bytes | Cut | None] = asyncio.Queue(AHEAD)
        self._task = pool.started(self._read(first))

    async def read(self) -> bytes:
        async for part in self.chunks():
            self._parts.append(part)
        return b"".join(self._parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        while not self._over:
            part = await self._ready.get()
            if isinstance(part, bytes):
                yield part
                continue
            self._over = True
            if part is not None:
                raise part

    def close(self) -> None:
        self._task.cancel()
        if not self._has_begun:  # then it never will, and nobody else closes what LiteLLM has opened
            self._pool.started(self._chunks.aclose())

    async def _read(self, said: Said | None) -> None:
        self._has_begun = True
        try:
            while said is not None:
                await self._ready.put(words.event(said.model_dump(), usage=self._has_told_usage()))
                said = await _next(self._chunks)
            await self._ready.put(words.DONE)
            await self._ready.put(None)
        except Exception as problem:  # noqa: BLE001 - every provider raises what it likes
            await self._ready.put(Cut(words.masked(str(problem), self._key)))
        finally:
            await self._chunks.aclose()

    def _has_told_usage(self) -> bool:
        """Else LiteLLM counts by itself and does not say so; our own estimate is marked as one."""
        return any(getattr(one, "usage", None) is not None for one in self._chunks.chunks)
