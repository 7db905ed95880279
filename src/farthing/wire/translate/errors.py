"""What a provider refuses with, in the other API's words: status, type, code, headers. Pure.

Official clients choose the class that they raise by the status, and programs look at type and code; so each kind of
failure has the row that its API would have sent.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

import msgspec

from farthing.types import Api, Headers
from farthing.wire import sse
from farthing.wire.errors import error_body
from farthing.wire.reading import Json, loads, mapping, objects, string
from farthing.wire.too_long import TooLong, too_long
from farthing.wire.translate.answer import Failed


class Kind(msgspec.Struct, frozen=True, gc=False):
    """How each API tells of one kind of failure."""

    anthropic: tuple[int, str]
    """Status and type."""
    openai: tuple[int, str, str | None]
    """Status, type and code."""


_INVALID = Kind((400, "invalid_request_error"), (400, "invalid_request_error", None))
_TOO_LONG = Kind((400, "invalid_request_error"), (400, "invalid_request_error", "context_length_exceeded"))
_NO_KEY = Kind((401, "authentication_error"), (401, "invalid_request_error", "invalid_api_key"))
_UNPAID = Kind((402, "billing_error"), (429, "insufficient_quota", "insufficient_quota"))
_FORBIDDEN = Kind((403, "permission_error"), (403, "invalid_request_error", "permission_denied"))
_UNKNOWN = Kind((404, "not_found_error"), (404, "invalid_request_error", "model_not_found"))
_TOO_LARGE = Kind((413, "request_too_large"), (413, "invalid_request_error", "request_too_large"))
_LIMITED = Kind((429, "rate_limit_error"), (429, "requests", "rate_limit_exceeded"))
_BROKEN = Kind((500, "api_error"), (500, "server_error", None))
_OVERLOADED = Kind((529, "overloaded_error"), (503, "service_unavailable_error", "server_is_overloaded"))
_TIMEOUT = Kind((504, "timeout_error"), (504, "server_error", "timeout"))

_WORDS: Final[tuple[tuple[Kind, str], ...]] = (
    (_TOO_LONG, "context_length_exceeded"),
    (_NO_KEY, "invalid_api_key authentication_error unauthenticated"),
    (_UNPAID, "insufficient_quota billing_error billing_hard_limit_reached billing_not_active"),
    (_FORBIDDEN, "permission_error permission_denied unsupported_country_region_territory"),
    (_UNKNOWN, "model_not_found not_found_error not_found"),
    (_TOO_LARGE, "request_too_large"),
    (_LIMITED, "rate_limit_exceeded rate_limit_error resource_exhausted tokens requests"),
    (_OVERLOADED, "overloaded_error server_is_overloaded slow_down service_unavailable_error engine_overloaded"),
    (_OVERLOADED, "unavailable resource_unavailable capacity_exceeded"),
    (_TIMEOUT, "timeout timeout_error deadline_exceeded"),
)
_BY_WORD: Final = {word: kind for kind, words in _WORDS for word in words.split()}
"""Codes and types of OpenAI, Anthropic, Gemini and Groq. General ones are missing: there the status says more."""
_BY_STATUS: Final = {
    401: _NO_KEY,
    402: _UNPAID,
    403: _FORBIDDEN,
    404: _UNKNOWN,
    408: _TIMEOUT,
    413: _TOO_LARGE,
    429: _LIMITED,
    498: _OVERLOADED,
    503: _OVERLOADED,
    504: _TIMEOUT,
    529: _OVERLOADED,
}
_GENERAL: Final = frozenset({"invalid_request_error", "api_error", "server_error", "error"})
"""Words that stand where an error has no code of its own."""
_NO_CREDIT = re.compile("credit balance is too low", re.IGNORECASE)
_MOST_TEXT = 2_000
"""Characters of a body that is no error object."""


def failure(api: Api, status: int, body: bytes) -> Failed:
    """An error reply. ``code`` is the provider's own word, the most special one; the message is never empty."""
    reply = loads(body)
    error = _error(reply)
    said = string(error.get("message")) or string(error.get("detail")) or string(mapping(reply).get("error"))
    message = said or body.decode("utf-8", "replace").strip()[:_MOST_TEXT] or _phrase(status)
    names = ("type",) if api == "anthropic" else ("code", "type", "status")
    return Failed(status, next((word for name in names if (word := string(error.get(name)))), None), message)


