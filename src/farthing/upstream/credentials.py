"""Whose key opens the provider's door, and which headers go through."""

from __future__ import annotations

from farthing.policy.provider import Auth
from farthing.types import Headers

VIRTUAL = "fk-"
"""How a virtual key begins."""

HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_NOT_SENT = HOP_BY_HOP | {b"host", b"content-length", b"accept-encoding", b"expect"}
_OWN = b"x-farthing-"
_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"api-key"})
NO_KEY = ""
"""In place of a key: the provider takes none."""


def presented(headers: Headers) -> str | None:
    """The credential of a client: ``x-api-key``, else ``api-key``, else the bearer token of ``authorization``."""
    found: dict[bytes, str] = {}
    for name, value in headers:
        if name in (b"x-api-key", b"api-key") and value:
            found[name] = value.decode("latin-1")
        elif name == b"authorization" and value[:7].lower() == b"bearer " and (token := value[7:].strip()):
            found[name] = token.decode("latin-1")
    return found.get(b"x-api-key") or found.get(b"api-key") or found.get(b"authorization")


def outgoing(headers: Headers, auth: Auth, key: str | None) -> Headers:
    """The headers for the provider: the client's, less hop-by-hop ones and our own, with ``key`` if one is given.

    ``key`` ``None``: the client's own goes through, unless the provider takes none. ``accept-encoding`` is
    ``identity``: a compressed stream could neither be read nor passed on chunk by chunk.
    """
    dropped = _NOT_SENT if key is None and auth != "none" else _NOT_SENT | _CREDENTIALS
    sent = [(name, value) for name, value in headers if name not in dropped and not name.startswith(_OWN)]
    if key and auth != "none":
        secret = key.encode("latin-1")
        sent.append((b"authorization", b"Bearer " + secret) if auth == "bearer" else (auth.encode(), secret))
    sent.append((b"accept-encoding", b"identity"))
    return sent


def returned(headers: Headers, *, whole: bool = False) -> Headers:
    """The provider's headers for the client. ``whole``: every byte of the body is passed on and none is added, so that
    its length still holds.
    """
    return [(name, value) for name, value in headers if name not in HOP_BY_HOP and (whole or name != b"content-length")]
