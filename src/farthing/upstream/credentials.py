"""Whose key opens the provider's door, and which headers go through."""

from __future__ import annotations

from farthing.types import Api, Headers

VIRTUAL = "fk-"
"""How a virtual key begins."""

HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_NOT_SENT = HOP_BY_HOP | {b"host", b"content-length", b"accept-encoding", b"expect"}
_OWN = b"x-farthing-"


def presented(headers: Headers) -> str | None:
    """The credential of a client: ``x-api-key``, else the bearer token of ``authorization``."""
    bearer: str | None = None
    for name, value in headers:
        if name == b"x-api-key" and value:
            return value.decode("latin-1")
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = value[7:].strip().decode("latin-1") or None
    return bearer


def outgoing(headers: Headers, api: Api, key: str | None) -> Headers:
    """The headers for the provider: the client's, less hop-by-hop ones and our own, with ``key`` if one is given.

    ``accept-encoding`` is ``identity``: a compressed stream could neither be read nor passed on chunk by chunk.
    """
    dropped = _NOT_SENT | {b"authorization", b"x-api-key"} if key else _NOT_SENT
    sent = [(name, value) for name, value in headers if name not in dropped and not name.startswith(_OWN)]
    if key:
        secret = key.encode("latin-1")
        sent.append((b"x-api-key", secret) if api == "anthropic" else (b"authorization", b"Bearer " + secret))
    sent.append((b"accept-encoding", b"identity"))
    return sent


def returned(headers: Headers, *, whole: bool = False) -> Headers:
    """The provider's headers for the client. ``whole``: every byte of the body is passed on and none is added, so that
    its length still holds.
    """
    return [(name, value) for name, value in headers if name not in HOP_BY_HOP and (whole or name != b"content-length")]
