"""The errors of both providers, in their own words and shapes."""

from __future__ import annotations

from farthing.simulator.call import Json, Refusal
from farthing.types import Api


def error_body(api: Api, refusal: Refusal, request_id: str) -> Json:
    """The JSON that the client gets."""
    if api == "anthropic":
        error = {"type": refusal.type, "message": refusal.message}
        return {"type": "error", "error": error, "request_id": request_id}
    return {
        "error": {
            "message": refusal.message,
            "type": refusal.type,
            "param": refusal.param,
            "code": refusal.code,
        }
    }


def invalid(message: str, *, code: str | None = None, param: str | None = None) -> Refusal:
    """400: the request is not what the API takes."""
    return Refusal(400, message, type="invalid_request_error", code=code, param=param)


def unauthenticated(api: Api, key: str | None) -> Refusal:
    """401: no key, or an unknown one."""
    if api == "anthropic":
        message = "x-api-key header is required" if key is None else "invalid x-api-key"
        return Refusal(401, message, type="authentication_error")
    if key is None:
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
            "auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
        return Refusal(401, message, type="invalid_request_error")
    shown = key if len(key) < 8 else f"{key[:4]}****{key[-4:]}"
    return Refusal(401, f"Incorrect API key provided: {shown}.", type="invalid_request_error", code="invalid_api_key")


def unknown_model(api: Api, name: str) -> Refusal:
    """404: no such model on this API."""
    if api == "anthropic":
        return Refusal(404, f"model: {name}", type="not_found_error")
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Refusal(404, message, type="invalid_request_error", code="model_not_found")


def unknown_path(api: Api, method: str, path: str) -> Refusal:
    """404: no such endpoint."""
    if api == "anthropic":
        return Refusal(404, f"Not found: {method} {path}", type="not_found_error")
    return Refusal(404, f"Invalid URL ({method} {path})", type="invalid_request_error")


def too_large(api: Api) -> Refusal:
    """413: the body is over the limit."""
    if api == "anthropic":
        return Refusal(413, "Request exceeds the maximum size", type="request_too_large")
    return Refusal(413, "Request body is too large.", type="invalid_request_error", code="request_too_large")


def too_long(api: Api, prompt: int, output: int, window: int) -> Refusal:
    """400: prompt (and output) do not fit the window."""
    if api == "anthropic":
        return invalid(f"prompt is too long: {prompt} tokens > {window} maximum")
    message = (
        f"This model's maximum context length is {window} tokens. However, your messages resulted in {prompt} tokens"
        + (f" and {output} tokens were asked for in the completion" if output else "")
        + ". Please reduce the length of the messages."
    )
    return invalid(message, code="context_length_exceeded", param="messages")


def rate_limited(api: Api, model: str, what: str, limit: int, wait: float) -> Refusal:
    """429: over ``requests`` or ``tokens`` per minute; try again in so many seconds."""
    if api == "anthropic":
        message = f"This request would exceed your rate limit of {limit} {what} per minute (model: {model})."
        refusal = Refusal(429, message, type="rate_limit_error")
        refusal.headers = {"retry-after": str(max(1, round(wait + 0.5)))}
        return refusal
    short = "RPM" if what == "requests" else "TPM"
    message = (
        f"Rate limit reached for {model} in organization org-simulated on {what} per min ({short}): Limit {limit}. "
        f"Please try again in {wait:.3f}s."
    )
    refusal = Refusal(429, message, type=what, code="rate_limit_exceeded")
    refusal.headers = {"retry-after": str(max(1, round(wait + 0.5))), "retry-after-ms": str(max(1, round(wait * 1000)))}
    return refusal


def limited(api: Api, model: str, retry_after_ms: int | None) -> Refusal:
    """429 on demand; without a wait no header tells one."""
    refusal = rate_limited(api, model, "requests", 60, (retry_after_ms or 0) / 1000)
    if retry_after_ms is None:
        refusal.headers = {}
    elif api == "anthropic":  # in whole seconds, as theirs are; 0: at once
        refusal.headers = {"retry-after": str(round(retry_after_ms / 1000))}
    return refusal


def fault(api: Api, name: str) -> Refusal:
    """A refusal that a fault asks for: ``error``, ``overloaded`` or ``quota``."""
    if name == "quota":
        if api == "anthropic":
            message = "Your credit balance is too low to access the Anthropic API."
            return invalid(message)
        message = "You exceeded your current quota, please check your plan and billing details."
        return Refusal(429, message, type="insufficient_quota", code="insufficient_quota")
    if name == "overloaded":
        if api == "anthropic":
            return Refusal(529, "Overloaded", type="overloaded_error")
        message = "The engine is currently overloaded, please try again later"
        return Refusal(503, message, type="service_unavailable_error", code="engine_overloaded")
    if api == "anthropic":
        return Refusal(500, "Internal server error", type="api_error")
    message = "The server had an error while processing your request. Sorry about that!"
    return Refusal(500, message, type="server_error")
