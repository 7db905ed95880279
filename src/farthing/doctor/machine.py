"""The machine: who answers at the port, and how many files may be open."""

from __future__ import annotations

import http.client
import resource
from collections.abc import Iterator, Sequence

from farthing.doctor.finding import Finding, bad, ok, warn
from farthing.policy import Policy

TIMEOUT_S = 3.0
FEW = 4_096
OURS = b"farthing_no_such_route"


class There:
    """What is at the port: ``None`` nobody, else whether it is farthing and what it says of itself."""

    def __init__(self, *, farthing: bool, ready: str = "") -> None:
        self.farthing, self.ready = farthing, ready


def at_port(policy: Policy) -> There | None:
    """Ask."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(policy.server.host, policy.server.host)  # noqa: S104 - compared
    try:
        farthing = OURS in _get(host, policy.server.port, "/doctor")
        return There(farthing=farthing, ready=_get(host, policy.server.port, "/readyz").decode() if farthing else "")
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException, UnicodeDecodeError):
        return There(farthing=False)


def _get(host: str, port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().read(65_536)
    finally:
        connection.close()


def port(policy: Policy, there: There | None, writers: Sequence[int]) -> Iterator[Finding]:
    """Who answers. ``writers``: the processes that write this ledger's journal."""
    where = f"{policy.server.host}:{policy.server.port}"
    if there is None:
        yield ok("port", f"{where} is free")
    elif not there.farthing:
        yield bad("port", f"another program listens at {where}", "stop it, or choose another [server] port")
    elif not writers:
        yield warn("port", f"the farthing at {where} keeps another ledger", "is this its configuration?")
    elif there.ready != "ok" and not there.ready.startswith("ok\n"):
        yield bad(
            "port", f"farthing at {where} is not ready: {'; '.join(there.ready.splitlines())}", "see docs/operation"
        )
    else:
        yield ok("port", f"farthing answers at {where}, process {', '.join(map(str, writers))}")


def open_files() -> Iterator[Finding]:
    """How many this user may have; farthing takes what it may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < FEW:
        yield warn(
            "open files",
            f"at most {hard:,}: enough for about {hard // 2:,} streams at once",
            "raise the hard limit (LimitNOFILE of systemd, ulimit -Hn)",
        )
    else:
        yield ok("open files", "without limit" if hard == resource.RLIM_INFINITY else f"at most {hard:,}")
