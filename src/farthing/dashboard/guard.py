"""Who may look: the checks on Host and Origin that keep a web page in the same browser out. Pure.

A loopback address is no protection by itself: any site can point its own name at 127.0.0.1 (DNS rebinding) or send a
request there (CSRF). So the name in ``Host`` must be one of ours, and an ``Origin`` must be the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
METHODS = ("GET", "HEAD")

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@/\\\s]+)(?::\d{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://(.+)", re.IGNORECASE)

Headers = Sequence[tuple[bytes, bytes]]

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


def host_name(value: str) -> str | None:
    """The name in a ``Host`` header, in lower case and without its port; ``None`` if it is none."""
    match = _HOST.fullmatch(value)
    return match[1].lower().rstrip(".") if match else None


def allowed_names(hosts: Iterable[str]) -> frozenset[str]:
    """The names to answer to: loopback and ``hosts`` (names or addresses, IPv6 with or without brackets)."""
    named = (f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host for host in hosts)
    return frozenset(LOOPBACK) | {host.lower().rstrip(".") for host in named if host}


def refusal(headers: Headers, allowed: frozenset[str]) -> str | None:
    """Why a request with these headers is refused, or ``None``."""
    hosts = _values(headers, b"host")
    if len(hosts) != 1:
        return "There must be exactly one Host header."
    if host_name(hosts[0]) not in allowed:
        return (
            f"Host {hosts[0]!r} is not a name that this dashboard answers to ({', '.join(sorted(allowed))}). "
            "Open it under one of these, or set [server] host to the name that you use."
        )
    return next((_foreign(origin) for origin in _values(headers, b"origin") if not _same(origin, hosts[0])), None)


def _foreign(origin: str) -> str:
    return f"Origin {origin!r} is not this dashboard: pages of other sites may not read it."


def _same(origin: str, host: str) -> bool:
    match = _ORIGIN.fullmatch(origin)
    return match is not None and match[1].lower() == host.lower()


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in headers if key.lower() == name]
