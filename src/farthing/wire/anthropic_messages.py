"""Anthropic messages."""

# ruff: noqa: ARG002  (a protocol's methods take what the others of their kind need)

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from farthing.types import Api, Facts, Outcome, Prompt
from farthing.wire import sse
from farthing.wire.anthropic_replay import fold, unfold
from farthing.wire.anthropic_text import block_text, read_prompt
from farthing.wire.anthropic_usage import anthropic_usage, merge
from farthing.wire.reading import (
    Json,
    count,
    has_value,
    invalid_field,
    is_array,
    lenient,
    loads,
    mapping,
    objects,
    request,
    string,
)
from farthing.wire.replies import NOTHING, error_code
from farthing.wire.taps import StreamTap

_EXPECTED = {
    "model": 'a string such as "claude-haiku-4-5"',
    "stream": "true or false",
    "messages": "an array of messages",
}


class _Request(msgspec.Struct, gc=False):
    model: str
    messages: msgspec.Raw
    stream: bool | None = None
    user: Any = None
    metadata: Any = None
    max_tokens: Any = None
    service_tier: Any = None


class _Message(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    content: Any = None
    stop_reason: Any = None
    error: Any = None
    usage: msgspec.Raw = NOTHING


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    message: _Message | None = None
    content_block: Any = None
    delta: Any = None
    error: Any = None
    usage: msgspec.Raw = NOTHING


class _Conversation(msgspec.Struct, gc=False):
    system: Any = None
    messages: Any = None
    tools: Any = None
    tool_choice: Any = None
    output_config: Any = None
    output_format: Any = None


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)
_EVENT = msgspec.json.Decoder(_Event)
_CONVERSATION = msgspec.json.Decoder(_Conversation)


class AnthropicMessages:
    """``POST /v1/messages``."""

    name = "anthropic.messages"
    api: Api = "anthropic"
    operation = "chat"

    def facts(self, body: bytes) -> Facts:
        """Raises ``BadRequest`` that names the field."""
        fields = request(_REQUEST, body, _EXPECTED)
        if not is_array(fields.messages):
            raise invalid_field(f"The field 'messages' has to be {_EXPECTED['messages']}.")
        metadata = mapping(fields.metadata)
        return Facts(
            model=fields.model,
            stream=bool(fields.stream),
            user=string(fields.user) or string(metadata.get("user_id")),
            feature=string(metadata.get("feature")),
            max_output=count(fields.max_tokens),
            service_tier=string(fields.service_tier),
        )

    def outgoing(self, body: bytes, facts: Facts) -> bytes:
        """The very same body: a stream reports its usage without being asked."""
        return body

    def outcome(self, body: bytes, status: int) -> Outcome:
        """Read a reply in one piece."""
        if status >= 400:
            return Outcome(error=error_code(loads(body)) or f"http_{status}")
        message = lenient(_MESSAGE, body)
        if message is None:
            return Outcome()
        raw = bytes(message.usage) if has_value(message.usage) else None
        error = error_code({"error": message.error})
        calls = any(_is_call(block) for block in objects(message.content))
        outcome = _outcome(message, mapping(loads(raw)), raw)
        return replace(outcome, complete=error is None, error=error, has_tool_calls=calls)

    def tap(self, facts: Facts) -> MessagesTap:
        """A reader for a streamed reply."""
        return MessagesTap()

    def prompt(self, body: bytes) -> Prompt:
        """What the request says."""
        found = lenient(_CONVERSATION, body) or _Conversation()
        output_format = mapping(found.output_config).get("format") or found.output_format
        return read_prompt(found.system, found.messages, found.tools, found.tool_choice, output_format)

    def text(self, body: bytes) -> str:
        """The text of a reply in one piece."""
        return "".join(block_text(block) for block in objects(mapping(loads(body)).get("content")))

    def to_plain(self, stream: bytes) -> bytes:
        """A complete recorded stream as a message in one piece."""
        return fold(stream)

    def to_stream(self, plain: bytes, *, include_usage: bool) -> list[bytes]:
        """A message as events; usage is always in them."""
        return unfold(plain)

    def restream(self, stream: bytes, *, include_usage: bool) -> list[bytes]:
        """The events as they were recorded."""
        return sse.split(stream)


class MessagesTap(StreamTap):
    """Reads a stream from ``message_start`` to ``message_stop``."""

    def __init__(self) -> None:
        super().__init__()
        self._message = _Message()
        self._usage: Json = {}
        self._raw: bytes | None = None
        self._final = False
        self._calls = False
        self._error: str | None = None

    def is_dull(self, chunk: bytes) -> bool:
        """Deltas do not matter once one has come."""
        return (
            self.first_token
            and b'"message_' not in chunk
            and b'"error"' not in chunk
            and (self._calls or b'tool_use"' not in chunk)
        )

    def note(self, event: bytes) -> bool:
        """Take in one event."""
        found = lenient(_EVENT, sse.data_of(event))
        if found is None:
            return True
        match found.type:
            case "message_start" if found.message is not None:
                self._message = found.message
                self._add_usage(found.message.usage)
            case "message_delta":
                reason = string(mapping(found.delta).get("stop_reason"))
                self._message.stop_reason = reason or self._message.stop_reason
                self._final = self._add_usage(found.usage) or self._final
            case "message_stop":
                self.done = True
            case "content_block_start":
                self._calls = self._calls or _is_call(mapping(found.content_block))
            case "content_block_delta":
                self.first_token = True
            case "error":
                self._error = error_code({"error": found.error}) or "error"
            case _:
                pass
        return True

    def _add_usage(self, raw: msgspec.Raw) -> bool:
        """Whether there was any."""
        if not (values := mapping(loads(bytes(raw)))):
            return False
        merged = merge(self._usage, values)
        self._raw = bytes(raw) if not self._usage else msgspec.json.encode(merged)
        self._usage = merged
        return count(values.get("output_tokens")) is not None

    def result(self) -> Outcome:
        """Complete once ``message_stop`` has come."""
        outcome = _outcome(self._message, self._usage, self._raw)
        return replace(
            outcome,
            complete=self.done and self._error is None,
            error=self._error,
            has_tool_calls=self._calls,
            partial_usage=outcome.usage is not None and not self._final,
        )

    def text_in(self, data: bytes) -> str:
        """The text of one event's delta, or of a block that starts with content."""
        event = mapping(loads(data))
        delta = mapping(event.get("delta"))
        said = (delta.get(name) for name in ("text", "thinking", "partial_json"))
        opening = block_text(mapping(event.get("content_block")), arguments=False)
        return opening + "".join(text for text in said if isinstance(text, str))


def _is_call(block: Json) -> bool:
    """Tools of the client, of the server and of MCP servers alike."""
    return (string(block.get("type")) or "").endswith("tool_use")


def _outcome(message: _Message, usage: Json, raw: bytes | None) -> Outcome:
    return Outcome(
        model=string(message.model),
        response_id=string(message.id),
        finish_reason=string(message.stop_reason),
        usage=anthropic_usage(usage),
        raw_usage=raw,
        service_tier=string(usage.get("service_tier")),
    )
