"""OpenTelemetry's names for what language models do, in one place: semantic conventions 1.41.1, still changing. Pure.

https://opentelemetry.io/docs/specs/semconv/gen-ai/ - what has no name there begins with ``farthing.``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from farthing.ledger.records import Call, Settled

Value = str | int | float | Sequence[str]
Attributes = dict[str, Value]

OPERATIONS = {
    "openai.chat": "chat",
    "openai.responses": "chat",
    "anthropic.messages": "chat",
    "openai.embeddings": "embeddings",
}
"""Wire → operation; others are none of a model's."""
PROVIDERS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x_ai",
    "api.perplexity.ai": "perplexity",
    "api.cohere.com": "cohere",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
"""Host → the name of a provider; others go by theirs in the configuration."""
AZURE = ".openai.azure.com"

TOKEN_USAGE, TOKEN_BOUNDS = "gen_ai.client.token.usage", tuple(4**n for n in range(14))
DURATION, DURATION_BOUNDS = "gen_ai.client.operation.duration", tuple(0.01 * 2**n for n in range(14))


class Peer(NamedTuple):
    """Who a provider of the configuration is."""

    name: str
    address: str
    port: int


def peer(name: str, base_url: str) -> Peer:
    """From its name and address in the configuration."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    known = "azure.ai.openai" if host.endswith(AZURE) else PROVIDERS.get(host, name)
    return Peer(known, host, parts.port or (80 if parts.scheme == "http" else 443))


def of_request(settled: Settled) -> Attributes:
    """What is said of a request: what farthing did with it."""
    found: dict[str, Value | None] = {
        "url.path": settled.path,
        "http.response.status_code": settled.status,
        "error.type": _error(settled.error, settled.status),
        "gen_ai.conversation.id": settled.caller.session,
        "farthing.request.id": settled.id,
        "farthing.tenant": settled.caller.tenant,
        "farthing.feature": settled.caller.feature,
        "farthing.cache": settled.cache,
        "farthing.cost.nano_usd": settled.cost_nano,
        "farthing.baseline.nano_usd": settled.baseline_nano,
        "farthing.overhead_us": settled.overhead_us,
    }
    return _known(found)


def of_call(settled: Settled, call: Call, peers: Mapping[str, Peer]) -> Attributes:
    """What is said of a provider call."""
    usage = call.usage
    found: dict[str, Value | None] = {
        **of_metrics(settled, call, peers),
        "gen_ai.request.stream": settled.stream,
        "gen_ai.conversation.id": settled.caller.session,
        "gen_ai.response.finish_reasons": None if call.finish_reason is None else (call.finish_reason,),
        "gen_ai.response.time_to_first_chunk": None if call.ttft_us is None else call.ttft_us / 1e6,
        "gen_ai.usage.input_tokens": None if usage is None else usage.prompt_tokens,
        "gen_ai.usage.output_tokens": None if usage is None else output_tokens(call),
        "gen_ai.usage.cache_read.input_tokens": None if usage is None else usage.cache_read + usage.cache_read_audio,
        "gen_ai.usage.cache_creation.input_tokens": None
        if usage is None
        else usage.cache_write_5m + usage.cache_write_1h,
        "gen_ai.usage.reasoning.output_tokens": None if usage is None else usage.reasoning or None,
        "http.response.status_code": call.status,
        "farthing.call.id": call.id,
        "farthing.call.purpose": call.purpose,
        "farthing.cost.nano_usd": call.cost_nano,
        "farthing.cost.source": call.cost_source,
        "farthing.price.version": call.price_version,
    }
    return _known(found)


def of_metrics(settled: Settled, call: Call, peers: Mapping[str, Peer]) -> Attributes:
    """The few that the values of a metric are told apart by."""
    known = peers.get(call.provider)
    found: dict[str, Value | None] = {
        "gen_ai.operation.name": operation(settled),
        "gen_ai.provider.name": known.name if known else call.provider,
        "gen_ai.request.model": call.model,
        "gen_ai.response.model": call.model_reported,
        "server.address": known.address if known else None,
        "server.port": known.port if known else None,
        "error.type": _error(call.error, call.status),
    }
    return _known(found)


def operation(settled: Settled) -> str | None:
    """What the model was asked to do; ``None``: no model was asked."""
    return OPERATIONS.get(settled.wire)


def output_tokens(call: Call) -> int:
    """All that came out; 0 where it is not known."""
    return 0 if call.usage is None else call.usage.output + call.usage.output_audio + call.usage.output_image


def _error(error: str | None, status: int | None) -> str | None:
    return error or (str(status) if status is not None and status >= 400 else None)


def _known(found: Mapping[str, Value | None]) -> Attributes:
    return {name: value for name, value in found.items() if value is not None}
