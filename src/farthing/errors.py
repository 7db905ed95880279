"""The error tree. Every message names the thing and the way out.

FarthingError
 ├─ ConfigError       a setting is wrong: names key, line and what is allowed
 ├─ StoreError        the ledger's or the cache's files cannot be used
 ├─ PriceError        a price file cannot be used
 ├─ StatementError    a provider's statement cannot be read
 └─ RequestError      the client gets an error in its own API's shape
     ├─ BadRequest         400: the body is not what the API takes
     ├─ Unauthenticated    401: no credential, or an unknown virtual key
     ├─ NoSuchRoute        404: no provider serves this path or model
     ├─ TooLarge           413: the body is over the limit
     ├─ RateLimited        429: a limit of our own is used up, and the wait would be too long
     └─ UpstreamError      502/504: the provider cannot be reached or broke off
"""

from __future__ import annotations

from math import ceil


class FarthingError(Exception):
    """Anything farthing raises on purpose."""


class ConfigError(FarthingError):
    """A setting is wrong; the message names key, line and what is allowed."""


class StoreError(FarthingError):
    """The files of the ledger or the cache cannot be used."""


class PriceError(FarthingError):
    """A price file cannot be used."""


class StatementError(FarthingError):
    """A provider's statement cannot be read; the message names file and place."""


class RequestError(FarthingError):
    """Something a client is told, in the shape of the API that it speaks.

    ``code`` starts with ``farthing_``; ``status`` is the HTTP status.
    """

    status = 500
    code = "farthing_internal_error"

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What else the client is told."""
        return []


class BadRequest(RequestError):
    """The body is not what the API takes."""

    status = 400
    code = "farthing_bad_request"


class Unauthenticated(RequestError):
    """There is no credential, or a virtual key that is not known."""

    status = 401
    code = "farthing_unauthenticated"


class NoSuchRoute(RequestError):
    """No configured provider serves this path or model."""

    status = 404
    code = "farthing_no_such_route"


class TooLarge(RequestError):
    """The body is over the configured limit."""

    status = 413
    code = "farthing_request_too_large"


class RateLimited(RequestError):
    """A limit that is set for a provider is used up, and waiting would take too long."""

    status = 429
    code = "farthing_rate_limited"

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """When to come back; both official clients obey it."""
        after = max(0.001, self.retry_after_s)
        return [(b"retry-after", b"%d" % ceil(after)), (b"retry-after-ms", b"%d" % ceil(after * 1000))]


class UpstreamError(RequestError):
    """The provider cannot be reached, or its reply broke off before it began."""

    status = 502
    code = "farthing_upstream_unreachable"
