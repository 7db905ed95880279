"""Every other path under ``/v1/``: the body is free, nothing is changed, usage is read where there is any."""

# ruff: noqa: ARG002  (a protocol's methods take what the others of their kind need)

from __future__ import annotations

from typing import Any

import msgspec

from farthing.types import Api, Facts, Outcome, Prompt, Usage
from farthing.wire import sse
from farthing.wire.anthropic_usage import anthropic_usage
from farthing.wire.openai_usage import openai_usage
from farthing.wire.reading import Json, has_value, lenient, string
from farthing.wire.replies import Reply, error_code, failed, read, usage_of

KEEP = 2**20
"""Bytes of a reply that are kept to look for usage."""


class _Request(msgspec.Struct, gc=False):
    model: Any = None
    stream: Any = None


class _Holder(msgspec.Struct, gc=False):
    """An event whose usage stands in the object that it carries."""

    response: Reply | None = None
    message: Reply | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_HOLDER = msgspec.json.Decoder(_Holder)


class Passthrough:
    """A path that farthing forwards and records.

    ``bills``: whether a reply's usage is this call's own. It is not where a stored reply is only looked at
    (``GET /v1/responses/…``): that was billed when it was made.
    """

    def __init__(self, name: str, api: Api, operation: str = "other", *, bills: bool = True) -> None:
        self.name = name
        self.api: Api = api
        self.operation = operation
        self._bills = bills

    def facts(self, body: bytes) -> Facts:
        """Model and stream if the body is a JSON object that has them; never raises."""
        found = lenient(_REQUEST, body) if body.lstrip()[:1] == b"{" else None
        return Facts() if found is None else Facts(model=string(found.model), stream=found.stream is True)

    def outgoing(self, body: bytes, facts: Facts) -> bytes:
        """The very same body."""
        return body

    def outcome(self, body: bytes, status: int) -> Outcome:
        """Read a reply in one piece; one that is not JSON is complete and says nothing."""
        if (failure := failed(body, status)) is not None:
            return failure
        reply = read(body) if body.lstrip()[:1] == b"{" else None
        return Outcome(complete=True) if reply is None else self.outcome_of(reply, complete=True)

    def outcome_of(self, reply: Reply, *, complete: bool) -> Outcome:
        """What a JSON reply says."""
        error = error_code({"error": reply.error})
        raw = reply.raw_usage if self._bills else None
        values = usage_of(raw)
        return Outcome(
            model=string(reply.model),
            response_id=string(reply.id),
            complete=complete and error is None,
            error=error,
            usage=None if values is None else self.usage(values),
            raw_usage=raw,
            service_tier=string(reply.service_tier),
        )

    def usage(self, values: Json) -> Usage | None:
        """The token classes in a usage object."""
        return anthropic_usage(values) if self.api == "anthropic" else openai_usage(values)

    def tap(self, facts: Facts) -> PassthroughTap:
        """A reader for whatever comes: events, audio, files."""
        return PassthroughTap(self)

    def prompt(self, body: bytes) -> Prompt:
        """Not known."""
        return Prompt(system="", turns=())

    def text(self, body: bytes) -> str:
        """Not known."""
        return ""

    def to_plain(self, stream: bytes) -> bytes:
        """Raises ``ValueError``: these replies have one form only."""
        raise ValueError(f"{self.name} has no stream form")

    def to_stream(self, plain: bytes, *, include_usage: bool) -> list[bytes]:
        """Raises ``ValueError``: these replies have one form only."""
        raise ValueError(f"{self.name} has no stream form")

    def restream(self, stream: bytes, *, include_usage: bool) -> list[bytes]:
        """The events as they were recorded."""
        return sse.split(stream)


class PassthroughTap:
    """Passes bytes on and keeps their beginning (``limit`` bytes), to read them as JSON or as events at the end."""

    def __init__(self, wire: Passthrough, limit: int = KEEP) -> None:
        self.first_token = False
        self.done = False
        self._wire = wire
        self._limit = limit
        self._kept: list[bytes] | None = []
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        """The very same chunk."""
        self.first_token = True
        self._size += len(chunk)
        if self._size > self._limit:
            self._kept = None
        if self._kept is not None:
            self._kept.append(chunk)
        return chunk

    def rest(self) -> bytes:
        """Nothing is ever held back."""
        return b""

    def outcome(self, *, ended: bool) -> Outcome:
        """Complete if the provider closed the stream in order and no error was in it."""
        whole = self.recorded() or b""
        if whole.lstrip()[:1] == b"{":
            return msgspec.structs.replace(self._wire.outcome(whole, 200), complete=ended)
        return self._outcome_of_events(whole, ended)

    def text(self) -> str:
        """Not known."""
        return ""

    def recorded(self) -> bytes | None:
        """All bytes; ``None`` if they were more than the limit."""
        return None if self._kept is None else b"".join(self._kept)

    def _outcome_of_events(self, whole: bytes, ended: bool) -> Outcome:
        """The last usage in the events counts, with the ids beside it."""
        if not whole.startswith((b"data:", b"event:", b":", b"id:")):
            return Outcome(complete=ended)
        found, error = Reply(), None
        for event in sse.split(whole):
            reply = _reply_in(sse.data_of(event))
            error = error_code({"error": reply.error}) or error
            if has_value(reply.usage) or found.id is None:
                found = reply
        outcome = self._wire.outcome_of(found, complete=ended)
        return msgspec.structs.replace(outcome, error=error, complete=ended and error is None)


def _reply_in(data: bytes | None) -> Reply:
    holder = lenient(_HOLDER, data)
    inner = holder and (holder.response or holder.message)
    return inner or read(data) or Reply()
