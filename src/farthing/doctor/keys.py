"""Keys: of the providers, as they stand in the environment, and farthing's own. No key is ever shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from farthing.doctor.finding import Finding, bad, ok, warn
from farthing.errors import StoreError
from farthing.limits.keys import KeyRing
from farthing.policy import Policy, Provider, presets
from farthing.policy.provider import BUILT_IN
from farthing.upstream.credentials import VIRTUAL

SHORTEST = 16
BEGINNINGS: Mapping[str, str] = {"api.anthropic.com": "sk-ant-", "api.openai.com": "sk-"}
"""Host → how its keys begin."""
PLACEHOLDERS = ("your", "changeme", "xxx", "...", "<", "placeholder", "todo")


def provider_keys(policy: Policy, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether every provider's key is there, and may be one."""
    for name, provider in policy.providers.items():
        for variable in filter(None, (provider.api_key_env, *provider.api_key_envs)):
            yield _provider_key(name, provider, variable, environ.get(variable))
    for name, lack in presets.waiting(environ):
        if name not in policy.providers:
            yield warn(
                f"key {name}", f"the key is set, but {lack}", f"without it {name}/… is not served; or unset the key"
            )


def _provider_key(name: str, provider: Provider, variable: str, key: str | None) -> Finding:
    check = f"key {name}"
    if not key:
        said = f"{variable} is not set: only clients with a key of their own are served"
        if name in BUILT_IN and provider == BUILT_IN[name]:
            return ok(check, said)
        return warn(check, said, f"set {variable}, or put it into the file of --env-file")
    if problem := key_problem(key, urlsplit(provider.base_url).hostname or ""):
        return warn(check, f"the key in {variable} {problem}", f"look at {variable}: copied whole, and the right one?")
    return ok(check, f"{variable} is set")


def key_problem(key: str, host: str) -> str | None:
    """Why this text cannot be a key for this host, without showing it; ``None`` if it may be."""
    if key != key.strip() or any(one.isspace() for one in key):
        return "has spaces or line breaks in it"
    if not key.isascii() or key[0] in "'\"":
        return "has quotes or other characters that no key has"
    if key.startswith(VIRTUAL):
        return "is one of farthing's own (fk-…), not the provider's"
    if len(key) < SHORTEST:
        return f"has only {len(key)} characters"
    if any(word in key.lower() for word in PLACEHOLDERS):
        return "looks like the placeholder of an example"
    expected = BEGINNINGS.get(host)
    if expected and not key.startswith(expected):
        return f"does not begin with {expected} as those of {host} do"
    if host != "api.anthropic.com" and key.startswith(BEGINNINGS["api.anthropic.com"]) and host in BEGINNINGS:
        return "is one of Anthropic's"
    return None


def virtual_keys(policy: Policy) -> Iterator[Finding]:
    """Whether there are any, and whether there have to be."""
    check, path = "virtual keys", Path(policy.store.keys)
    try:
        valid = [key for key in KeyRing(path).all() if key.revoked is None]
    except StoreError as problem:
        yield bad(check, str(problem), f"restore {path} from a copy, or move it away and make new keys")
        return
    admins = sum(key.role == "admin" for key in valid)
    said = f"{len(valid)} valid, {admins} of them for the dashboard"
    if policy.server.is_loopback or admins:
        yield ok(check, said)
    elif not valid:
        yield bad(
            check,
            f"none, and {policy.server.host} is reachable from other machines: farthing does not start",
            "farthing keys create --tenant NAME, or listen on 127.0.0.1",
        )
    else:
        yield warn(
            check, said, "farthing keys create --admin --tenant NAME, else nobody sees the dashboard from outside"
        )
