"""The providers over the network, by the way that requests take: name, TLS, key, and whose clock is right.

One free call each, ``GET /v1/models``.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from itertools import product

from farthing.doctor.finding import Finding, bad, ok, warn
from farthing.errors import UpstreamError
from farthing.policy import Policy, Provider
from farthing.policy.units import seconds
from farthing.types import Clock, Headers
from farthing.upstream.credentials import outgoing
from farthing.upstream.pool import Cut, Pool, open_pool
from farthing.upstream.targets import base_of

TIMEOUT_S = 10.0
SKEW_S = 5.0
"""A provider's clock is told in whole seconds, and a reply takes a while."""
VERSION = (b"anthropic-version", b"2023-06-01")


async def providers(
    policy: Policy, environ: Mapping[str, str], clock: Clock, monotonic: Callable[[], float]
) -> AsyncIterator[Finding]:
    """Every endpoint with every key that there is, and the clock."""
    pool = open_pool(
        connect_timeout=min(TIMEOUT_S, seconds(policy.server.connect_timeout)),
        read_timeout=TIMEOUT_S,
        environ=environ,
        monotonic=monotonic,
    )
    skew: list[float] = []
    try:
        for name, one in policy.providers.items():
            if one.via is not None:
                yield ok(f"provider {name}", "is asked through LiteLLM, which has no call that is free: not tried")
                continue
            variables = [v for v in (one.api_key_env, *one.api_key_envs) if v and environ.get(v)] or [None]
            for url, variable in product((one.base_url, *one.base_urls), variables):
                key = environ[variable].strip() if variable else None
                yield await _asked(pool, f"provider {name}", one, url, key, variable, lambda at: _note(skew, at, clock))
    finally:
        await pool.close()
    for one in clock_skew(skew):
        yield one


async def _asked(
    pool: Pool,
    check: str,
    provider: Provider,
    url: str,
    key: str | None,
    variable: str | None,
    note: Callable[[Headers], None],
) -> Finding:
    base, cut = base_of(url, provider.kind)
    given: Headers = [VERSION] if provider.kind == "anthropic" else []
    pending = None
    try:
        pending = pool.send("GET", base + "/v1/models"[cut:], outgoing(given, provider.scheme, _plain(key)), b"")
        response = await pending.response()
        note(response.headers)
        await response.read()
    except (UpstreamError, Cut) as problem:
        return unreachable(check, url, problem)
    finally:
        if pending is not None:
            pending.close()
    return answered(check, url, response.status, variable)


def _plain(key: str | None) -> str | None:
    """What could not be a header is not sent: the look at the key has said so."""
    return key if key and key.isascii() and key.isprintable() else None


def answered(check: str, url: str, status: int, variable: str | None) -> Finding:
    """What a status means. ``variable``: whose key was sent, if any was."""
    if status < 300:
        return ok(check, f"{url} answers" + (f" and takes the key in {variable}" if variable else ""))
    if status == 407:
        return bad(check, f"the proxy before {url} wants a login (407)", "put user and password into HTTPS_PROXY")
    if status in {401, 403}:
        if variable is None:
            return ok(check, f"{url} answers, and wants a key ({status})")
        return bad(check, f"{url} refuses the key in {variable} ({status})", f"put a valid key into {variable}")
    if status == 429:
        return warn(check, f"{url} answers that its limit is reached (429)", "look at the account's limits and credit")
    if status in {404, 405}:
        return warn(check, f"{url} has no list of models ({status})", "if calls fail as well, check its base_url")
    return warn(check, f"{url} answers with {status}", "try again later; look at the provider's status page")


def unreachable(check: str, url: str, problem: Exception) -> Finding:
    """Why there is no answer, as far as the chain of causes tells."""
    causes = list(_causes(problem))
    if any(isinstance(one, socket.gaierror) for one in causes):
        return bad(
            check, f"the name in {url} is not known (DNS)", "check base_url, and the name server of this machine"
        )
    if any(isinstance(one, ssl.SSLError | ssl.CertificateError) for one in causes):
        return bad(
            check,
            f"no TLS with {url}: {problem}",
            "check base_url; behind a proxy that opens TLS, SSL_CERT_FILE names its certificate",
        )
    if "proxy" in str(problem).lower() or any("Proxy" in type(one).__name__ for one in causes):
        return bad(check, f"{url} cannot be reached through the proxy: {problem}", "check HTTPS_PROXY and NO_PROXY")
    return bad(check, f"{url} cannot be reached: {problem}", "check base_url, firewall and network")


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def _note(skew: list[float], headers: Headers, clock: Clock) -> None:
    told = next((value.decode("latin-1") for name, value in headers if name == b"date"), None)
    try:
        if told is not None:
            skew.append(clock() - parsedate_to_datetime(told).timestamp())
    except ValueError:
        return


def clock_skew(skew: list[float]) -> Iterator[Finding]:
    """``skew``: by how many seconds this machine's clock is ahead of each provider's."""
    if not skew:
        return
    least = min(skew, key=abs)  # a provider may be wrong, but not all
    if abs(least) <= SKEW_S:
        yield ok("clock", "agrees with the providers'")
        return
    side = "ahead of" if least > 0 else "behind"
    yield warn(
        "clock",
        f"{abs(least):,.0f} s {side} the providers'",
        "let the machine keep time (NTP): days and hours of the ledger, and what the cache may serve, go by it",
    )
