"""What stands at which path. Blocking: runs in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from farthing.dashboard import api
from farthing.dashboard.detail import detail
from farthing.dashboard.page import Choice, build
from farthing.dashboard.reading import Books
from farthing.dashboard.view import Mode
from farthing.errors import NoSuchRoute
from farthing.types import Clock

if TYPE_CHECKING:
    from farthing.dashboard.render import Renderer

Names = Callable[[], Mapping[str, str]]
"""Query type → its name in plain words."""

ROOT = "/farthing/"
API = "/farthing/api/"
STATIC = {"farthing.css": "text/css; charset=utf-8", "farthing.svg": "image/svg+xml"}
HTML = "text/html; charset=utf-8"
JSON = "application/json"


class Request(msgspec.Struct, frozen=True):
    """What an answer depends on. ``base`` is the address under which the gateway was reached."""

    path: str
    query: dict[str, str]
    base: str

    @classmethod
    def of(cls, scope: MutableMapping[str, Any]) -> Request:
        """From an ASGI scope whose Host has been checked. A parameter that stands twice counts once, the last one."""
        host = next(value for name, value in scope["headers"] if name.lower() == b"host").decode("latin-1")
        text = scope.get("query_string", b"").decode("latin-1")
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
        return cls(scope["path"], dict(pairs), f"{scope.get('scheme', 'http')}://{host}")


class Reply(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def text(cls, status: int, message: str, *headers: tuple[bytes, bytes]) -> Reply:
        return cls(status, "text/plain; charset=utf-8", f"{message}\n".encode("utf-8", "replace"), headers)

    @classmethod
    def json(cls, value: object, status: int = 200) -> Reply:
        return cls(status, JSON, msgspec.json.encode(value))

    @classmethod
    def problem(cls, request: Request, status: int, code: str, message: str) -> Reply:
        """An error, in JSON below the API and in plain text elsewhere."""
        if request.path.startswith(API):
            return cls.json({"error": {"code": code, "message": message}}, status)
        return cls.text(status, message)


class Routes:
    """Finds the answer to a request."""

    def __init__(self, books: Books, clock: Clock, mode: Mode, names: Names) -> None:
        self._books, self._clock, self._names = books, clock, names
        self._mode: Mode = mode

    @cached_property
    def _renderer(self) -> Renderer:
        from farthing.dashboard.render import Renderer  # jinja2 is loaded when the first page is asked for

        return Renderer()

    def answer(self, request: Request) -> Reply:
        """Raises ``RequestError`` for what is not there or not understood, ``StoreError`` without a ledger."""
        path = request.path
        if path == "/farthing":
            return Reply.text(308, "The dashboard is at /farthing/.", (b"location", ROOT.encode()))
        if path == ROOT:
            return self._index(request)
        if path.startswith(API):
            return self._api(path.removeprefix(API), request.query)
        place, _, name = path.removeprefix(ROOT).partition("/")
        if place == "requests" and name:
            return self._request(name)
        if place == "static" and name in STATIC:
            return Reply(200, STATIC[name], _file("static", name))
        raise NoSuchRoute(f"There is nothing at {path}; the dashboard is at /farthing/.")

    def _index(self, request: Request) -> Reply:
        choice = Choice.of(request.query, self._clock())
        reading = self._books.read(choice.since, choice.now, choice.tenant)
        if reading is None:
            return self._html("welcome.html", base=request.base)
        return self._html("index.html", page=build(reading, choice, self._mode, self._names()))

    def _request(self, request_id: str) -> Reply:
        found = self._books.record(request_id)
        if found is None:
            raise NoSuchRoute(f"There is no request {request_id!r} in the ledger; it may be older than the retention.")
        query_type = found.query_type and self._names().get(found.query_type, found.query_type)
        return self._html("request.html", detail=detail(found.settled, query_type))

    def _html(self, template: str, **values: object) -> Reply:
        return Reply(200, HTML, self._renderer(template, mode=self._mode, **values).encode("utf-8", "replace"))

    def _api(self, path: str, query: dict[str, str]) -> Reply:
        if path == "openapi.json":
            return Reply(200, JSON, _file("openapi.json"))
        if path == "report":
            return Reply.json(api.report(self._books, query, self._clock()))
        if path == "requests":
            return Reply.json(api.requests(self._books, query))
        if path.startswith("requests/"):
            return Reply.json(api.request(self._books, path.removeprefix("requests/"), query))
        raise NoSuchRoute(f"There is nothing at {API}{path}; see {API}openapi.json.")


def _file(*names: str) -> bytes:
    """A file of this package."""
    return resources.files("farthing.dashboard").joinpath(*names).read_bytes()
