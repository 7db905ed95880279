"""What a neighbour tells of a call that it has made. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.pipeline.settlement import CLIENT_GONE, INTERNAL, TIMED_OUT
from farthing.types import Api, Outcome, Prompt

UNREACHABLE = "upstream_unreachable"
PRICE_LISTS = {
    "google_genai": "google",
    "google_vertexai": "google",
    "vertex_ai": "google",
    "gemini": "google",
    "amazon_bedrock": "aws",
    "anthropic_bedrock": "aws",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "mistralai": "mistral",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "xai": "x-ai",
    "azure_ai": "azure",
    "text-completion-openai": "openai",
}
"""What LangChain or LiteLLM call a provider → whose price list it is; others go by the same name."""


class Told(msgspec.Struct, frozen=True):
    """One call. Times in seconds; ``named`` is who asks, under the names of our headers."""

    named: Mapping[str, str]
    provider: str
    model: str | None
    """As it was asked for."""
    prompt: Prompt
    outcome: Outcome
    text: str
    """What the answer says, to estimate tokens where no usage was told."""
    started: float
    """Seconds since the Unix epoch."""
    latency_s: float
    ttft_s: float | None = None
    status: int | None = 200
    """``None``: there was no answer; ``error`` says why."""
    error: str | None = None
    stream: bool = False
    path: str | None = None
    """Where such a call goes; ``None``: it is a chat."""
    trace: tuple[tuple[bytes, bytes], ...] = ()
    """``traceparent`` and ``tracestate``, if it is part of a trace."""


def price_list(provider: str) -> str:
    """The name under which prices are found."""
    return PRICE_LISTS.get(provider, provider)


def api_of(provider: str) -> Api:
    """Whose words a provider's calls are told in."""
    return "anthropic" if "anthropic" in provider else "openai"


def failure(problem: BaseException) -> tuple[int | None, str]:
    """Status and error of a call that raised this. What may have been billed all the same is none of the free ones."""
    status = getattr(problem, "status_code", None)
    name = type(problem).__name__
    if isinstance(status, int) and status >= 400 and not _made_up(name):
        code = getattr(problem, "code", None)
        return status, code if isinstance(code, str) and code else name
    if not isinstance(problem, Exception) or name == "CancelledError":
        return None, CLIENT_GONE
    if "Timeout" in name:
        return None, TIMED_OUT
    return None, UNREACHABLE if "Connection" in name or "Connect" in name else INTERNAL


def _made_up(name: str) -> bool:
    """LiteLLM gives a status to failures that had none."""
    return "Connection" in name or name == "Timeout"
