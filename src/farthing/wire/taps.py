"""What all taps share: passing bytes on, keeping them for the cache and for estimates, looking at few of them."""

# ruff: noqa: ARG002  (a protocol's methods take what the others of their kind need)

from __future__ import annotations

from abc import ABC, abstractmethod

from farthing.types import Outcome
from farthing.wire import sse

KEEP = 8 * 2**20
"""Bytes of a stream that are kept."""


class StreamTap(ABC):
    """A tap on a stream of events.

    The usual chunk is whole events in which nothing matters: it is kept and passed on as the same object. Only
    chunks in which something may matter, or that end inside an event, are split and their events looked at.
    """

    hides = False
    """Whether events may have to be withheld from the client."""

    def __init__(self, limit: int = KEEP) -> None:
        self.first_token = False
        self.done = False
        self._limit = limit
        self._events = sse.Events()
        self._between = True
        self._kept: list[bytes] = []
        self._size = 0
        self._texts: list[str] | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from the provider; give the bytes for the client."""
        self._kept.append(chunk)
        self._size += len(chunk)
        if self._size > self._limit:
            self._shorten()
        if self._between and chunk.endswith(b"\n\n") and self.is_dull(chunk):
            return chunk
        passed = [event for event in self._events.feed(chunk) if self.is_dull(event) or self.note(event)]
        self._between = not self._events.rest
        return b"".join(passed) if self.hides else chunk

    def rest(self) -> bytes:
        """Bytes held back when the stream ended inside an event."""
        held = self._events.rest
        return held if self.hides and held and self.note(held) else b""

    def outcome(self, *, ended: bool) -> Outcome:
        """What is known now. An event that lacks only its blank line counts."""
        if held := self._events.rest:
            self.note(held)
        return self.result()

    def recorded(self) -> bytes | None:
        """All bytes that the provider sent; ``None`` if they were more than the limit."""
        return None if self._texts is not None else b"".join(self._kept)

    def text(self) -> str:
        """The text that has passed."""
        return "".join([*(self._texts or ()), self._text_of(b"".join(self._kept))])

    def _shorten(self) -> None:
        """Over the limit: keep the text of the whole events instead of their bytes."""
        *events, last = sse.split(b"".join(self._kept))
        if self._texts is None:
            self._texts = []
        self._texts.append(self._text_of(b"".join(events)))
        self._kept = [last]
        self._size = 0

    def _text_of(self, stream: bytes) -> str:
        return "".join(self.text_in(data) for event in sse.split(stream) if (data := sse.data_of(event)))

    @abstractmethod
    def is_dull(self, chunk: bytes) -> bool:
        """Whether nothing in these bytes can matter to ``note``. Has to be quick."""

    @abstractmethod
    def note(self, event: bytes) -> bool:
        """Take in one event, possibly twice; whether the client may see it."""

    @abstractmethod
    def result(self) -> Outcome:
        """What is known from the events so far."""

    @abstractmethod
    def text_in(self, data: bytes) -> str:
        """The text in the data of one event."""
