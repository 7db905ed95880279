"""Reading a request to Anthropic's messages API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from farthing.wire.reading import (
    Json,
    Value,
    decode,
    has_value,
    invalid_field,
    loads,
    mapping,
    objects,
    request,
    string,
)
from farthing.wire.translate.conversation import (
    Choice,
    Conversation,
    Document,
    Effort,
    Format,
    Image,
    Message,
    Need,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Ttl,
)
from farthing.wire.translate.messages_shapes import (
    KINDS,
    Block,
    Cache,
    ChoiceShape,
    DocumentBlock,
    ImageBlock,
    RedactedBlock,
    Request,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolShape,
    ToolUseBlock,
    Turn,
)

_MOST_STOPS = 4
"""As many as OpenAI's API takes."""
_EXPECTED = {
    "model": 'a string such as "claude-haiku-4-5"',
    "messages": "an array of messages",
    "max_tokens": "a whole number",
    "system": "a string or an array of text blocks",
    "tools": "an array of tools",
    "stop_sequences": "an array of strings",
    "stream": "true or false",
}
_COSMETIC = ("context_management", "diagnostics", "service_tier", "speed", "user_profile_id", "workspace_id")
"""Fields that change how an answer is made, not what is asked."""
_TOOL_HINTS = ("input_examples", "eager_input_streaming", "defer_loading")
_ELSEWHERE: tuple[tuple[str, Need], ...] = (
    ("container", "stored_state"),
    ("mcp_servers", "server_tools"),
    ("inference_geo", "residency"),
)
_EFFORTS: dict[str, Effort] = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_MODES = ("auto", "none", "any", "tool")
_FIELDS = frozenset(Request.__struct_fields__)
_REQUEST = msgspec.json.Decoder(Request)


def read(body: bytes) -> Conversation:
    """What a messages request asks for. Raises ``BadRequest`` that names the field."""
    found, strange = _decoded(body)
    reader = _Reader(strange)
    system, turns = reader.system(found)
    messages = _marked(tuple(Message(*reader.turn(turn)) for turn in turns), found.cache_control)
    thinking = reader.thinking(found)
    return Conversation(
        model=found.model,
        messages=messages,
        system=system,
        tools=reader.tools(found.tools),
        choice=_choice(found.tool_choice),
        parallel=_parallel(found.tool_choice),
        format=reader.format(found),
        max_output=found.max_tokens,
        temperature=found.temperature,
        top_p=found.top_p,
        top_k=found.top_k,
        stop=reader.stops(found),
        thinking=thinking,
        stream=bool(found.stream),
        user=reader.user(found),
        needs=reader.rest(found),
        dropped=tuple(reader.dropped),
    )


def _decoded(body: bytes) -> tuple[Request, list[str]]:
    """The request, and its top-level fields that are not known here."""
    try:
        return decode(_REQUEST, body), []
    except (msgspec.DecodeError, RecursionError):
        known, strange = _known_only(body)
        return request(_REQUEST, known, _EXPECTED), strange


def _known_only(body: bytes) -> tuple[bytes, list[str]]:
    """The body without what is not known here: fields left out and named, blocks marked as unknown."""
    values = loads(body)
    if not isinstance(values, dict):
        return body, []
    fields = cast("Json", values)
    strange = [name for name in fields if name not in _FIELDS]
    for message in objects(fields.get("messages")):
        _mark_unknown(message)
    return msgspec.json.encode({name: value for name, value in fields.items() if name in _FIELDS}), strange


def _mark_unknown(holder: Json) -> None:
    """Blocks of unknown kinds in a message, a tool's result or a document's source become ``unknown``."""
    content: Value = holder.get("content")
    if not isinstance(content, list):
        return
    blocks = cast("list[Value]", content)
    for at, block in enumerate(blocks):
        kind = mapping(block).get("type")
        if isinstance(kind, str) and kind not in KINDS:
            blocks[at] = {"type": "unknown"}
        elif kind == "tool_result":
            _mark_unknown(block)
        elif kind == "document":
            _mark_unknown(mapping(block.get("source")))


