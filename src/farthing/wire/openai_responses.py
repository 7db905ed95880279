"""OpenAI responses. The terminal event of a stream carries the whole response."""

# ruff: noqa: ARG002  (a protocol's methods take what the others of their kind need)

from __future__ import annotations

from typing import Any

import msgspec

from farthing.types import Api, Facts, Outcome, Prompt, Turn, Usage
from farthing.wire import sse
from farthing.wire.openai_chat_text import choice_name, content_text, format_name, tool_names
from farthing.wire.openai_responses_replay import unfold
from farthing.wire.openai_usage import openai_usage
from farthing.wire.reading import (
    Json,
    count,
    has_value,
    invalid_field,
    lenient,
    loads,
    mapping,
    objects,
    request,
    string,
)
from farthing.wire.replies import NOTHING, Reply, error_code, failed, read, usage_of
from farthing.wire.taps import StreamTap

_EXPECTED = {"model": 'a string such as "gpt-4o-mini"', "stream": "true or false"}
_TERMINAL = ("completed", "incomplete", "failed")
_OPEN = ("queued", "in_progress")


class _Request(msgspec.Struct, gc=False):
    model: str | None = None
    prompt: msgspec.Raw = NOTHING
    stream: bool | None = None
    safety_identifier: Any = None
    user: Any = None
    metadata: Any = None
    max_output_tokens: Any = None
    service_tier: Any = None


class _Conversation(msgspec.Struct, gc=False):
    instructions: Any = None
    input: Any = None
    tools: Any = None
    tool_choice: Any = None
    text: Any = None


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    response: Reply | None = None
    item: Any = None
    code: Any = None
    error: Any = None


class _Terminal(msgspec.Struct, gc=False):
    response: msgspec.Raw = NOTHING
    type: str = ""


_REQUEST = msgspec.json.Decoder(_Request)
_CONVERSATION = msgspec.json.Decoder(_Conversation)
_EVENT = msgspec.json.Decoder(_Event)
_TERMINAL_EVENT = msgspec.json.Decoder(_Terminal)


class OpenAIResponses:
    """``POST /v1/responses``."""

    name = "openai.responses"
    api: Api = "openai"
    operation = "chat"

    def facts(self, body: bytes) -> Facts:
        """Raises ``BadRequest`` that names the field. A stored prompt may stand in for the model."""
        fields = request(_REQUEST, body, _EXPECTED)
        if fields.model is None and not has_value(fields.prompt):
            raise invalid_field(f"The field 'model' is missing: it has to be {_EXPECTED['model']}.")
        metadata = mapping(fields.metadata)
        names = (fields.safety_identifier, fields.user, metadata.get("user_id"))
        return Facts(
            model=fields.model,
            stream=bool(fields.stream),
            user=next((found for name in names if (found := string(name))), None),
            feature=string(metadata.get("feature")),
            max_output=count(fields.max_output_tokens),
            service_tier=string(fields.service_tier),
        )

    def outgoing(self, body: bytes, facts: Facts) -> bytes:
        """The very same body: a stream reports its usage without being asked."""
        return body

    def outcome(self, body: bytes, status: int) -> Outcome:
        """Read a reply in one piece."""
        reply = None if status >= 400 else read(body)
        return failed(body, status) or (Outcome() if reply is None else _outcome(reply))

    def tap(self, facts: Facts) -> ResponsesTap:
        """A reader for a streamed reply."""
        return ResponsesTap()

    def prompt(self, body: bytes) -> Prompt:
        """What the request says; what a previous response or a conversation holds is not in it."""
        return _prompt(lenient(_CONVERSATION, body) or _Conversation())

    def text(self, body: bytes) -> str:
        """The text of a reply in one piece."""
        return "".join(_item_text(item) for item in objects(mapping(loads(body)).get("output")))

    def to_plain(self, stream: bytes) -> bytes:
        """The response object of the terminal event, byte for byte. Raises ``ValueError`` if there is none."""
        for event in reversed(sse.split(stream)):
            found = lenient(_TERMINAL_EVENT, sse.data_of(event))
            if found and found.type.removeprefix("response.") in _TERMINAL and has_value(found.response):
                return bytes(found.response)
        raise ValueError("the stream has no terminal event, so there is no whole response in it")

    def to_stream(self, plain: bytes, *, include_usage: bool) -> list[bytes]:
        """A response as numbered events; usage is always in the last one."""
        return unfold(plain)

    def restream(self, stream: bytes, *, include_usage: bool) -> list[bytes]:
        """The events as they were recorded."""
        return sse.split(stream)


