"""What the user names on the command line: a file, or an address that is asked, with all its pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import cast
from urllib.error import URLError
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from farthing.errors import StatementError

TIMEOUT_S = 60.0
MOST_BYTES = 256 * 2**20
MOST_PAGES = 1_000
ADMIN_KEYS: Mapping[str, str] = {"api.openai.com": "OPENAI_ADMIN_KEY", "api.anthropic.com": "ANTHROPIC_ADMIN_KEY"}
"""Host → the variable that holds the key for its reports. No other host is sent one, unless a variable is named."""

Get = Callable[[str, Mapping[str, str]], bytes]
"""(address, headers) → body. Raises ``StatementError``."""


def is_address(source: str) -> bool:
    """Whether it is to be asked over the network."""
    return source.startswith(("http://", "https://"))


def sources(source: str, environ: Mapping[str, str], key_env: str | None, get: Get) -> Iterable[tuple[str, bytes]]:
    """Name and bytes: of a file, or of every page at an address. Raises ``StatementError``."""
    if not is_address(source):
        yield Path(source).name, read(Path(source))
        return
    headers = credential(source, environ, key_env)
    address: str | None = source
    for _ in range(MOST_PAGES):
        if address is None:
            return
        body = get(address, headers)
        yield urlsplit(source)._replace(query="", fragment="").geturl(), body
        address = next_page(source, body)
    raise StatementError(f"{source}: more than {MOST_PAGES} pages; ask for a shorter time or longer buckets")


def read(path: Path) -> bytes:
    """A file. Raises ``StatementError``."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise StatementError(f"{path}: cannot be read: {problem.strerror}") from problem


def credential(source: str, environ: Mapping[str, str], key_env: str | None) -> dict[str, str]:
    """The headers that open the provider's reports."""
    host = urlsplit(source).hostname or ""
    name = key_env or (ADMIN_KEYS.get(host) if source.startswith("https://") else None)
    key = environ.get(name) if name else None
    if name and not key:
        raise StatementError(f"{source}: needs an admin key in the environment: set {name}")
    if not key:
        return {}
    if host.endswith("anthropic.com"):
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return {"authorization": f"Bearer {key}"}


def next_page(source: str, body: bytes) -> str | None:
    """The address of the page that follows, where the answer names one."""
    try:
        answer: object = json.loads(body)
    except ValueError:
        return None
    page = cast("Mapping[str, object]", answer).get("next_page") if isinstance(answer, dict) else None
    if not isinstance(page, str) or not page:
        return None
    parts = urlsplit(source)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "page"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("page", page)])))


class _Stay(HTTPRedirectHandler):
    """A redirection might carry the key to somebody else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def get(address: str, headers: Mapping[str, str]) -> bytes:
    """Ask an address (http or https). Raises ``StatementError``."""
    request = Request(address, headers=dict(headers))  # noqa: S310 - see is_address
    try:
        with build_opener(_Stay).open(request, timeout=TIMEOUT_S) as reply:
            body = cast("bytes", reply.read(MOST_BYTES + 1))
    except (URLError, OSError, ValueError) as problem:
        raise StatementError(f"{address}: {problem}") from problem
    if len(body) > MOST_BYTES:
        raise StatementError(f"{address}: the answer is larger than {MOST_BYTES:,} bytes")
    return body
