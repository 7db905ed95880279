"""Output items of OpenAI's responses API while they grow, and the events that tell of it. Pure.

An item is begun, grows and is ended. Only its end says whether it was cut: that is known when something else begins,
or when the answer ends.
"""

from __future__ import annotations

from collections.abc import Iterator

from farthing.wire.reading import Json
from farthing.wire.translate.conversation import Reasoning, ToolCall
from farthing.wire.translate.responses_object import (
    FIELDS,
    Head,
    Spoken,
    Status,
    call_item,
    content_part,
    item_id,
    message_item,
    reasoning_item,
    summary_part,
)

Event = tuple[str, Json]
"""An event's type and its fields, but for the number."""


class Message:
    """What the model says: texts and refusals."""

    def __init__(self, head: Head, index: int) -> None:
        self._key = item_id(head, "msg", index)
        self._index = index
        self._content: list[Json] = []
        self._kind: Spoken | None = None
        self._pieces: list[str] = []

    def begun(self) -> Iterator[Event]:
        """The item with nothing in it."""
        yield "response.output_item.added", {"output_index": self._index, "item": self.item("in_progress")}

    def grown(self, text: str, kind: Spoken) -> Iterator[Event]:
        """More of a text or a refusal; another kind is another part."""
        if kind != self._kind:
            yield from self._ended_part()
            self._kind = kind
            yield "response.content_part.added", self._place() | {"part": content_part(kind, "")}
        self._pieces.append(text)
        yield f"response.{kind}.delta", self._place() | {"delta": text} | _logprobs(kind)

    def ended(self, status: Status) -> Iterator[Event]:
        """The item is whole, or cut."""
        yield from self._ended_part()
        yield "response.output_item.done", {"output_index": self._index, "item": self.item(status)}

    def item(self, status: Status) -> Json:
        """The item with the parts that are whole."""
        return message_item(self._key, list(self._content), status)

    def _ended_part(self) -> Iterator[Event]:
        if self._kind is None:
            return
        kind, text, place = self._kind, "".join(self._pieces), self._place()
        part = content_part(kind, text)
        yield f"response.{kind}.done", place | {FIELDS[kind]: text} | _logprobs(kind)
        yield "response.content_part.done", place | {"part": part}
        self._content.append(part)
        self._kind = None
        self._pieces.clear()

    def _place(self) -> Json:
        return {"item_id": self._key, "output_index": self._index, "content_index": len(self._content)}


class Call:
    """A function that the model wants called."""

    def __init__(self, head: Head, index: int, call: ToolCall) -> None:
        self._key = item_id(head, "fc", index)
        self._index = index
        self._call = call
        self._pieces: list[str] = []

    def begun(self) -> Iterator[Event]:
        """The call without its arguments."""
        yield "response.output_item.added", {"output_index": self._index, "item": self.item("in_progress")}

    def grown(self, text: str) -> Iterator[Event]:
        """More of the arguments."""
        self._pieces.append(text)
        yield "response.function_call_arguments.delta", self._place() | {"delta": text}

    def ended(self, status: Status) -> Iterator[Event]:
        """The call is whole, or cut."""
        told = {"name": self._call.name, "arguments": "".join(self._pieces)}
        yield "response.function_call_arguments.done", self._place() | told
        yield "response.output_item.done", {"output_index": self._index, "item": self.item(status)}

    def item(self, status: Status) -> Json:
        """The item as it is now."""
        return call_item(self._key, self._call, "".join(self._pieces), status)

    def _place(self) -> Json:
        return {"item_id": self._key, "output_index": self._index}


class Thought:
    """What the model thinks: told as a summary. Such an item has no status."""

    def __init__(self, head: Head, index: int, reasoning: Reasoning) -> None:
        self._key = item_id(head, "rs", index)
        self._index = index
        self._redacted = reasoning.redacted
        self._signature = reasoning.signature
        self._pieces: list[str] = []

    def begun(self) -> Iterator[Event]:
        """The item with nothing in it."""
        item: Json = reasoning_item(self._key, Reasoning(""))
        yield "response.output_item.added", {"output_index": self._index, "item": item}

    def grown(self, text: str) -> Iterator[Event]:
        """More of the summary."""
        if not self._pieces:
            yield "response.reasoning_summary_part.added", self._place() | {"part": summary_part("")}
        self._pieces.append(text)
        yield "response.reasoning_summary_text.delta", self._place() | {"delta": text}

    def signed(self, signature: str) -> None:
        """Its signature."""
        self._signature = signature

    def ended(self, status: Status) -> Iterator[Event]:
        """The item with its seal, where there is one."""
        if text := "".join(self._pieces):
            yield "response.reasoning_summary_text.done", self._place() | {"text": text}
            yield "response.reasoning_summary_part.done", self._place() | {"part": summary_part(text)}
        yield "response.output_item.done", {"output_index": self._index, "item": self.item(status)}

    def item(self, _status: Status) -> Json:
        """The item as it is now."""
        return reasoning_item(self._key, Reasoning("".join(self._pieces), self._signature, self._redacted))

    def _place(self) -> Json:
        return {"item_id": self._key, "output_index": self._index, "summary_index": 0}


def _logprobs(kind: Spoken) -> Json:
    """Events of a text have a list of them, an empty one if nobody asked."""
    return {"logprobs": []} if kind == "output_text" else {}