def streamed(api: Api, data: bytes) -> Failed:
    """An error inside a stream; its status is what the API would have answered with."""
    failed = failure(api, 0, data)
    kind = _kind(failed)
    return msgspec.structs.replace(failed, status=(kind.anthropic if api == "anthropic" else kind.openai)[0])


def rendered(api: Api, failed: Failed) -> tuple[int, bytes]:
    """Status and body of the error as this API would have answered. farthing's own codes are kept."""
    if (failed.code or "").startswith("farthing_"):
        return failed.status, error_body(api, failed.status, failed.code or "", failed.message)
    kind = _kind(failed)
    message = failed.message if kind is not _TOO_LONG else _too_long(api, failed)
    if api == "anthropic":
        status, name = kind.anthropic
        body: Json = {"type": "error", "error": {"type": name, "message": message}}
    else:
        status, name, code = kind.openai
        if kind is _LIMITED and "token" in message.lower():
            name = "tokens"
        own = failed.code if kind in (_INVALID, _BROKEN) and failed.code not in _GENERAL else None
        body = {"error": {"message": message, "type": name, "param": None, "code": code or own}}
    return _status(kind, failed.status, status), msgspec.json.encode(body)


def event(api: Api, failed: Failed) -> bytes:
    """The event by which a stream of this API tells of the failure. The official clients raise on it."""
    return sse.render(rendered(api, failed)[1], "error" if api == "anthropic" else None)


_BOTH: Final = frozenset(
    {b"date", b"content-type", b"retry-after", b"retry-after-ms", b"x-should-retry", b"server-timing"}
)
_ID: Final[dict[Api, bytes]] = {"openai": b"x-request-id", "anthropic": b"request-id"}
_OF_THE_BYTES: Final = frozenset({b"content-length", b"content-encoding", b"transfer-encoding"})


def crossing_headers(headers: Headers, from_api: Api, to_api: Api) -> Headers:
    """The headers of a reply that mean the same in the client's API; the request's id under the name it has there.

    The limits of another provider's account are not the client's. What belongs to the bytes never crosses.
    """
    if from_api == to_api:
        return [(name, value) for name, value in headers if name not in _OF_THE_BYTES]
    known = _ID[from_api]
    return [
        (_ID[to_api] if name == known else name, value) for name, value in headers if name in _BOTH or name == known
    ]


def _kind(failed: Failed) -> Kind:
    word = _BY_WORD.get((failed.code or "").lower())
    if word is not None:
        return word
    if _NO_CREDIT.search(failed.message):
        return _UNPAID
    if _lengths(failed) is not None:
        return _TOO_LONG
    status = failed.status or (400 if failed.code == "invalid_request_error" else 500)
    return _BY_STATUS.get(status, _INVALID if 400 <= status < 500 else _BROKEN)


def _status(kind: Kind, given: int, usual: int) -> int:
    """Conflicts, bad gateways and the like have no kind of their own and keep their status."""
    if kind is _INVALID and 400 <= given < 500:
        return given
    return given if kind is _BROKEN and given >= 500 else usual


def _lengths(failed: Failed) -> TooLong | None:
    return too_long(failed.status or 400, failed.code, failed.message.encode())


def _too_long(api: Api, failed: Failed) -> str:
    """The words that programs look for: Anthropic has no code for it."""
    found = _lengths(failed)
    tokens, window = (found.tokens, found.window) if found else (None, None)
    if api == "anthropic":
        if "prompt is too long" in failed.message:
            return failed.message
        known = tokens is not None and window is not None
        return f"prompt is too long: {f'{tokens} tokens > {window} maximum' if known else failed.message}"
    if window is None or "maximum context length" in failed.message:
        return failed.message
    ours = f"However, your messages resulted in {tokens} tokens. " if tokens is not None else ""
    return f"This model's maximum context length is {window} tokens. {ours}Please reduce the length of the messages."


def _error(reply: object) -> Json:
    """The error object, wherever it is: Gemini puts the reply into a list, vLLM has no object around it."""
    outer = mapping(next(iter(objects(reply)), reply))
    return mapping(outer.get("error")) or outer


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"error {status}"
