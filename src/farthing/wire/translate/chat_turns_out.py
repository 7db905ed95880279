"""A conversation's turns as the messages of a chat request.

What has only words is one string: not every compatible endpoint takes a list of parts. Tools' results are messages of
their own right after the calls; pictures and files in them follow in the user's message, for there they may be.
"""

from __future__ import annotations

import base64
import re
from hashlib import blake2b

from farthing.wire.reading import Json
from farthing.wire.translate.conversation import (
    Document,
    Image,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Traits,
)

_GAP = "\n\n"
_LONGEST_ID = 40
_MISTRAL = re.compile(r"[a-zA-Z0-9]{9}")
_FILE_NAME = "document.pdf"
_BINARY = "application/octet-stream"


class Turned:
    """Writes turn after turn; afterwards it has the messages, and the names of what was left out."""

    def __init__(self, traits: Traits) -> None:
        self.messages: list[Json] = []
        self.dropped: list[str] = []
        self._id = call_id_for_mistral if traits.call_ids == "mistral" else short_call_id
        self._system_role = "developer" if traits.developer_role else "system"

    def system(self, texts: tuple[Text, ...]) -> None:
        """All of the system's words in one message: some models' templates take no more."""
        if texts:
            words = [part["text"] for part in self._shown(texts)]
            self.messages.append({"role": self._system_role, "content": _GAP.join(words)})

    def turn(self, message: Message) -> None:
        """One turn, which may be several messages."""
        parts = message.parts
        if message.role == "assistant":
            written = self._said(parts)
        elif (words := _only_words(parts)) is not None:
            written: Json = {"role": "user", "content": words}
        else:
            content = self._shown(parts)
            if not content and parts:
                return  # tools' results alone
            written = {"role": "user", "content": _plain(content)}
        if message.name is not None:
            written["name"] = message.name
        self.messages.append(written)

    def _said(self, parts: tuple[Part, ...]) -> Json:
        """What the model said: text, refusal and calls; thoughts are left out."""
        if (words := _only_words(parts)) is not None:
            return {"role": "assistant", "content": words}
        texts: list[str] = []
        refusals: list[str] = []
        calls: list[Json] = []
        for part in parts:
            if type(part) is Text:
                texts.append(part.text)
                self._note_mark(part)
            elif type(part) is ToolCall:
                calls.append(self._call(part))
            elif type(part) is Refusal:
                refusals.append(part.text)
            elif type(part) is Reasoning:
                self.dropped.append("thinking")
        content = "".join(texts) if texts or not (calls or refusals) else None
        written: Json = {"role": "assistant", "content": content}
        if refusals:
            written["refusal"] = "".join(refusals)
        if calls:
            written["tool_calls"] = calls
        return written

    def _call(self, call: ToolCall) -> Json:
        self._note_mark(call)
        function = {"name": call.name, "arguments": call.arguments}
        return {"id": self._id(call.id), "type": "function", "function": function}

    def _shown(self, parts: tuple[Part, ...]) -> list[Json]:
        """What stands in a user's message; results of tools are messages before it."""
        content: list[Json] = []
        for part in parts:
            if type(part) is ToolResult:
                content += self._result(part)
            elif type(part) is Text:
                content.append({"type": "text", "text": part.text})
                self._note_mark(part)
            elif type(part) is Image:
                content.append({"type": "image_url", "image_url": _image(part)})
                self._note_mark(part)
            elif type(part) is Document:
                content.append(_document(part))
                self._note_mark(part)
        return content

    def _result(self, result: ToolResult) -> list[Json]:
        """Adds the tool's message, in words; gives the rest of the result."""
        self._note_mark(result)
        if result.is_error:
            self.dropped.append("is_error")
        rest: list[Json] = []
        if (words := _only_words(result.parts)) is None:
            shown = self._shown(result.parts)
            words = _GAP.join([part["text"] for part in shown if part["type"] == "text"])
            rest = [part for part in shown if part["type"] != "text"]
        self.messages.append({"role": "tool", "tool_call_id": self._id(result.call_id), "content": words})
        return rest

    def _note_mark(self, part: Text | Image | Document | ToolCall | ToolResult) -> None:
        if part.cache is not None:
            self.dropped.append("cache_control")


def call_id_for_mistral(call_id: str) -> str:
    """Exactly nine letters and digits, always the same for the same id.

    >>> call_id_for_mistral("D681PevKs"), len(call_id_for_mistral("toolu_01A09q90qw90lq917835lq9"))
    ('D681PevKs', 9)
    """
    if _MISTRAL.fullmatch(call_id):
        return call_id
    return base64.b32encode(blake2b(call_id.encode("utf-8", "replace"), digest_size=10).digest()).decode()[:9]


def short_call_id(call_id: str) -> str:
    """The id, or a digest of it where it is longer than the 40 characters that OpenAI takes.

    >>> short_call_id("call_1"), len(short_call_id("x" * 41))
    ('call_1', 37)
    """
    if len(call_id) <= _LONGEST_ID:
        return call_id
    return "call_" + blake2b(call_id.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _only_words(parts: tuple[Part, ...]) -> str | None:
    """The words where there is nothing else, no mark either: so are most turns and results."""
    if len(parts) == 1 and type(only := parts[0]) is Text and only.cache is None:
        return only.text
    return None


def _plain(content: list[Json]) -> str | list[Json]:
    """One string where there are only words."""
    words = [part["text"] for part in content if part["type"] == "text"]
    return _GAP.join(words) if len(words) == len(content) else content


def _image(image: Image) -> Json:
    url = image.url if image.data is None else f"data:{image.media_type or 'image/png'};base64,{image.data}"
    return {"url": url} if image.detail is None else {"url": url, "detail": image.detail}


def _document(document: Document) -> Json:
    """Text as text, else a file. A file's URL is what OpenRouter takes; OpenAI refuses it and says so."""
    if document.text is not None:
        return {"type": "text", "text": document.text}
    data = document.url if document.data is None else f"data:{document.media_type or _BINARY};base64,{document.data}"
    return {"type": "file", "file": {"filename": document.name or _FILE_NAME, "file_data": data}}
