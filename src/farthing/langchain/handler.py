"""The spend of LangChain's models: every call in the ledger when it has ended."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import msgspec
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import Generation, LLMResult
from typing_extensions import override

from farthing.langchain import messages
from farthing.langchain.asking import asking
from farthing.outside.books import Recorder, shared
from farthing.outside.told import Told, failure
from farthing.policy import Policy
from farthing.sdk.naming import PROPERTY, current
from farthing.sdk.tracing import trace_here
from farthing.types import Outcome, Prompt, Turn

clock = time.time  # noqa: TID251 - here the clock enters
MOST_RUNS = 10_000
"""Calls that have begun and of which no end has been told."""


class Begun(msgspec.Struct):
    """A call under way."""

    at: float
    on_clock: float
    named: Mapping[str, str]
    provider: str
    model: str | None
    prompt: Prompt
    stream: bool
    trace: tuple[tuple[bytes, bytes], ...]
    first: float | None = None


class FarthingCallbackHandler(BaseCallbackHandler):
    """``config={"callbacks": [FarthingCallbackHandler(user="ada", feature="search")]}``. Cheap: make one a request.

    Do not use it for models that go through the gateway or a client of ``farthing.wrap``: those are recorded already.
    """

    run_inline = True
    """In the thread and context of the call: the cache learns who asks."""

    def __init__(
        self,
        *,
        user: str | None = None,
        feature: str | None = None,
        session: str | None = None,
        tenant: str | None = None,
        tags: Mapping[str, str] | None = None,
        config: str | os.PathLike[str] | Policy | None = None,
        books: Recorder | None = None,
    ) -> None:
        """Raises ``ConfigError``."""
        super().__init__()
        known = {"user": user, "feature": feature, "session": session, "tenant": tenant}
        self._named = {f"x-farthing-{name}": value for name, value in known.items() if value is not None}
        self._named |= {PROPERTY + name: value for name, value in (tags or {}).items()}
        self._books: Recorder = books or shared(config)
        self._runs: dict[UUID, Begun] = {}
        self._lock = threading.Lock()

    @override
    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        self._begin(run_id, prompt_of_messages(messages[0] if messages else []), kwargs)

    @override
    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any) -> None:
        self._begin(run_id, Prompt("", tuple(Turn("user", one) for one in prompts)), kwargs)

    @override
    def on_llm_new_token(self, token: str | list[str | dict[str, Any]], *, run_id: UUID, **kwargs: Any) -> None:
        begun = self._runs.get(run_id)
        if begun is not None and begun.first is None:
            begun.first, begun.stream = time.perf_counter(), True

    @override
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        begun = self._ended(run_id)
        generations = response.generations[0] if response.generations else []
        if begun is not None and not from_cache(generations):
            outcome = _outcome(generations, response.llm_output or {}, begun.provider)
            self._tell(begun, outcome, messages.answer_text(generations), 200, None)

    @override
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        begun = self._ended(run_id)
        if begun is not None:
            status, reason = failure(error)
            self._tell(begun, Outcome(), "", status, reason)

    def _begin(self, run_id: UUID, prompt: Prompt, about: Mapping[str, Any]) -> None:
        metadata = cast("Mapping[str, Any]", about.get("metadata") or {})
        asked = cast("Mapping[str, Any]", about.get("invocation_params") or {})
        named = {**current(), **labels(about.get("tags"), metadata), **self._named}
        begun = Begun(
            at=clock(),
            on_clock=time.perf_counter(),
            named=named,
            provider=str(metadata.get("ls_provider") or "openai"),
            model=_first(metadata, asked),
            prompt=prompt,
            stream=bool(asked.get("stream")),
            trace=tuple(trace_here()),
        )
        asking(named)
        with self._lock:
            self._runs[run_id] = begun
            if len(self._runs) > MOST_RUNS:
                self._runs.pop(next(iter(self._runs)))

    def _ended(self, run_id: UUID) -> Begun | None:
        asking(None)
        with self._lock:
            return self._runs.pop(run_id, None)

    def _tell(self, begun: Begun, outcome: Outcome, text: str, status: int | None, error: str | None) -> None:
        self._books.record(
            Told(
                named=begun.named,
                provider=begun.provider,
                model=begun.model,
                prompt=begun.prompt,
                outcome=outcome,
                text=text,
                started=begun.at,
                latency_s=time.perf_counter() - begun.on_clock,
                ttft_s=None if begun.first is None else begun.first - begun.on_clock,
                status=status,
                error=error,
                stream=begun.stream,
                trace=begun.trace,
            )
        )


prompt_of_messages = messages.prompt_of_messages


def from_cache(generations: Sequence[Generation]) -> bool:
    """LangChain marks what came out of a cache, whichever, by a cost of nothing. Our own cache has entered it."""
    message = messages.message_of(generations[0]) if generations else None
    return message is not None and cast("dict[str, Any]", message.usage_metadata or {}).get("total_cost") == 0


def labels(tags: object, metadata: Mapping[str, Any]) -> dict[str, str]:
    """LangChain's tags and metadata as ours; what it adds itself (``ls_…``, ``lc_…``, ``langgraph_…``) is none."""
    found = {PROPERTY + str(tag): "" for tag in cast("list[object]", tags if isinstance(tags, list) else [])}
    for name, value in metadata.items():
        if isinstance(value, str) and not name.startswith(("ls_", "lc_", "langgraph_", "checkpoint_", "__")):
            found["x-farthing-session" if name in ("session_id", "thread_id") else PROPERTY + name] = value
    return found


def _first(metadata: Mapping[str, Any], asked: Mapping[str, Any]) -> str | None:
    names = (metadata.get("ls_model_name"), asked.get("model"), asked.get("model_name"))
    return next((name for name in names if isinstance(name, str) and name), None)


def _outcome(generations: Sequence[Generation], output: Mapping[str, Any], provider: str) -> Outcome:
    """Models without messages tell their usage beside the answer."""
    outcome = messages.outcome_of(generations, provider)
    usage = output.get("token_usage")
    if outcome.usage is None and isinstance(usage, dict):
        found = messages.openai_usage(cast("dict[str, Any]", usage))
        outcome = msgspec.structs.replace(outcome, usage=found, raw_usage=msgspec.json.encode(usage, enc_hook=str))
    model = output.get("model_name")
    return (
        msgspec.structs.replace(outcome, model=model) if outcome.model is None and isinstance(model, str) else outcome
    )
