"""A request on its way from one wire to another, and its reply on the way back. Pure.

What a client cannot notice is that somebody else answered: request and reply have the form of its own API, a stream
comes step by step, and errors are those of its API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from farthing.errors import BadRequest
from farthing.types import Api
from farthing.wire import sse
from farthing.wire.anthropic_messages import AnthropicMessages
from farthing.wire.base import Wire
from farthing.wire.openai_chat import OpenAIChat
from farthing.wire.translate import (
    chat_reply,
    chat_request,
    errors,
    messages_reply,
    messages_request,
    responses_reply,
    responses_request,
)
from farthing.wire.translate.answer import Answer, Failed, Step
from farthing.wire.translate.bridge import CHAT, MESSAGES, RESPONSES, barred
from farthing.wire.translate.conversation import Conversation, Traits, Written
from farthing.wire.translate.unwrap import Unwrap, unwrapped


class Reader(Protocol):
    """Reads a provider's stream."""

    def feed(self, event: bytes) -> list[Step]:
        """The steps that one event stands for."""
        ...


class Writer(Protocol):
    """Writes a client's stream."""

    def feed(self, step: Step) -> bytes:
        """The events for one step; often none."""
        ...


_REQUESTS: dict[str, Callable[[bytes], Conversation]] = {
    CHAT: chat_request.read,
    MESSAGES: messages_request.read,
    RESPONSES: responses_request.read,
}
_SPOKEN: dict[str, tuple[Wire, Callable[[Conversation, Traits], Written]]] = {
    CHAT: (OpenAIChat(), chat_request.write),
    MESSAGES: (AnthropicMessages(), messages_request.write),
}
_READERS: dict[str, tuple[Callable[[bytes], Answer], Callable[[], Reader]]] = {
    CHAT: (chat_reply.read, chat_reply.Reader),
    MESSAGES: (messages_reply.read, messages_reply.Reader),
}


def conversation(wire: str, body: bytes) -> Conversation:
    """What a request on this wire asks for. Raises ``BadRequest``."""
    return _REQUESTS[wire](body)


class Crossing:
    """One request, from the client's wire to the one that its provider speaks."""

    def __init__(
        self, client: str, body: bytes, said: Conversation, spoken: str, traits: Traits, *, created: int
    ) -> None:
        """``said``: the body, read; ``created``: seconds since the Unix epoch. Raises ``BadRequest``."""
        if lacking := barred(said.needs, spoken):
            raise BadRequest(
                f"{said.model} is answered by a provider whose API has no {' and no '.join(map(_plainly, lacking))}; "
                "leave that out, or ask for a model of this API",
                code="farthing_cannot_cross",
            )
        self._client, self._asked, self._said, self._created = client, body, said, created
        self.wire, write = _SPOKEN[spoken]
        written = write(said, traits)
        self.body = written.body
        self.dropped = tuple(dict.fromkeys((*said.dropped, *written.dropped)))
        """Names of what could not cross and changes nothing that matters."""
        self._answer_tool = written.answer_tool

    @property
    def api(self) -> Api:
        """The client's."""
        return "anthropic" if self._client == MESSAGES else "openai"

    def whole(self, body: bytes) -> bytes:
        """A reply in one piece as the client's API has it."""
        answer = unwrapped(_READERS[self.wire.name][0](body), self._answer_tool)
        match self._client:
            case "anthropic.messages":
                return messages_reply.write(answer)
            case "openai.responses":
                return responses_reply.write(answer, self._said, self._asked, created=self._created)
            case _:
                return chat_reply.write(answer, functions=self._said.functions, created=self._created)

    def failure(self, status: int, body: bytes) -> tuple[int, bytes]:
        """An error's status and body as the client's API has them."""
        return errors.rendered(self.api, errors.failure(self.wire.api, status, body))

    def stream(self, *, include_usage: bool | None = None) -> Backwards:
        """For a reply that streams. ``include_usage``: in place of what the client asked for."""
        usage = self._said.include_usage if include_usage is None else include_usage
        return Backwards(_READERS[self.wire.name][1](), self._writer(include_usage=usage), self._answer_tool)

    def _writer(self, *, include_usage: bool) -> Writer:
        match self._client:
            case "anthropic.messages":
                return messages_reply.Writer()
            case "openai.responses":
                return responses_reply.Writer(self._said, self._asked, created=self._created)
            case _:
                return chat_reply.Writer(
                    include_usage=include_usage, functions=self._said.functions, created=self._created
                )


class Backwards:
    """A provider's stream, chunk by chunk, as the client's API has it. Nothing is held back but an unfinished event."""

    def __init__(self, reader: Reader, writer: Writer, answer_tool: str | None) -> None:
        self._events, self._reader, self._writer = sse.Events(), reader, writer
        self._unwrap = Unwrap(answer_tool)

    def feed(self, chunk: bytes) -> bytes:
        """The client's bytes for these of the provider."""
        return b"".join([self._event(event) for event in self._events.feed(chunk)])

    def rest(self) -> bytes:
        """What was held back when the stream ended inside an event."""
        rest = self._events.rest
        return self._event(rest) if rest else b""

    def fail(self, status: int, code: str, message: str) -> bytes:
        """The event by which the client learns that nothing more comes."""
        return self._writer.feed(Failed(status, code, message))

    def _event(self, event: bytes) -> bytes:
        steps = [out for step in self._reader.feed(event) for out in self._unwrap.feed(step)]
        return b"".join([self._writer.feed(step) for step in steps])


def _plainly(need: str) -> str:
    return need.replace("_", " ")
