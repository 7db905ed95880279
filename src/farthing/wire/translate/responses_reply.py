"""An answer for a client of OpenAI's responses API: as one object, or as the events of a stream. Pure.

Texts that follow one another are one text: apps read ``output[0].content[0].text``.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from farthing.types import Usage
from farthing.wire import sse
from farthing.wire.reading import Json, loads, mapping, string
from farthing.wire.translate import errors
from farthing.wire.translate import responses_object as shape
from farthing.wire.translate.answer import (
    Alive,
    Answer,
    Counted,
    Done,
    Ended,
    Failed,
    Finish,
    Grown,
    Opened,
    Said,
    Signed,
    Started,
    Step,
)
from farthing.wire.translate.conversation import Conversation, Reasoning, Refusal, Text, ToolCall
from farthing.wire.translate.responses_items import Call, Event, Message, Thought
from farthing.wire.translate.responses_object import Head, Spoken, Status

_PING = b": ping\n\n"
"""A comment: the API has no event that says that it is still there."""


def write(answer: Answer, conversation: Conversation, request: bytes, *, created: int) -> bytes:
    """The response object. ``created``: seconds since the Unix epoch, if the provider does not say it."""
    when = created if answer.created is None else answer.created
    head = Head(shape.tail(answer.id), when, answer.model or conversation.model, shape.echoed(request))
    status, why = shape.ending(answer.finish)
    output = _output(head, answer.parts, status)
    return msgspec.json.encode(
        shape.response(head, status, output, tier=answer.service_tier, usage=answer.usage, **why)
    )


def _output(head: Head, parts: tuple[Said, ...], status: Status) -> list[Json]:
    """The output items. Only the last one can have been cut."""
    items: list[Json] = []
    for part in parts:
        match part:
            case Reasoning():
                items.append(shape.reasoning_item(shape.item_id(head, "rs", len(items)), part))
            case ToolCall():
                key = shape.item_id(head, "fc", len(items))
                items.append(shape.call_item(key, part, part.arguments, "completed"))
            case Text() | Refusal():
                _say(head, items, part)
    if items and "status" in items[-1]:
        items[-1]["status"] = status
    return items


def _say(head: Head, items: list[Json], part: Text | Refusal) -> None:
    """Text in the message that is last, or in a new one."""
    if not part.text:
        return
    if not items or items[-1]["type"] != "message":
        items.append(shape.message_item(shape.item_id(head, "msg", len(items)), [], "completed"))
    content = items[-1]["content"]
    kind = _kind(part)
    if content and content[-1]["type"] == kind:
        before = content.pop()
        content.append(shape.content_part(kind, before[shape.FIELDS[kind]] + part.text))
    else:
        content.append(shape.content_part(kind, part.text))


def _kind(part: Text | Refusal) -> Spoken:
    return "output_text" if isinstance(part, Text) else "refusal"


class Writer:
    """Writes the events of a stream, step by step. The last one has the whole response."""

    def __init__(self, conversation: Conversation, request: bytes, *, created: int) -> None:
        """``created``: seconds since the Unix epoch, if the provider does not say it."""
        self._head = Head("", created, conversation.model, shape.echoed(request))
        self._tier: str | None = None
        self._number = 0
        self._output: list[Json] = []
        self._item: Message | Call | Thought | None = None
        self._kind: Spoken | None = None
        self._finish: Finish | None = None
        self._usage: Usage | None = None
        self._over = False

    def feed(self, step: Step) -> bytes:
        """The events for one step; often none."""
        if isinstance(step, Alive):
            return _PING
        events = () if self._over else self._events(step)
        return b"".join([self._rendered(kind, fields) for kind, fields in events])

    def _events(self, step: Step) -> Iterator[Event]:
        match step:
            case Grown():
                yield from self._grow(step.text)
            case Opened():
                yield from self._open(step.part)
            case Started():
                yield from self._start(step)
            case Ended():
                self._finish = step.finish
                yield from self._close(shape.ending(step.finish)[0])
            case Failed():
                yield from self._fail(step)
            case Done():
                yield from self._end()
            case _:
                self._note(step)

    def _note(self, step: Step) -> None:
        """What is told later, with something else."""
        if isinstance(step, Counted):
            self._usage = step.usage
        elif isinstance(step, Signed) and isinstance(self._item, Thought):
            self._item.signed(step.signature)

    def _start(self, step: Started) -> Iterator[Event]:
        when = self._head.created if step.created is None else step.created
        self._head = Head(shape.tail(step.id), when, step.model or self._head.model, self._head.echo)
        self._tier, self._usage = step.service_tier, step.usage
        begun = shape.response(self._head, "in_progress", [], tier=self._tier)
        yield "response.created", {"response": begun}
        yield "response.in_progress", {"response": begun}

    def _open(self, part: Said) -> Iterator[Event]:
        """Text waits for its first letter: it may belong to the message that is there, or never come."""
        self._kind = _kind(part) if isinstance(part, Text | Refusal) else None
        if isinstance(part, ToolCall):
            yield from self._close("completed")
            yield from self._begin(Call(self._head, len(self._output), part))
        elif isinstance(part, Reasoning):
            yield from self._close("completed")
            yield from self._begin(Thought(self._head, len(self._output), part))
        yield from self._grow(part.arguments if isinstance(part, ToolCall) else part.text)

    def _grow(self, text: str) -> Iterator[Event]:
        if not text:
            return
        if self._kind and not isinstance(self._item, Message):
            yield from self._close("completed")
            yield from self._begin(Message(self._head, len(self._output)))
        if isinstance(self._item, Message):
            yield from self._item.grown(text, self._kind or "output_text")
        elif self._item is not None:
            yield from self._item.grown(text)

    def _begin(self, item: Message | Call | Thought) -> Iterator[Event]:
        self._item = item
        yield from item.begun()

    def _close(self, status: Status) -> Iterator[Event]:
        if self._item is not None:
            yield from self._item.ended(status)
            self._output.append(self._item.item(status))
            self._item = None

    def _end(self) -> Iterator[Event]:
        status, why = shape.ending(self._finish)
        yield from self._close(status)
        yield f"response.{status}", {"response": self._whole(status, why)}
        self._over = True

    def _fail(self, step: Failed) -> Iterator[Event]:
        """The error as the API's page has it and as it is seen, nested; then the response, if it had begun."""
        told = mapping(mapping(loads(errors.rendered("openai", step)[1])).get("error"))
        code = string(told.get("code")) or "server_error"
        error: Json = {"code": code, "message": told.get("message")}
        nested = {"type": told.get("type"), "param": None} | error
        yield "error", error | {"param": None, "error": nested}
        if self._head.tail:
            yield "response.failed", {"response": self._whole("failed", {"error": error})}
        self._over = True

    def _whole(self, status: str, why: dict[str, Json]) -> Json:
        return shape.response(self._head, status, self._output, tier=self._tier, usage=self._usage, **why)

    def _rendered(self, kind: str, fields: Json) -> bytes:
        event = {"type": kind, "sequence_number": self._number} | fields
        self._number += 1
        return sse.render(msgspec.json.encode(event), kind)
