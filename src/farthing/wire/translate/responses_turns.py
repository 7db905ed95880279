"""The input items of OpenAI's responses API as turns of a conversation. Pure.

The API's input is a flat list: what one turn of the model was is several items (reasoning, texts, calls), and so is
what came back to it (results, the user's words).
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from farthing.errors import BadRequest
from farthing.wire.reading import invalid_field, string
from farthing.wire.replies import NOTHING
from farthing.wire.translate.chat_turns_in import split_data_url
from farthing.wire.translate.conversation import (
    Document,
    Image,
    Message,
    Need,
    Part,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Ttl,
)
from farthing.wire.translate.responses_sealed import unsealed

_TTLS: Final[dict[str | None, Ttl]] = {"30m": "5m", "12h": "1h"}
_SYSTEM: Final = ("system", "developer")
_TEXTS: Final = ("input_text", "output_text", "text")
_KINDS: Final[dict[str, Need]] = {
    "item_reference": "stored_state",
    "compaction": "stored_state",
    "compaction_trigger": "stored_state",
    "custom_tool_call": "custom_tools",
    "custom_tool_call_output": "custom_tools",
}
"""Items that cannot cross, and what they need; more of them are known by how they end."""
_HOSTED: Final = ("_call", "_call_output", "_list_tools", "_approval_request", "_approval_response")


class _Breakpoint(msgspec.Struct, gc=False):
    ttl: str | None = None


class InputPart(msgspec.Struct, gc=False):
    """A part of a message, or of what a tool said."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    prompt_cache_breakpoint: _Breakpoint | None = None


class InputItem(msgspec.Struct, gc=False):
    """One item; which fields it has depends on its type."""

    type: str | None = None
    role: str | None = None
    content: str | list[InputPart] | None = None
    id: str | None = None
    call_id: str | None = None
    name: Any = None
    arguments: msgspec.Raw = NOTHING
    output: msgspec.Raw = NOTHING
    encrypted_content: Any = None


_STRING = msgspec.json.Decoder(str)
_OUTPUT: msgspec.json.Decoder[str | list[InputPart]] = msgspec.json.Decoder(str | list[InputPart])


