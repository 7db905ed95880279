"""OpenAI chat completions, also as spoken by the many compatible providers.

A stream's usage is reported only on demand, so it is asked for; the extra chunk that carries it is withheld from a
client that did not ask. What such a client can still see is ``"usage":null`` in the other chunks: their bytes are left
as they came.
"""

from __future__ import annotations

from typing import Any

import msgspec

from farthing.types import Api, Facts, Outcome, Prompt, Usage
from farthing.wire import edit, sse
from farthing.wire.openai_chat_replay import fold, unfold
from farthing.wire.openai_chat_text import has_calls, read_prompt, says_something, spoken
from farthing.wire.openai_usage import openai_usage, usual_usage
from farthing.wire.reading import count, invalid_field, is_array, lenient, loads, mapping, objects, request, string
from farthing.wire.replies import Reply, error_code, failed, read, usage_of
from farthing.wire.taps import StreamTap

_EXPECTED = {
    "model": 'a string such as "gpt-4o-mini"',
    "stream": "true or false",
    "messages": "an array of messages",
}
_USAGE_WANTED = b'{"include_usage":true}'


class _Request(msgspec.Struct, gc=False):
    model: str
    messages: msgspec.Raw
    stream: bool | None = None
    stream_options: Any = None
    safety_identifier: Any = None
    user: Any = None
    metadata: Any = None
    max_completion_tokens: Any = None
    max_tokens: Any = None
    service_tier: Any = None


class _Said(msgspec.Struct, gc=False):
    """A message of a reply; its text is skipped, not built."""

    tool_calls: Any = None
    function_call: Any = None


class _Choice(msgspec.Struct, gc=False):
    message: _Said
    finish_reason: str


class _Usual(msgspec.Struct, gc=False):
    """What most replies in one piece are like."""

    id: str
    model: str
    choices: tuple[_Choice]
    usage: msgspec.Raw
    service_tier: str | None = None
    error: None = None


class _Conversation(msgspec.Struct, gc=False):
    messages: Any = None
    tools: Any = None
    functions: Any = None
    tool_choice: Any = None
    response_format: Any = None


_REQUEST = msgspec.json.Decoder(_Request)
_CONVERSATION = msgspec.json.Decoder(_Conversation)
_USUAL = msgspec.json.Decoder(_Usual)


class OpenAIChat:
    """``POST /v1/chat/completions``."""

    name = "openai.chat"
    api: Api = "openai"
    operation = "chat"

    def facts(self, body: bytes) -> Facts:
        """Raises ``BadRequest`` that names the field."""
        fields = request(_REQUEST, body, _EXPECTED)
        if not is_array(fields.messages):
            raise invalid_field(f"The field 'messages' has to be {_EXPECTED['messages']}.")
        metadata = mapping(fields.metadata)
        wanted = mapping(fields.stream_options).get("include_usage") is True
        names = (fields.safety_identifier, fields.user, metadata.get("user_id"))
        limit = count(fields.max_completion_tokens)
        return Facts(
            model=fields.model,
            stream=bool(fields.stream),
            include_usage=wanted,
            user=next((found for name in names if (found := string(name))), None),
            feature=string(metadata.get("feature")),
            max_output=count(fields.max_tokens) if limit is None else limit,
            service_tier=string(fields.service_tier),
        )

    def outgoing(self, body: bytes, facts: Facts) -> bytes:
        """The very same body, or with the request for a stream's usage spliced in."""
        if not facts.stream or facts.include_usage:
            return body
        if not edit.may_contain(body, "stream_options"):
            return edit.append_top_level(body, "stream_options", _USAGE_WANTED)
        return _ask_for_usage(body)

    def outcome(self, body: bytes, status: int) -> Outcome:
        """Read a reply in one piece."""
        if (failure := failed(body, status)) is not None:
            return failure
        if (usual := _usual(body)) is not None:
            return usual
        reply = read(body)
        if reply is None:
            return Outcome()
        seen = _Seen()
        seen.take(reply)
        for choice in objects(reply.choices):
            seen.take_choice(choice, mapping(choice.get("message")))
        return seen.outcome(complete=True)

    def tap(self, facts: Facts) -> ChatTap:
        """A reader for a streamed reply."""
        return ChatTap(hide_usage=not facts.include_usage)

    def prompt(self, body: bytes) -> Prompt:
        """What the request says."""
        found = lenient(_CONVERSATION, body) or _Conversation()
        tools = [*objects(found.tools), *objects(found.functions)]
        return read_prompt(found.messages, tools, found.tool_choice, found.response_format)

    def text(self, body: bytes) -> str:
        """The text of a reply in one piece."""
        choices = objects(mapping(loads(body)).get("choices"))
        return "".join(text for choice in choices for text in spoken(mapping(choice.get("message"))))

    def to_plain(self, stream: bytes) -> bytes:
        """A complete recorded stream as a reply in one piece."""
        return fold(stream)

    def to_stream(self, plain: bytes, *, include_usage: bool) -> list[bytes]:
        """A reply in one piece as chunks, ``[DONE]`` last."""
        return unfold(plain, include_usage=include_usage)

    def restream(self, stream: bytes, *, include_usage: bool) -> list[bytes]:
        """A recorded stream, without its usage chunk for a client that did not ask."""
        return [event for event in sse.split(stream) if include_usage or not _is_usage_only(event)]


