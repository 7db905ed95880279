"""Who asks, and for what: headers of farthing and of its peers, then fields of the body."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.types import Caller, Facts, Headers

LIMIT = 256
USER = ("x-farthing-user", "helicone-user-id", "x-litellm-end-user-id", "x-litellm-customer-id")
FEATURE = ("x-farthing-feature", "helicone-property-feature")
SESSION = ("x-farthing-session", "helicone-session-id", "x-portkey-trace-id")
PREFIXES = (b"x-farthing-", b"helicone-", b"x-litellm-", b"x-portkey-")
PROPERTY = "helicone-property-"

_metadata = msgspec.json.Decoder(dict[str, object])


def named_headers(headers: Headers) -> dict[str, str]:
    """The headers that farthing reads; of a name that occurs twice, the first."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name.startswith(PREFIXES):
            found.setdefault(name.decode("latin-1"), _text(value))
    return found


def caller_of(named: Mapping[str, str], facts: Facts, key_tenant: str | None) -> Caller:
    """The caller by the order of the contract; a key's own tenant is the tenant."""
    if not named:
        return Caller(tenant=key_tenant or "default", user=_trim(facts.user), feature=_trim(facts.feature))
    portkey = _portkey(named.get("x-portkey-metadata"))
    return Caller(
        tenant=key_tenant or _trim(named.get("x-farthing-tenant")) or "default",
        user=_first(named, USER) or _trim(portkey.get("_user")) or _trim(facts.user),
        feature=_first(named, FEATURE) or _trim(portkey.get("feature")) or _trim(facts.feature),
        session=_first(named, SESSION),
        tags=_tags(named),
    )


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _trim(text: str | None) -> str | None:
    return (text.strip()[:LIMIT] or None) if text else None


def _first(named: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := _trim(named.get(name)))), None)


def _portkey(raw: str | None) -> dict[str, str]:
    try:
        fields = _metadata.decode(raw) if raw else {}
    except msgspec.DecodeError:
        return {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _tags(named: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    tags: dict[str, str] = {}
    for part in named.get("x-farthing-tags", "").split(","):
        name, _, value = part.partition("=")
        if name.strip():
            tags[name.strip()[:LIMIT]] = value.strip()[:LIMIT]
    for name, value in named.items():
        if name.startswith(PROPERTY) and name not in FEATURE:
            tags.setdefault(name.removeprefix(PROPERTY)[:LIMIT], value.strip()[:LIMIT])
    for part in named.get("x-litellm-tags", "").split(","):
        if part.strip():
            tags.setdefault(part.strip()[:LIMIT], "")
    return tuple(tags.items())
