"""farthing's own errors in the shape of the API that the client speaks."""

from __future__ import annotations

import msgspec

from farthing.types import Api
from farthing.wire import sse

_ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_body(api: Api, status: int, code: str, message: str) -> bytes:
    """The JSON body of an error reply; ``code`` starts with ``farthing_``.

    >>> error_body("anthropic", 404, "farthing_no_such_route", "…").decode()
    '{"type":"error","error":{"type":"not_found_error","message":"…","code":"farthing_no_such_route"}}'
    """
    if api == "anthropic":
        error = {"type": _anthropic_type(status), "message": message, "code": code}
        return msgspec.json.encode({"type": "error", "error": error})
    kind = _openai_type(status)
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": code}})


def error_event(api: Api, code: str, message: str) -> bytes:
    """An event that tells of a failure after the stream has begun. The official clients raise on it."""
    body = error_body(api, 500, code, message)
    return sse.render(body, "error" if api == "anthropic" else None)


def _anthropic_type(status: int) -> str:
    return _ANTHROPIC_TYPES.get(status, "invalid_request_error" if 400 <= status < 500 else "api_error")


def _openai_type(status: int) -> str:
    if status >= 500:
        return "server_error"
    return {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
