"""The turns of a conversation as Anthropic takes them.

Its rules: the first turn is the user's, roles alternate, no text is empty, results of tools come first, ids of calls
have only letters, digits, ``_`` and ``-`` and none comes twice, and a last turn of the assistant does not end with
white space.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import Iterable
from itertools import count
from typing import Literal

import msgspec
from msgspec.structs import replace

from farthing.wire.translate.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Ttl,
)
from farthing.wire.translate.messages_shapes import (
    Block,
    Cache,
    DocumentBlock,
    ImageBlock,
    RedactedBlock,
    Source,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    Turn,
)

SILENCE = "(no message)"
"""Said in place of a user's turn where there has to be one."""
Role = Literal["user", "assistant"]
_ID = re.compile(r"[a-zA-Z0-9_-]+")


class _Object(msgspec.Struct):
    """Any JSON object; its fields are skipped."""


_OBJECT = msgspec.json.Decoder(_Object)


def turns(conversation: Conversation, lost: dict[str, None]) -> list[Turn]:
    """The messages as turns; names of what has no place are added to ``lost``."""
    said: list[tuple[Role, list[Block]]] = []
    role: Role = "user"
    for message in conversation.messages:
        role = message.role
        if message.name is not None:
            lost["name"] = None
        blocks = _blocks(message.parts, lost)
        if said and said[-1][0] == role:
            said[-1][1].extend(blocks)
        elif blocks:
            said.append((role, blocks))
    _frame(said, last=role)
    _distinguish(said)
    return [Turn(role, _tidy(role, blocks)) for role, blocks in said]


def _frame(said: list[tuple[Role, list[Block]]], last: Role) -> None:
    """The user speaks first, and last if that was so. What the model shall go on with ends with no white space."""
    if not said or said[0][0] != "user":
        said.insert(0, ("user", [TextBlock(SILENCE)]))
    role, blocks = said[-1]
    if role != "user" and last == "user":
        said.append(("user", [TextBlock(SILENCE)]))
    elif role != "user" and isinstance(end := blocks[-1], TextBlock):
        blocks[-1] = TextBlock(end.text.rstrip(), end.cache_control)


def _distinguish(said: list[tuple[Role, list[Block]]]) -> None:
    """Every call by an id of its own: some servers count theirs anew in every turn, and Anthropic refuses that."""
    seen: set[str] = set()
    now: dict[str, str] = {}
    for _, blocks in said:
        for at, block in enumerate(blocks):
            if type(block) is ToolUseBlock:
                now[block.id] = own = _free(block.id, seen)
                seen.add(own)
                if own != block.id:
                    blocks[at] = replace(block, id=own)
            elif type(block) is ToolResultBlock and (own := now.get(block.tool_use_id)) not in (
                None,
                block.tool_use_id,
            ):
                blocks[at] = replace(block, tool_use_id=own)


def _free(wanted: str, taken: set[str]) -> str:
    return wanted if wanted not in taken else next(one for n in count(2) if (one := f"{wanted}_{n}") not in taken)


def _tidy(role: Role, blocks: list[Block]) -> str | list[Block]:
    """Results first; a text alone as a string."""
    if role == "user" and len(blocks) > 1:
        blocks.sort(key=lambda block: type(block) is not ToolResultBlock)
    return _short(blocks)


def _short(blocks: list[Block]) -> str | list[Block]:
    only = blocks[0]
    return only.text if len(blocks) == 1 and isinstance(only, TextBlock) and only.cache_control is None else blocks


def _blocks(parts: Iterable[Part], lost: dict[str, None]) -> list[Block]:
    found: list[Block] = []
    for part in parts:
        block = text_block(part.text, part.cache) if type(part) is Text else _block(part, lost)
        if block is not None:
            found.append(block)
    return found


def _block(part: Part, lost: dict[str, None]) -> Block | None:
    match part:
        case ToolCall():
            return ToolUseBlock(call_id(part.id), part.name, tool_input(part.arguments), cache(part.cache))
        case ToolResult():
            return _result(part, lost)
        case Text():
            return text_block(part.text, part.cache)
        case Refusal():
            return text_block(part.text)
        case Image():
            return _image(part, lost)
        case Document():
            return _document(part)
        case Reasoning():
            return _reasoning(part, lost)


def text_block(text: str, ttl: Ttl | None = None) -> TextBlock | None:
    """``None`` for white space alone: Anthropic refuses it."""
    if not text or text.isspace():
        return None
    return TextBlock(text) if ttl is None else TextBlock(text, cache(ttl))


def cache(ttl: Ttl | None) -> Cache | None:
    """A breakpoint; five minutes need not be said."""
    return None if ttl is None else Cache("1h" if ttl == "1h" else None)


def call_id(given: str) -> str:
    """The id of a call as Anthropic takes it; the same for the call and its result.

    >>> call_id("call_1"), call_id("functions.get:0")
    ('call_1', 'call_019a016c6d9a97873778a4dd')
    """
    return given if _ID.fullmatch(given) else "call_" + hashlib.sha256(given.encode()).hexdigest()[:24]


def tool_input(arguments: str) -> msgspec.Raw:
    """Arguments as a JSON object; what is none is kept as ``{"input": …}``.

    >>> [bytes(tool_input(each)) for each in ('{"a": 1}', "", "[1]")]
    [b'{"a": 1}', b'{}', b'{"input":"[1]"}']
    """
    written = arguments.encode(errors="replace")
    try:
        _OBJECT.decode(written)
    except (msgspec.DecodeError, RecursionError):
        written = msgspec.json.encode({"input": arguments}) if written.strip() else b"{}"
    return msgspec.Raw(written)


def _result(part: ToolResult, lost: dict[str, None]) -> ToolResultBlock:
    blocks = _blocks(part.parts, lost)
    content = _short(blocks) if blocks else None
    return ToolResultBlock(call_id(part.call_id), content, part.is_error or None, cache(part.cache))


def _image(part: Image, lost: dict[str, None]) -> ImageBlock:
    if part.detail is not None:
        lost["detail"] = None
    if part.url is not None:
        source = Source("url", url=part.url)
    else:
        source = Source("base64", part.media_type or "image/png", part.data or "")
    return ImageBlock(source, cache(part.cache))


def _document(part: Document) -> DocumentBlock:
    return DocumentBlock(_source(part), part.name, cache_control=cache(part.cache))


def _source(part: Document) -> Source:
    """Anthropic takes PDF as base64, and text as text."""
    if part.text is not None:
        return Source("text", "text/plain", part.text)
    if part.url is not None:
        return Source("url", url=part.url)
    kind = part.media_type or "application/pdf"
    data = part.data or ""
    if kind.startswith("text/") and (text := _plain(data)) is not None:
        return Source("text", "text/plain", text)
    return Source("base64", kind, data)


def _plain(data: str) -> str | None:
    """The text in base64; ``None`` if there is none."""
    try:
        return b64decode(data).decode()
    except ValueError:
        return None


def _reasoning(part: Reasoning, lost: dict[str, None]) -> Block | None:
    """Only what is signed may go back."""
    if part.redacted is not None:
        return RedactedBlock(part.redacted)
    if part.signature is not None:
        return ThinkingBlock(part.text, part.signature)
    lost["reasoning"] = None
    return None
