"""What LiteLLM is handed, and what it says, in the words of OpenAI's chat API. Pure.

LiteLLM's own settings are arguments beside those of a request (``api_base``, ``mock_response``, …), so that a client
could send a company's key elsewhere: only fields of the API go through.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

import msgspec

from farthing.errors import BadRequest, UpstreamError
from farthing.types import Headers

FIELDS = frozenset({
    "messages", "stream", "stream_options", "temperature", "top_p", "n", "stop", "max_tokens", "max_completion_tokens",
    "modalities", "prediction", "audio", "presence_penalty", "frequency_penalty", "logit_bias", "user",
    "response_format", "seed", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls", "logprobs",
    "top_logprobs", "reasoning_effort", "thinking", "top_k", "web_search_options", "service_tier", "prompt_cache_key",
    "prompt_cache_retention", "safety_identifier", "verbosity", "store",
})  # fmt: skip
COSMETIC = frozenset({
    "user", "seed", "parallel_tool_calls", "service_tier", "prompt_cache_key", "prompt_cache_retention",
    "safety_identifier", "verbosity", "store",
})  # fmt: skip
"""Left out where LiteLLM says that the provider does not take it: the answer is none the worse. For anything else it
refuses the request."""
NOT_SAID = frozenset({"model", "metadata"})
"""``metadata`` is a label in OpenAI's own store, and means something else to LiteLLM."""
DONE = b"data: [DONE]\n\n"
JSON_HEADERS: Headers = [(b"content-type", b"application/json")]
EVENT_HEADERS: Headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
SHOWN = ("retry-after", "retry-after-ms", "x-request-id", "request-id", "x-should-retry")
"""Headers of the provider that are passed on."""
_ORIGINAL = "llm_provider-"
HIDDEN = "***"

Json = Mapping[str, Any]


def arguments(body: bytes) -> tuple[str, dict[str, Any]]:
    """The model, and the fields of a request. Raises ``BadRequest``."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as problem:
        raise BadRequest(f"the body is not a JSON object: {problem}") from problem
    model = fields.get("model")
    if not isinstance(model, str) or not isinstance(fields.get("messages"), list):
        raise BadRequest("a chat request has a model and a list of messages")
    if unknown := sorted(fields.keys() - FIELDS - NOT_SAID):
        raise BadRequest(f"{', '.join(unknown)}: cannot be sent through LiteLLM; leave it out")
    return model, {name: value for name, value in fields.items() if name in FIELDS}


def supported(fields: Json, names: Collection[str]) -> dict[str, Any]:
    """The fields without cosmetic ones that the provider does not take."""
    return {name: value for name, value in fields.items() if name in names or name not in COSMETIC}


def reply(said: Json, *, usage: bool = True) -> bytes:
    """A reply or a chunk of a stream. ``usage``: whether the provider itself has told it."""
    found = {name: value for name, value in said.items() if value is not None and name != "usage"}
    found["choices"] = [_choice(one) for one in said.get("choices") or ()]
    if usage and said.get("usage"):
        found["usage"] = usage_of(said["usage"])
    return msgspec.json.encode(found, enc_hook=str)


def event(said: Json, *, usage: bool = True) -> bytes:
    """A chunk as a line of a stream. One that carries the usage has no choices, as at OpenAI."""
    if said.get("usage"):
        said = {**said, "choices": []}
    return b"data: " + reply(said, usage=usage) + b"\n\n"


def _choice(choice: Json) -> dict[str, Any]:
    found: dict[str, Any] = {"finish_reason": None} | _kept(choice)
    for part in ("message", "delta"):
        if part in found:
            found[part] = ({"content": None} if part == "message" else {}) | _kept(found[part])
    return found


def _kept(said: Json) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None and name != "provider_specific_fields"}


def usage_of(said: Json) -> dict[str, Any]:
    """LiteLLM's usage in OpenAI's words: what Anthropic's models write to a cache has other names there."""
    found, details = _kept(said), _kept(said.get("prompt_tokens_details") or {})
    written = details.get("cache_creation_tokens") or said.get("cache_creation_input_tokens")
    if written and "cache_write_tokens" not in details:
        details["cache_write_tokens"] = written
        split = cast("Json", details.get("cache_creation_token_details") or {})
        details["cache_write_tokens_details"] = {"ttl_12h_tokens": split.get("ephemeral_1h_input_tokens") or 0}
    if not details.get("cached_tokens") and said.get("cache_read_input_tokens"):
        details["cached_tokens"] = said["cache_read_input_tokens"]
    if details:
        found["prompt_tokens_details"] = details
    if went_out := said.get("completion_tokens_details"):
        found["completion_tokens_details"] = _kept(went_out)
    return found


def refusal(problem: Exception, key: str | None) -> tuple[int, Headers, bytes]:
    """An exception as the provider's reply. Raises ``UpstreamError`` where there was none."""
    problem = _original(problem)
    name, status = type(problem).__name__, getattr(problem, "status_code", None)
    text = masked(str(problem), key)
    if name == "Timeout":
        raise UpstreamError(f"no answer in time: {text}", code="farthing_upstream_timeout", status=504) from problem
    if not isinstance(status, int) or status < 400 or name == "APIConnectionError" or _never_answered(problem):
        raise UpstreamError(f"LiteLLM got no answer: {text}", code="farthing_upstream_closed") from problem
    said = {
        "message": text,
        "type": "rate_limit_error" if status == 429 else "invalid_request_error" if status < 500 else "server_error",
        "param": getattr(problem, "param", None),
        "code": _code(problem),
    }
    response = getattr(problem, "response", None)
    own, usual = getattr(problem, "litellm_response_headers", None), getattr(response, "headers", None)
    given: Mapping[str, object] = own or usual or {}
    return status, JSON_HEADERS + shown(given), msgspec.json.encode({"error": said})


def breaks_off(problem: Exception) -> bool:
    """Whether the connection was lost inside a stream, of which LiteLLM may not have passed on anything yet."""
    return problem is not _original(problem) and type(_original(problem)).__name__ == "APIConnectionError"


def _original(problem: Exception) -> Exception:
    """What LiteLLM wraps if it happens inside a stream."""
    found = getattr(problem, "original_exception", None)
    return found if isinstance(found, Exception) else problem


def _code(problem: Exception) -> str | None:
    """OpenAI's code of an error; where LiteLLM has none it says the status again."""
    if type(problem).__name__ == "ContextWindowExceededError":
        return "context_length_exceeded"
    body: object = getattr(problem, "body", None)
    code: object = cast("Json", body).get("code") if isinstance(body, Mapping) else getattr(problem, "code", None)
    return None if code is None or str(code).isdigit() else str(code)


def _never_answered(problem: Exception) -> bool:
    """What the OpenAI client calls a connection error is an error 500 to LiteLLM."""
    return type(problem).__name__ == "InternalServerError" and "Connection error" in str(problem)


def farthing_refusal(status: int, code: str, text: str) -> tuple[int, Headers, bytes]:
    """Our own."""
    said = {"message": text, "type": "invalid_request_error", "param": None, "code": code}
    return status, list(JSON_HEADERS), msgspec.json.encode({"error": said})


def masked(text: str, key: str | None) -> str:
    """Without the key, which some providers repeat in their errors."""
    return text.replace(key, HIDDEN) if key else text


def shown(headers: Mapping[str, object]) -> Headers:
    """The provider's headers that clients, retries and a statement's call numbers need."""
    plain = {name.lower().removeprefix(_ORIGINAL): value for name, value in headers.items()}
    return [(name.encode(), str(plain[name]).encode("latin-1", "replace")) for name in SHOWN if name in plain]
