"""Streams of Anthropic's messages API: events read into steps, and steps written as events."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from farthing.types import Usage
from farthing.wire import sse
from farthing.wire.anthropic_usage import anthropic_usage, merge, usage_object
from farthing.wire.reading import Json, Value, lenient, mapping, string
from farthing.wire.translate import errors
from farthing.wire.translate.answer import (
    Alive,
    Closed,
    Counted,
    Done,
    Ended,
    Failed,
    Grown,
    Opened,
    Said,
    Signed,
    Started,
    Step,
)
from farthing.wire.translate.conversation import Reasoning, ToolCall
from farthing.wire.translate.messages_answer import Block, finish_of, message_fields, part_of, reason_of, usage_fields

_TEXTS: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_PING = sse.render(b'{"type":"ping"}', "ping")


_NO_BLOCK = Block()


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    message: Any = None
    content_block: Block = _NO_BLOCK
    delta: Any = None
    usage: Any = None


_EVENT = msgspec.json.Decoder(_Event)


class Reader:
    """Reads a provider's stream, event by event. What it does not understand it leaves out; it never raises.

    Parts come one after the other: what is still open when the next one begins is closed.
    """

    def __init__(self) -> None:
        self._usage: Json = {}
        self._open = False
        self._input = ""
        """What a call began with: some servers send its whole input at once."""

    def feed(self, event: bytes) -> list[Step]:
        """The steps that one raw event stands for."""
        data = sse.data_of(event)
        found = lenient(_EVENT, data)
        if found is None:
            return []
        match found.type:
            case "content_block_delta":
                return self._delta(mapping(found.delta))
            case "content_block_start":
                return [*self._close(), *self._start(found.content_block)]
            case "content_block_stop":
                return self._close()
            case "ping":
                return [Alive()]
            case "error":
                return [errors.streamed("anthropic", data or b"")]
            case _:
                return self._message(found)

    def _message(self, event: _Event) -> list[Step]:
        match event.type:
            case "message_start":
                return [*self._close(), self._begin(mapping(event.message))]
            case "message_delta":
                return [*self._close(), *self._end(mapping(event.delta), mapping(event.usage))]
            case "message_stop":
                return [*self._close(), Done()]
            case _:
                return []

    def _begin(self, message: Json) -> Started:
        self._usage = mapping(message.get("usage"))
        return Started(
            id=string(message.get("id")) or "",
            model=string(message.get("model")) or "",
            usage=anthropic_usage(self._usage),
            service_tier=string(self._usage.get("service_tier")),
        )

    def _start(self, block: Block) -> list[Step]:
        part = part_of(block)
        if part is None:
            return []
        self._open = True
        if not isinstance(part, ToolCall):
            return [Opened(part)]
        self._input = "" if part.arguments == "{}" else part.arguments
        return [Opened(replace(part, arguments=""))]

    def _delta(self, delta: Json) -> list[Step]:
        if not self._open:
            return []
        kind = string(delta.get("type")) or ""
        if kind == "signature_delta":
            signature = string(delta.get("signature"))
            return [] if signature is None else [Signed(signature)]
        text = string(delta.get(_TEXTS.get(kind, "")))
        if text is None:
            return []
        self._input = ""
        return [Grown(text)]

    def _close(self) -> list[Step]:
        if not self._open:
            return []
        self._open = False
        rest: list[Step] = [Grown(self._input)] if self._input else []
        self._input = ""
        return [*rest, Closed()]

    def _end(self, delta: Json, usage: Json) -> list[Step]:
        finish = finish_of(delta.get("stop_reason"))
        steps: list[Step] = [] if finish is None else [Ended(finish, string(delta.get("stop_sequence")))]
        self._usage = merge(self._usage, usage)
        total = anthropic_usage(self._usage) if usage else None
        return steps if total is None else [*steps, Counted(total)]


class Writer:
    """Writes a stream for a client: ``message_start`` and a ping, blocks with numbers, ``message_delta`` with the
    reason and all usage, ``message_stop``.

    A text begins with its first letter, as an empty one could not be sent back. Reasoning is held until it is signed;
    without a signature, as other makers' models give it, it is left out: Anthropic would refuse it in the next turn.
    """

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._ended: Ended | None = None
        self._failed = False
        self._calls = False
        self._part: Said | None = None
        self._index = -1
        self._begun = False
        """Whether the client has seen the beginning of the open part."""
        self._held: list[str] = []
        """Reasoning that is not signed yet."""

    def feed(self, step: Step) -> bytes:
        """The events that a step stands for; often none."""
        match step:
            case Grown():
                return self._grow(step.text)
            case Opened():
                return self._close() + self._open(step.part)
            case Closed():
                return self._close()
            case Signed():
                return self._sign(step.signature)
            case Alive():
                return _PING
            case _:
                return self._message(step)

    def _message(self, step: Started | Ended | Counted | Failed | Done) -> bytes:
        match step:
            case Started():
                return self._start(step)
            case Ended():
                self._ended = step
            case Counted():
                self._usage = step.usage
            case Failed():
                self._failed = True
                return errors.event("anthropic", step)
            case Done() if not self._failed:
                return self._close() + self._finish()
            case Done():
                pass
        return b""

    def _start(self, step: Started) -> bytes:
        self._usage = step.usage
        usage = usage_fields(step.usage, step.service_tier)
        return _event("message_start", message=message_fields(step.id, step.model, [], usage)) + _PING

    def _open(self, part: Said) -> bytes:
        self._part = part
        if isinstance(part, ToolCall):
            self._calls = True
            block: Json = {"type": "tool_use", "id": part.id, "name": part.name, "input": {}}
            return self._begin(block) + self._grow(part.arguments)
        if isinstance(part, Reasoning) and part.redacted is not None:
            return self._begin({"type": "redacted_thinking", "data": part.redacted})
        grown = self._grow(part.text)
        signature = part.signature if isinstance(part, Reasoning) else None
        return grown if signature is None else grown + self._sign(signature)

    def _grow(self, text: str) -> bytes:
        part = self._part
        if part is None or not text:
            return b""
        if isinstance(part, ToolCall):
            return self._delta("input_json_delta", partial_json=text)
        if not isinstance(part, Reasoning):
            begin = b"" if self._begun else self._begin({"type": "text", "text": ""})
            return begin + self._delta("text_delta", text=text)
        if self._begun:
            return self._delta("thinking_delta", thinking=text)
        self._held.append(text)
        return b""

    def _sign(self, signature: str) -> bytes:
        if not isinstance(self._part, Reasoning):
            return b""
        begin = b"" if self._begun else self._begin({"type": "thinking", "thinking": "", "signature": ""})
        thoughts = b"".join(self._delta("thinking_delta", thinking=text) for text in self._held)
        self._held = []
        return begin + thoughts + self._delta("signature_delta", signature=signature)

    def _begin(self, block: Json) -> bytes:
        self._begun = True
        self._index += 1
        return _event("content_block_start", index=self._index, content_block=block)

    def _delta(self, kind: str, **fields: str) -> bytes:
        return _event("content_block_delta", index=self._index, delta={"type": kind, **fields})

    def _close(self) -> bytes:
        begun = self._begun
        self._part, self._begun, self._held = None, False, []
        return _event("content_block_stop", index=self._index) if begun else b""

    def _finish(self) -> bytes:
        ended = self._ended
        reason = reason_of(ended and ended.finish, calls=self._calls)
        delta = {"stop_reason": reason, "stop_sequence": ended and ended.stop_sequence}
        usage = {"output_tokens": 0} if self._usage is None else usage_object(self._usage)
        return _event("message_delta", delta=delta, usage=usage) + _event("message_stop")


def _event(kind: str, **fields: Value) -> bytes:
    return sse.render(msgspec.json.encode({"type": kind} | fields), kind)
