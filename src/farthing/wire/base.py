"""What every wire can do: bytes in, values or bytes out. No I/O, no state outside a tap."""

from __future__ import annotations

from typing import Protocol

from farthing.types import Api, Facts, Outcome, Prompt


class Tap(Protocol):
    """Reads a streamed reply as it passes."""

    first_token: bool
    """Whether a chunk with content (text, reasoning, tool call) has passed."""
    done: bool
    """Whether the event has passed by which a client knows that it has everything."""

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from the provider; give the bytes that the client shall get now.

        Nothing is held back but an event that has not ended, and only where an event may have to be withheld.
        """
        ...

    def outcome(self, *, ended: bool) -> Outcome:
        """What is known now. ``ended``: the provider closed the stream in order."""
        ...

    def rest(self) -> bytes:
        """Bytes held back when the stream ended inside an event, for the client."""
        ...

    def text(self) -> str:
        """The text (content, reasoning, tool arguments) that has passed, to estimate tokens where usage is missing."""
        ...

    def recorded(self) -> bytes | None:
        """All bytes that the provider sent, what the client does not see included; ``None`` if over the tap's limit."""
        ...


class Wire(Protocol):
    """One endpoint of one API."""

    name: str
    """For example ``openai.chat``, ``anthropic.messages``."""
    api: Api
    operation: str
    """OpenTelemetry ``gen_ai.operation.name``: ``chat``, ``embeddings``; ours for the rest: ``models`` …"""

    def facts(self, body: bytes) -> Facts:
        """Raises ``BadRequest`` that names the field, in words a developer can act on."""
        ...

    def outgoing(self, body: bytes, facts: Facts) -> bytes:
        """The body for the provider: the very same object, unless a stream's usage has to be asked for."""
        ...

    def outcome(self, body: bytes, status: int) -> Outcome:
        """Read a reply in one piece, also an error's. Never raises: what is not understood is left unknown."""
        ...

    def tap(self, facts: Facts) -> Tap:
        """A reader for a streamed reply to a request with these facts."""
        ...

    def prompt(self, body: bytes) -> Prompt:
        """What the request says. Lenient: what is not understood is left out."""
        ...

    def text(self, body: bytes) -> str:
        """The text of a reply in one piece, to estimate tokens where usage is missing."""
        ...

    def to_plain(self, stream: bytes) -> bytes:
        """A complete recorded stream as a reply in one piece (recall: asked for plain, stored streamed)."""
        ...

    def to_stream(self, plain: bytes, *, include_usage: bool) -> list[bytes]:
        """A reply in one piece as the events of a stream, each ``bytes`` a complete event."""
        ...

    def restream(self, stream: bytes, *, include_usage: bool) -> list[bytes]:
        """A complete recorded stream for a client that did or did not ask for usage."""
        ...