class ChatTap(StreamTap):
    """Reads a stream of chunks; withholds the chunk that has nothing but usage if ``hide_usage``."""

    def __init__(self, *, hide_usage: bool) -> None:
        super().__init__()
        self.hides = hide_usage
        self._seen = _Seen()
        self._started = False

    def is_dull(self, chunk: bytes) -> bool:
        """Once the stream has begun, only usage, finish reasons, tool calls, errors and the end matter."""
        return (
            self.first_token
            and chunk.count(b'"usage"') == chunk.count(b'"usage":null')
            and chunk.count(b'"finish_reason"') == chunk.count(b'"finish_reason":null')
            and b"[DONE]" not in chunk
            and b'"error"' not in chunk
            and (self._seen.has_tool_calls or (b'"tool_calls"' not in chunk and b'"function_call"' not in chunk))
        )

    def note(self, event: bytes) -> bool:
        """Take in one event; whether the client may see it."""
        data = sse.data_of(event)
        if data is None or data.strip() == b"[DONE]":
            self.done = self.done or data is not None
            return True
        chunk = read(data)
        if chunk is None:
            return True
        self._seen.take(chunk)
        choices = objects(chunk.choices)
        for choice in choices:
            delta = mapping(choice.get("delta"))
            self._seen.take_choice(choice, delta)
            self.first_token = self.first_token or says_something(delta)
        return not (self.hides and _has_only_usage(chunk))

    def result(self) -> Outcome:
        """Complete once ``[DONE]`` has come."""
        return self._seen.outcome(complete=self.done)

    def text_in(self, data: bytes) -> str:
        """The text of one chunk."""
        choices = objects(mapping(loads(data)).get("choices"))
        return "".join(text for choice in choices for text in spoken(mapping(choice.get("delta"))))


class _Seen:
    """What replies and chunks have said so far; the last word counts."""

    def __init__(self) -> None:
        self.model: str | None = None
        self.response_id: str | None = None
        self.service_tier: str | None = None
        self.raw_usage: bytes | None = None
        self.error: str | None = None
        self.has_tool_calls = False
        self.finish: dict[int, str] = {}

    def take(self, reply: Reply) -> None:
        self.model = string(reply.model) or self.model
        self.response_id = string(reply.id) or self.response_id
        self.service_tier = string(reply.service_tier) or self.service_tier
        self.raw_usage = reply.raw_usage or self.raw_usage
        self.error = error_code({"error": reply.error}) or self.error

    def take_choice(self, choice: dict[str, Any], message: dict[str, Any]) -> None:
        if reason := string(choice.get("finish_reason")):
            self.finish[count(choice.get("index")) or 0] = reason
        self.has_tool_calls = self.has_tool_calls or has_calls(message)

    def outcome(self, *, complete: bool) -> Outcome:
        """Of several choices the first finish reason that is not ``stop`` counts."""
        reasons = [self.finish[index] for index in sorted(self.finish)]
        return Outcome(
            model=self.model,
            response_id=self.response_id,
            finish_reason=next((reason for reason in reasons if reason != "stop"), reasons[0] if reasons else None),
            complete=complete and self.error is None,
            error=self.error,
            has_tool_calls=self.has_tool_calls,
            usage=None if self.raw_usage is None else _usage(self.raw_usage),
            raw_usage=self.raw_usage,
            service_tier=self.service_tier,
        )


def _usual(body: bytes) -> Outcome | None:
    """A reply as most are, read in a third of the time; ``None`` if anything about it is unusual."""
    try:
        reply = _USUAL.decode(body)
    except msgspec.DecodeError:
        return None
    raw, said = bytes(reply.usage), reply.choices[0].message
    usage = usual_usage(raw)
    if usage is None or not (reply.id and reply.model):
        return None
    return Outcome(
        model=reply.model,
        response_id=reply.id,
        finish_reason=reply.choices[0].finish_reason or None,
        complete=True,
        has_tool_calls=bool(said.tool_calls or said.function_call),
        usage=usage,
        raw_usage=raw,
        service_tier=reply.service_tier or None,
    )


def _usage(raw: bytes) -> Usage | None:
    return usual_usage(raw) or (None if (values := usage_of(raw)) is None else openai_usage(values))


def _has_only_usage(chunk: Reply) -> bool:
    return chunk.raw_usage is not None and not chunk.choices and not chunk.error


def _is_usage_only(event: bytes) -> bool:
    """Whether a recorded event is the extra chunk that carries the usage."""
    if b'"usage"' not in event or b'"usage":null' in event:
        return False
    chunk = read(sse.data_of(event))
    return chunk is not None and _has_only_usage(chunk)


def _ask_for_usage(body: bytes) -> bytes:
    span = edit.top_level(body, "stream_options")
    if span is None:
        return edit.append_top_level(body, "stream_options", _USAGE_WANTED)
    options = body[span[0] : span[1]]
    if options == b"null":
        wanted = _USAGE_WANTED
    elif options.startswith(b"{"):
        wanted = edit.replace_top_level(options, "include_usage", b"true")
    else:
        return body  # not an object: the provider says so better than we could
    return b"".join((body[: span[0]], wanted, body[span[1] :]))
