"""LangChain's cache, kept by farthing: the same store, bound, lifetime and rules as the gateway's."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from langchain_core.caches import BaseCache
from langchain_core.outputs import Generation
from typing_extensions import override

from farthing.langchain import messages
from farthing.langchain.asking import asked
from farthing.levers.recall.admit import storable
from farthing.levers.recall.answer import Answer
from farthing.levers.recall.counterfactual import expected_usage
from farthing.levers.recall.gate import Flags, refusal
from farthing.levers.recall.key import Partition, key_of
from farthing.levers.recall.store import AnswerStore
from farthing.levers.recall.warmth import Warmth
from farthing.outside.books import Books, shared
from farthing.outside.told import api_of, price_list
from farthing.pipeline.runtime import Runtime
from farthing.policy import Policy
from farthing.policy.units import seconds
from farthing.sdk.naming import current
from farthing.types import Facts, Prompt

log = logging.getLogger("farthing")

T = TypeVar("T")
WIRE = "langchain"
_LINK = re.compile(r'"(?:url|image_url|file_url)"\s*:\s*"\s*https?:', re.IGNORECASE)
_MODEL = re.compile(r"""["'](?:model_name|model|model_id)["'](?:: |, )["']([^"']+)["']""")
_PROVIDER = re.compile(r'"id": \["langchain(?:_\w+)?", "chat_models", "(\w+)"')


class FarthingCache(BaseCache):
    """``set_llm_cache(FarthingCache())``. A hit is a request in the ledger, with what it would have cost.

    ``tenant``: whose answers these are; without it the one of ``farthing.tags``, else ``default``. ``config``: a
    ``farthing.toml`` or a policy, as for ``farthing.wrap``. It answers in either mode: who sets a cache wants one.
    """

    def __init__(
        self,
        *,
        tenant: str | None = None,
        config: str | os.PathLike[str] | Policy | None = None,
        books: Books | None = None,
    ) -> None:
        """Raises ``ConfigError`` or ``StoreError``."""
        self._tenant, self._books = tenant, books or shared(config)
        self._books.begin()
        self._warmth = Warmth()
        self.failures = 0

    @override
    def lookup(self, prompt: str, llm_string: str) -> list[Generation] | None:
        return self._openly(lambda store, runtime: self._found(store, runtime, prompt, llm_string))

    @override
    def update(self, prompt: str, llm_string: str, return_val: Sequence[Generation]) -> None:
        self._openly(lambda store, runtime: self._keep(store, runtime, prompt, llm_string, return_val))

    @override
    def clear(self, **kwargs: Any) -> None:
        """Delete this tenant's answers to LangChain."""
        self._openly(lambda store, _runtime: store.purge(tenant=self._whose(), feature=WIRE))

    @override
    async def alookup(self, prompt: str, llm_string: str) -> list[Generation] | None:
        return self.lookup(prompt, llm_string)  # a read of the memory map: quicker than any thread

    @override
    async def aupdate(self, prompt: str, llm_string: str, return_val: Sequence[Generation]) -> None:
        self.update(prompt, llm_string, return_val)

    @override
    async def aclear(self, **kwargs: Any) -> None:
        await asyncio.to_thread(self.clear)

    def _openly(self, step: Callable[[AnswerStore, Runtime], T]) -> T | None:
        """A cache that fails must not fail a call: count it, say it, go on without."""
        try:
            seat = self._books.seat()
            if seat is None or seat.runtime.answers is None:
                return None
            return step(seat.runtime.answers, seat.runtime)
        except Exception:
            self.failures += 1
            log.exception("the cache failed; the call goes on without it (failure %d)", self.failures)
            return None

    def _found(self, store: AnswerStore, runtime: Runtime, prompt: str, llm_string: str) -> list[Generation] | None:
        now, key = runtime.clock(), self._key(prompt, llm_string)
        answer = store.get(key, now)
        generations = None if answer is None else messages.read(answer.body)
        if answer is None or generations is None:
            return None
        store.touch(key)
        usage = answer.usage
        if usage is not None:
            age = self._warmth.age(key, answer.stored_at, now)
            usage = expected_usage(usage, api_of(answer.provider), age, None)
        named = {"x-farthing-tenant": self._whose()}
        self._books.served({**current(), **asked(), **named}, answer, usage, messages.prompt_of_text(prompt))
        return generations

    def _keep(
        self, store: AnswerStore, runtime: Runtime, prompt: str, llm_string: str, generations: Sequence[Generation]
    ) -> None:
        provider, model = provider_of(llm_string), model_of(llm_string)
        said = messages.prompt_of_text(prompt)
        if len(generations) != 1 or refused(prompt, llm_string, said) is not None:
            return
        outcome = messages.outcome_of(generations, provider)
        body = messages.written(generations)
        if storable("chat", 200, outcome, body, generations[0].text) is not None or body is None:
            return
        now, usage = runtime.clock(), outcome.usage
        asked_model = outcome.model or model or ""
        cost = (
            None
            if usage is None
            else runtime.prices.price(price_list(provider), api_of(provider), asked_model, usage, now).cost_nano
        )
        answer = Answer(
            wire=WIRE,
            stored_at=now,
            expires_at=now + seconds(runtime.policy.cache.ttl),
            streamed=False,
            body=body,
            content_type="application/json",
            provider=provider,
            tenant=self._whose(),
            request_id="",
            usage=usage,
            model=model or outcome.model,
            model_reported=outcome.model,
            finish_reason=outcome.finish_reason,
            cost_nano=cost,
            feature=WIRE,
        )
        store.put(self._key(prompt, llm_string), answer, now)

    def _whose(self) -> str:
        return self._tenant or current().get("x-farthing-tenant") or "default"

    def _key(self, prompt: str, llm_string: str) -> bytes:
        """Of the whole prompt and all that LangChain says of the model: never of one of them alone."""
        user = current().get("x-farthing-user") if self._books.policy.cache.scope == "user" else None
        partition = Partition(tenant=self._whose(), credential=WIRE.encode(), provider="", user=user)
        return key_of(partition, WIRE, msgspec.json.encode((prompt, llm_string)))


def refused(prompt: str, llm_string: str, said: Prompt) -> str | None:
    """Why this may not be answered from a cache, by the gateway's own rules; ``None`` if it may."""
    flags = Flags(
        tools=_given(llm_string, "tools"),
        functions=_given(llm_string, "functions"),
        mcp_servers=_given(llm_string, "mcp_servers"),
        web_search_options=_given(llm_string, "web_search_options") or None,
        background=_given(llm_string, "background"),
        previous_response_id=_given(llm_string, "previous_response_id"),
        conversation=_given(llm_string, "conversation"),
        container=_given(llm_string, "container"),
        links=said.attachments > 0 and _LINK.search(prompt) is not None,
    )
    return refusal("chat", Facts(model=model_of(llm_string)), said, flags)


def _given(llm_string: str, name: str) -> bool:
    """Whether a setting has a value: in the JSON of the model, or in Python's words for what was bound to it."""
    pattern = rf"""["']{name}["'](?:: |, )(?!None|null|False|false|\[\]|\{{\}})"""
    return re.search(pattern, llm_string) is not None


def model_of(llm_string: str) -> str | None:
    """The model that was asked for."""
    found = _MODEL.search(llm_string)
    return found[1] if found else None


def provider_of(llm_string: str) -> str:
    """Whose model it is, by the name of its class."""
    found = _PROVIDER.search(llm_string)
    name = found[1] if found else ""
    return (
        "anthropic"
        if "anthropic" in f"{name} {model_of(llm_string)}".lower() or "claude" in (model_of(llm_string) or "")
        else (name if found else "openai")
    )