class ResponsesTap(StreamTap):
    """Reads a stream of typed events."""

    def __init__(self) -> None:
        super().__init__()
        self._latest = Outcome()
        self._error: str | None = None
        self._calls = False

    def is_dull(self, chunk: bytes) -> bool:
        """Deltas do not matter once one has come; what matters holds a whole response, an error or a call."""
        return (
            self.first_token
            and b'"response"' not in chunk
            and b'"error"' not in chunk
            and (self._calls or b"_call" not in chunk)
        )

    def note(self, event: bytes) -> bool:
        """Take in one event."""
        data = sse.data_of(event) or b""
        if not self.first_token and b'.delta"' in data:
            self.first_token = True
        found = lenient(_EVENT, data)
        if found is None:
            return True
        if found.response is not None:
            self._latest = _outcome(found.response)
            self.done = self._latest.complete
        if found.type == "error" or found.error:
            self._error = string(found.code) or error_code({"error": found.error}) or "error"
        self._calls = self._calls or _is_call(mapping(found.item))
        return True

    def result(self) -> Outcome:
        """Complete once a terminal event has come."""
        latest = self._latest
        return msgspec.structs.replace(
            latest,
            complete=latest.complete and self._error is None,
            error=self._error or latest.error,
            has_tool_calls=latest.has_tool_calls or self._calls,
        )

    def text_in(self, data: bytes) -> str:
        """The text of a delta."""
        if b'.delta"' not in data:
            return ""
        event = mapping(loads(data))
        return string(event.get("delta")) or ""


def _outcome(reply: Reply) -> Outcome:
    """Of a response object; ``finish_reason`` is the reason for being incomplete, else the status."""
    status = string(reply.status)
    output = objects(reply.output)
    values = usage_of(reply.raw_usage)
    return Outcome(
        model=string(reply.model),
        response_id=string(reply.id),
        finish_reason=string(mapping(reply.incomplete_details).get("reason")) or (None if status in _OPEN else status),
        complete=status in _TERMINAL,
        error=error_code({"error": reply.error}),
        has_tool_calls=any(_is_call(item) for item in output),
        usage=None if values is None else _with_searches(openai_usage(values), output),
        raw_usage=reply.raw_usage,
        service_tier=string(reply.service_tier),
    )


def _with_searches(usage: Usage | None, output: list[Json]) -> Usage | None:
    """Web searches are billed by the call, and counted nowhere but in the output."""
    searches = sum(1 for item in output if item.get("type") == "web_search_call" and _searches(item))
    return msgspec.structs.replace(usage, web_searches=searches) if usage is not None and searches else usage


def _searches(item: Json) -> bool:
    return mapping(item.get("action")).get("type", "search") == "search"


def _is_call(item: Json) -> bool:
    """Function, custom and hosted tools alike; also a request for approval."""
    kind = string(item.get("type")) or ""
    return kind.endswith("_call") or kind.startswith("mcp_")


def _prompt(found: _Conversation) -> Prompt:
    system = [found.instructions] if isinstance(found.instructions, str) else []
    turns: list[Turn] = []
    attachments = 0
    items = [{"role": "user", "content": found.input}] if isinstance(found.input, str) else objects(found.input)
    for item in items:
        turn, attached = _turn(item)
        attachments += attached
        if turn is None:
            continue
        if turn.role in ("system", "developer"):
            system.append(turn.text)
        else:
            turns.append(turn)
    return Prompt(
        system="\n".join(system),
        turns=tuple(turns),
        tools=tuple(tool_names(found.tools)),
        tool_choice=choice_name(found.tool_choice),
        response_format=format_name(mapping(found.text).get("format")),
        attachments=attachments,
    )


def _turn(item: Json) -> tuple[Turn | None, int]:
    """An input item as a turn, and how many attachments it has."""
    kind = string(item.get("type")) or "message"
    if kind.endswith("_call_output"):
        text, attached = content_text(item.get("output"))
        return Turn("tool", text), attached
    if kind == "message":
        text, attached = content_text(item.get("content"))
        return Turn(string(item.get("role")) or "user", text), attached
    return (Turn("assistant", text), 0) if _is_call(item) and (text := _item_text(item)) else (None, 0)


def _item_text(item: Json) -> str:
    """The text of an output item: message parts, reasoning, a call's name and input."""
    parts = [*objects(item.get("summary")), *objects(item.get("content"))]
    said = [part.get("text", part.get("refusal")) for part in parts]
    said += [item.get("name"), item.get("arguments"), item.get("input")]
    return " ".join(text for text in said if isinstance(text, str) and text)
