"""The messages of a chat request, read: the system's words apart, tools' results as parts of the user's turn."""

from __future__ import annotations

from collections.abc import Iterable

from farthing.wire.reading import invalid_field
from farthing.wire.translate import chat_shapes as shapes
from farthing.wire.translate.conversation import (
    Document,
    Image,
    Message,
    Need,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Ttl,
)

_RESULTS = ("tool", "function")
_SYSTEM = ("system", "developer")
_SHOWN = (Text, Image, Document)
_PLAIN_TEXT = "text/plain"


class Turns:
    """Takes in message after message; afterwards it has the turns, and what was noticed on the way."""

    def __init__(self) -> None:
        self.system: list[Text] = []
        self.messages: list[Message] = []
        self.needs: set[Need] = set()
        self.dropped: list[str] = []
        self.functions = False
        self._results: list[ToolResult] = []
        self._function_id = ""

    def read(self, messages: Iterable[shapes.Message]) -> None:
        """Raises ``BadRequest`` that names the message."""
        for at, message in enumerate(messages):
            role = message.role
            if role == "user":
                self._user(message)
            elif role == "assistant":
                if self._results:
                    self._flush()
                self._assistant(at, message)
            elif role in _RESULTS:
                self._results.append(self._result(at, message))
            elif role in _SYSTEM:
                self._hoist(at, message)
            else:
                raise invalid_field(f"The field 'messages[{at}].role' has to be {shapes.EXPECTED['role']}.")
        if self._results:
            self._flush()

    def _flush(self) -> None:
        self.messages.append(Message("user", tuple(self._results)))
        self._results.clear()

    def _hoist(self, at: int, message: shapes.Message) -> None:
        if self.messages or self._results:
            self.dropped.append(f"messages[{at}].role")
        self.system += [part for part in self._content(message) if isinstance(part, Text)]

    def _user(self, message: shapes.Message) -> None:
        parts = self._content(message)
        if self._results:
            parts = [*self._results, *parts]
            self._results.clear()
        self.messages.append(Message("user", tuple(parts), message.name))

    def _assistant(self, at: int, message: shapes.Message) -> None:
        parts = self._content(message)
        if message.thinking_blocks or message.reasoning_content or message.reasoning:
            parts = [*self._thoughts(message), *parts]
        if message.refusal:
            parts.append(Refusal(message.refusal))
        if message.audio is not None:
            self.needs.add("audio")
        if message.tool_calls:
            self._calls(at, message.tool_calls, parts)
        if message.function_call is not None:
            self.functions = True
            self.needs.add("tools")
            self._function_id = f"call_{at}"
            parts.append(_call(self._function_id, message.function_call))
        self.messages.append(Message("assistant", tuple(parts), message.name))

    def _calls(self, at: int, calls: list[shapes.Call], parts: list[Part]) -> None:
        self.needs.add("tools")
        for index, call in enumerate(calls):
            if call.function is None:
                self.needs.add("custom_tools")
            else:
                parts.append(_call(call.id or f"call_{at}_{index}", call.function))

    def _thoughts(self, message: shapes.Message) -> list[Part]:
        """Blocks with signatures say all that the plain field says."""
        if message.thinking_blocks:
            return [thought for block in message.thinking_blocks if (thought := self._thought(block)) is not None]
        plain = message.reasoning_content or message.reasoning
        return [Reasoning(plain)] if isinstance(plain, str) and plain else []

    def _thought(self, block: shapes.ThinkingBlock) -> Reasoning | None:
        if block.signature or block.data:
            self.needs.add("signed_thinking")
        if block.data:
            return Reasoning("", redacted=block.data)
        return None if block.thinking is None else Reasoning(block.thinking, block.signature or None)

    def _result(self, at: int, message: shapes.Message) -> ToolResult:
        self.needs.add("tools")
        call_id = message.tool_call_id
        if message.role == "function":
            self.functions = True
            call_id = self._function_id or f"call_{message.name}"
        elif call_id is None:
            raise invalid_field(
                f"The field 'messages[{at}].tool_call_id' is missing: it has to be the id of a tool call."
            )
        if isinstance(message.content, str):  # a mark on the message is the result's
            parts = (Text(message.content),) if message.content else ()
        else:
            parts = tuple([part for part in self._content(message) if isinstance(part, _SHOWN)])
        return ToolResult(call_id, parts, cache=ttl(message.cache_control))

    def _content(self, message: shapes.Message) -> list[Part]:
        """The parts that can be said here; the others become needs."""
        content = message.content
        if not content:
            return []
        if isinstance(content, str):
            mark = message.cache_control
            return [Text(content) if mark is None else Text(content, ttl(mark))]
        return [said for part in content if (said := self._part(part)) is not None]

    def _part(self, part: shapes.Part) -> Part | None:
        cache = ttl(part.cache_control or part.prompt_cache_breakpoint)
        match part.type:
            case "text":
                return Text(part.text, cache) if part.text else None
            case "image_url" if part.image_url is not None:
                self.needs.add("images")
                return _image(part.image_url, cache)
            case "file" if part.file is not None:
                return self._file(part.file, cache)
            case "refusal":
                return Refusal(part.refusal) if part.refusal else None
            case "input_audio":
                self.needs.add("audio")
            case _:
                self.needs.add("unknown_parts")
        return None

    def _file(self, file: shapes.File, cache: Ttl | None) -> Document | None:
        if file.file_data is None:
            self.needs.add("files")
            return None
        self.needs.add("documents")
        kind, data = split_data_url(file.file_data)
        if data is not None:
            return Document(kind, data, name=file.filename, cache=cache)
        if file.file_data.startswith("data:"):
            self.needs.add("unknown_parts")
            return None
        return Document(url=file.file_data, name=file.filename, cache=cache)


def ttl(mark: shapes.Cache | None) -> Ttl | None:
    """Five minutes or an hour; OpenAI's half hour and half day are the nearest of these."""
    return None if mark is None else "1h" if mark.ttl in ("1h", "12h") else "5m"


def split_data_url(url: str) -> tuple[str | None, str | None]:
    """Media type and base64 of a ``data:`` URL; ``None`` twice if it is another URL, or not in base64.

    >>> split_data_url("data:image/png;base64,iVBOR"), split_data_url("https://example.com/a.png")
    (('image/png', 'iVBOR'), (None, None))
    """
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None, None
    return head[5:-7].partition(";")[0] or _PLAIN_TEXT, data


def _image(found: shapes.ImageUrl | str, cache: Ttl | None) -> Image:
    url, detail = (found, None) if isinstance(found, str) else (found.url, found.detail)
    kind, data = split_data_url(url)
    return Image(kind, data, None if data is not None else url, detail, cache)


def _call(call_id: str, function: shapes.CalledFunction) -> ToolCall:
    return ToolCall(call_id, function.name, function.arguments or "")