class _Reader:
    """Reads one request, and notes what it needs and what cannot cross."""

    def __init__(self, strange: list[str]) -> None:
        self.needs: set[Need] = set()
        self.dropped = dict.fromkeys(strange)
        """Names in order, without repeats."""

    def turn(self, turn: Turn) -> tuple[Any, tuple[Part, ...]]:
        """Role and parts of a message."""
        if turn.role == "system":
            self.needs.add("unknown_parts")
            return "user", ()
        content = turn.content
        if isinstance(content, str):
            return turn.role, (Text(content),) if content else ()
        parts: list[Part] = []
        for block in content:
            kind = type(block)
            if kind is TextBlock:
                parts.append(self._text(block))  # pyright: ignore[reportArgumentType]
            else:
                parts += self._parts(block)
        return turn.role, tuple(parts)

    def _parts(self, block: Block) -> Iterable[Part]:
        match block:
            case ToolUseBlock():
                return (self._call(block),)
            case ToolResultBlock():
                return (self._result(block),)
            case ThinkingBlock():
                if block.signature:
                    self.needs.add("signed_thinking")
                return (Reasoning(block.thinking, block.signature or None),)
            case RedactedBlock():
                self.needs.add("signed_thinking")
                return (Reasoning("", redacted=block.data),)
            case _:
                return self._shown(block)

    def _shown(self, block: Block) -> Iterable[Text | Image | Document]:
        """What may also stand in a tool's result."""
        match block:
            case TextBlock():
                return (self._text(block),)
            case ImageBlock():
                return self._image(block)
            case DocumentBlock():
                return self._document(block)
            case _:
                self.needs.add("unknown_parts")
                return ()

    def _text(self, block: TextBlock) -> Text:
        if block.citations is not None:
            self.dropped["citations"] = None
        return Text(block.text) if block.cache_control is None else Text(block.text, _ttl(block.cache_control))

    def _call(self, block: ToolUseBlock) -> ToolCall:
        self.needs.add("tools")
        if block.toolset_name or mapping(block.caller).get("type", "direct") != "direct":
            self.needs.add("server_tools")
        return ToolCall(
            block.id, block.name, bytes(block.input).decode(errors="replace") or "{}", _ttl(block.cache_control)
        )

    def _result(self, block: ToolResultBlock) -> ToolResult:
        self.needs.add("tools")
        if block.toolset_name:
            self.needs.add("server_tools")
        content = block.content or ()
        if isinstance(content, str):
            parts: tuple[Text | Image | Document, ...] = (Text(content),)
        else:
            parts = tuple(part for each in content for part in self._shown(each))
        return ToolResult(block.tool_use_id, parts, bool(block.is_error), _ttl(block.cache_control))

    def _image(self, block: ImageBlock) -> Iterable[Image]:
        source, cache = block.source, _ttl(block.cache_control)
        self.needs.add("images")
        if block.transformations is not None:
            self.dropped["transformations"] = None
        if source.type == "base64":
            return (Image(source.media_type, source.data or "", cache=cache),)
        if source.type == "url":
            return (Image(url=source.url or "", cache=cache),)
        self.needs.add("files" if source.type == "file" else "unknown_parts")
        return ()

    def _document(self, block: DocumentBlock) -> Iterable[Text | Image | Document]:
        """A file; what is said about it stands before it."""
        if mapping(block.citations).get("enabled"):
            self.needs.add("citations")
        about = [Text(block.context)] if block.context else []
        return [*about, *self._file(block)]

    def _file(self, block: DocumentBlock) -> Iterable[Text | Image | Document]:
        source, name, cache = block.source, block.title, _ttl(block.cache_control)
        self.needs.add("documents")
        match source.type:
            case "base64":
                return (Document(source.media_type, source.data or "", name=name, cache=cache),)
            case "text":
                return (Document(text=source.data or "", name=name, cache=cache),)
            case "url":
                return (Document(url=source.url or "", name=name, cache=cache),)
            case "content":
                return self._chunks(source.content or (), name, cache)
            case kind:
                self.needs.add("files" if kind == "file" else "unknown_parts")
                return ()

    def _chunks(
        self, content: str | Iterable[Block], name: str | None, cache: Ttl | None
    ) -> Iterable[Image | Document]:
        """A document in pieces: the texts as one, pictures after it."""
        if isinstance(content, str):
            return (Document(text=content, name=name, cache=cache),)
        parts = [part for each in content for part in self._shown(each)]
        text = "\n\n".join(part.text for part in parts if isinstance(part, Text))
        return [Document(text=text, name=name, cache=cache), *(part for part in parts if isinstance(part, Image))]

    def system(self, found: Request) -> tuple[tuple[Text, ...], list[Turn]]:
        """The system prompt, with the system messages before all others, and the other messages."""
        words = found.system
        parts = [Text(words)] if isinstance(words, str) and words else [self._text(each) for each in words or ()]
        turns = found.messages
        while turns and turns[0].role == "system":
            first, *turns = turns
            said = first.content
            parts += (
                [Text(said)] if isinstance(said, str) else [p for b in said for p in self._shown(b) if type(p) is Text]
            )
        return tuple(parts), turns

    def tools(self, shapes: list[ToolShape] | None) -> tuple[Tool, ...]:
        """The client's own tools."""
        return tuple(tool for at, shape in enumerate(shapes or ()) if (tool := self._tool(at, shape)))

    def _tool(self, at: int, shape: ToolShape) -> Tool | None:
        if shape.type is not None and shape.type != "custom":
            self.needs.add("server_tools")
            return None
        if not shape.name:
            raise invalid_field(f"The field 'tools[{at}].name' is missing: it has to be the name of the tool.")
        self.needs.add("tools")
        if shape.allowed_callers and any(caller != "direct" for caller in shape.allowed_callers):
            self.needs.add("server_tools")
        for hint in _TOOL_HINTS:
            if getattr(shape, hint) is not None:
                self.dropped[hint] = None
        schema = shape.input_schema
        known = schema if has_value(schema) else None
        return Tool(shape.name, shape.description, known, shape.strict, _ttl(shape.cache_control))

    def format(self, found: Request) -> Format | None:
        """The answer's shape; the older ``output_format`` is read, too."""
        shape = (found.output_config and found.output_config.format) or found.output_format
        if shape is None:
            return None
        self.needs.add("json_schema")
        return Format("json_schema", schema=shape.schema if has_value(shape.schema) else None)

    def thinking(self, found: Request) -> Thinking | None:
        """Who only gives an effort does not ask for thinking to be seen: that alone needs no special model."""
        effort = _EFFORTS.get((found.output_config and found.output_config.effort) or "")
        shape = found.thinking
        if shape is None:
            return Thinking(effort) if effort else None
        if shape.display is not None:
            self.dropped["thinking.display"] = None
        if shape.type == "disabled":
            if effort:
                self.dropped["output_config.effort"] = None
            return Thinking("none")
        self.needs.add("thinking")
        return Thinking(effort, shape.budget_tokens)

    def stops(self, found: Request) -> tuple[str, ...]:
        """Where to stop."""
        stops = tuple(found.stop_sequences or ())
        if len(stops) > _MOST_STOPS:
            self.needs.add("many_stops")
        return stops

    def user(self, found: Request) -> str | None:
        """Who asks; ``user`` is no field of this API, but farthing takes it."""
        metadata = found.metadata
        if metadata is None:
            return string(found.user)
        if metadata.keys() - {"user_id"}:
            self.dropped["metadata"] = None
        return string(metadata.get("user_id")) or string(found.user)

    def rest(self, found: Request) -> frozenset[Need]:
        """All needs, with those of fields that are not read."""
        for name in _COSMETIC:
            if getattr(found, name) is not None:
                self.dropped[name] = None
        for name, need in _ELSEWHERE:
            if getattr(found, name):
                self.needs.add(need)
        return frozenset(self.needs)


def _ttl(cache: Cache | None) -> Ttl | None:
    if cache is None:
        return None
    return "1h" if cache.ttl == "1h" else "5m"


def _choice(shape: ChoiceShape | None) -> Choice | None:
    if shape is None:
        return None
    if shape.type == "tool" and not shape.name:
        raise invalid_field("The field 'tool_choice.name' is missing: it has to be the name of the tool.")
    for mode in _MODES:
        if mode == shape.type:
            return Choice(mode, shape.name if mode == "tool" else None)
    raise invalid_field("The field 'tool_choice.type' has to be 'auto', 'any', 'tool' or 'none'.")


def _parallel(shape: ChoiceShape | None) -> bool | None:
    return None if shape is None or shape.disable_parallel_tool_use is None else not shape.disable_parallel_tool_use


def _marked(messages: tuple[Message, ...], top: Cache | None) -> tuple[Message, ...]:
    """A breakpoint at the top of a request stands for one after the last part that can have one."""
    if top is None or not messages or not messages[-1].parts:
        return messages
    *before, last = messages
    *parts, end = last.parts
    if isinstance(end, Reasoning) or getattr(end, "cache", None) is not None:
        return messages
    return (*before, replace(last, parts=(*parts, replace(end, cache=_ttl(top)))))