class Turns:
    """Gathers items. ``ttl``: the breakpoints' that do not say theirs."""

    def __init__(self, ttl: str | None) -> None:
        self.system: list[Text] = []
        self.needs: set[Need] = set()
        self.moved: list[str] = []
        """The system's words that stood behind others'."""
        self._ttl = ttl
        self._at = 0
        self._turns: list[tuple[Literal["user", "assistant"], list[Part]]] = []
        self._results: list[Part] | None = None
        """The user's turn after the model's last one, if a tool has answered in it."""
        self._after = self._answers = 0
        """Where that turn stands, and how many results are in it."""

    def messages(self) -> tuple[Message, ...]:
        """The turns."""
        return tuple([Message(role, tuple(parts)) for role, parts in self._turns])

    def say(self, text: str) -> None:
        """The whole input as a string."""
        self._turns.append(("user", [Text(text)]))

    def add(self, item: InputItem, at: int) -> None:
        """One item. Raises ``BadRequest`` that names the field."""
        self._at = at
        kind = item.type or ("message" if item.role else "item_reference" if item.id else "message")
        if kind == "message":
            self._message(item)
        elif kind == "function_call":
            self._call(item)
        elif kind == "function_call_output":
            self._result(item)
        elif kind == "reasoning":
            self._reasoning(item)
        else:
            self.needs.add(_KINDS.get(kind, "server_tools" if kind.endswith(_HOSTED) else "unknown_parts"))

    def _message(self, item: InputItem) -> None:
        content = item.content
        if content is None:
            raise self._wrong("content", "a string or a list of parts")
        parts: list[Part] = [Text(content)] if isinstance(content, str) else self._parts(content, "content")
        if item.role == "user":
            self._users_turn(parts)
        elif item.role == "assistant":
            self._models_turn().extend(parts)
        elif item.role in _SYSTEM:
            self.moved += [f"input[{self._at}].role"] if self._turns else []
            self.system.extend(part for part in parts if isinstance(part, Text))
            if not all(isinstance(part, Text) for part in parts):
                self.needs.add("unknown_parts")
        else:
            raise self._wrong("role", "user, assistant, system or developer")

    def _call(self, item: InputItem) -> None:
        self.needs.add("tools")
        call_id, name = item.call_id, item.name
        if not call_id or not isinstance(name, str) or not name:
            raise self._wrong("name" if call_id else "call_id", "a string")
        try:
            arguments = _STRING.decode(item.arguments)
        except msgspec.DecodeError as error:  # also where nothing is there
            raise self._wrong("arguments", "a string of JSON") from error
        self._models_turn().append(ToolCall(call_id, name, arguments))

    def _models_turn(self) -> list[Part]:
        """The model's turn: the last one, or a new one."""
        self._results = None
        turns = self._turns
        if not turns or turns[-1][0] != "assistant":
            turns.append(("assistant", []))
            self._after = len(turns)
        return turns[-1][1]

    def _users_turn(self, parts: list[Part]) -> None:
        """The user's words join what the tools have just said, or are a turn of their own."""
        if self._results is not None and self._results is self._turns[-1][1]:
            self._results.extend(parts)
        else:
            self._turns.append(("user", parts))

    def _result(self, item: InputItem) -> None:
        """Results stand first in the turn after the model's, also if the user's words came between them."""
        self.needs.add("tools")
        call_id = item.call_id
        if not call_id:
            raise self._wrong("call_id", "a string")
        try:
            output = _OUTPUT.decode(item.output)
        except msgspec.DecodeError as error:
            raise self._wrong("output", "a string or a list of parts") from error
        if isinstance(output, str):
            known: tuple[Text | Image | Document, ...] = (Text(output),)
        else:
            parts = self._parts(output, "output")
            known = tuple([part for part in parts if isinstance(part, Text | Image | Document)])
        if self._results is None:
            self._results, self._answers = [], 0
            self._turns.insert(self._after, ("user", self._results))
        self._results.insert(self._answers, ToolResult(call_id, known))
        self._answers += 1

    def _reasoning(self, item: InputItem) -> None:
        """Thoughts without a seal are of no use to any model, and left out."""
        seal = string(item.encrypted_content)
        if seal is None:
            return
        self.needs.add("signed_thinking")
        try:
            reasoning = unsealed(seal)
        except ValueError as error:
            raise self._wrong("encrypted_content", f"as farthing has written it ({error})") from error
        if reasoning is not None:
            self._models_turn().append(reasoning)

    def _parts(self, given: list[InputPart], field: str) -> list[Part]:
        parts: list[Part] = []
        for n, part in enumerate(given):
            if part.type in _TEXTS and part.text is not None:
                mark = part.prompt_cache_breakpoint
                parts.append(Text(part.text) if mark is None else Text(part.text, self._lasting(mark)))
            elif (other := self._part(part, field, n)) is not None:
                parts.append(other)
        return parts

    def _part(self, part: InputPart, field: str, n: int) -> Part | None:
        mark = part.prompt_cache_breakpoint
        cache = None if mark is None else self._lasting(mark)
        match part.type:
            case "refusal":
                return Refusal(part.refusal or "")
            case "input_image":
                return self._image(part, cache, f"{field}[{n}].image_url")
            case "input_file":
                return self._file(part, cache, f"{field}[{n}].file_data")
            case kind if kind in _TEXTS:
                raise self._wrong(f"{field}[{n}].text", "a string")
            case kind:
                self.needs.add("audio" if kind == "input_audio" else "unknown_parts")
                return None

    def _lasting(self, mark: _Breakpoint) -> Ttl:
        return _TTLS.get(mark.ttl or self._ttl, "5m")

    def _image(self, part: InputPart, cache: Ttl | None, field: str) -> Image | None:
        self.needs.add("images")
        if part.image_url is None:
            self._kept(part, field)
            return None
        media_type, data = split_data_url(part.image_url)
        if data is None:
            return Image(url=part.image_url, detail=part.detail, cache=cache)
        return Image(media_type, data, detail=part.detail, cache=cache)

    def _file(self, part: InputPart, cache: Ttl | None, field: str) -> Document | None:
        self.needs.add("documents")
        if part.file_data is not None:
            media_type, data = split_data_url(part.file_data)
            return Document(media_type, data or part.file_data, name=part.filename, cache=cache)
        if part.file_url is not None:
            return Document(url=part.file_url, name=part.filename, cache=cache)
        self._kept(part, field)
        return None

    def _kept(self, part: InputPart, field: str) -> None:
        """A file that the provider keeps."""
        if part.file_id is None:
            raise self._wrong(field, "a string")
        self.needs.add("files")

    def _wrong(self, field: str, expected: str) -> BadRequest:
        return invalid_field(f"The field 'input[{self._at}].{field}' has to be {expected}.")
