"""Who asks and what for, said around the calls instead of in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import NamedTuple

_KNOWN = ("user", "feature", "session", "tenant")
PROPERTY = "helicone-property-"
"""Among the names that ``pipeline.identify`` reads, the one under which a tag may have any name and value."""


class _Said(NamedTuple):
    named: Mapping[str, str]
    outside: _Said | None


_SAID: ContextVar[_Said | None] = ContextVar("farthing.tags", default=None)


class tags:  # noqa: N801 - reads as what it is: ``with farthing.tags(user="ada"):``
    """``with farthing.tags(user=…, feature=…, session=…, tenant=…, **tags):`` names who asks, and what for, in every
    call of a wrapped client that is made inside, also in asyncio tasks started there.

    May be nested: what the inner one leaves out is as outside. Other threads start without them, as is the way of
    ``contextvars``. A header of the call itself (``extra_headers``) goes before.
    """

    def __init__(
        self,
        *,
        user: str | None = None,
        feature: str | None = None,
        session: str | None = None,
        tenant: str | None = None,
        **tags: str,
    ) -> None:
        known = dict(zip(_KNOWN, (user, feature, session, tenant), strict=True))
        self._named = {"x-farthing-" + name: str(text) for name, text in known.items() if text is not None}
        self._named |= {PROPERTY + name: str(text) for name, text in tags.items()}

    def __enter__(self) -> None:
        _SAID.set(_Said({**current(), **self._named}, _SAID.get()))

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        said = _SAID.get()
        _SAID.set(said and said.outside)


def current() -> Mapping[str, str]:
    """What is said here, under the names of our headers."""
    said = _SAID.get()
    return {} if said is None else said.named
