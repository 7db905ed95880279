"""The texts in Anthropic requests and replies."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from farthing.types import Prompt, Turn
from farthing.wire.reading import Json, mapping, objects, string

_ATTACHMENTS = ("image", "document", "container_upload", "search_result")


def read_prompt(system: object, messages: object, tools: object, tool_choice: object, output_format: object) -> Prompt:
    """What a messages request says. Tool results become turns of their own, before the user's text."""
    turns: list[Turn] = []
    attachments = 0
    for message in objects(messages):
        blocks = _blocks(message.get("content"))
        attachments += sum(_attachments(block) for block in blocks)
        results = [block for block in blocks if _is_result(block)]
        turns += [Turn("tool", _join(_blocks(block.get("content")))) for block in results]
        if len(results) < len(blocks):
            said = [block for block in blocks if not _is_result(block)]
            turns.append(Turn(string(message.get("role")) or "user", _join(said)))
    choice = mapping(tool_choice)
    kind = string(mapping(output_format).get("type"))
    return Prompt(
        system=_join(_blocks(system)),
        turns=tuple(turns),
        tools=tuple(_tool_names(tools)),
        tool_choice=string(choice.get("name")) or string(choice.get("type")),
        response_format=kind if kind in ("json_schema", "json_object") else None,
        attachments=attachments,
    )


def block_text(block: Json, *, arguments: bool = True) -> str:
    """The text of a content block: text, thinking, a tool's name and (if ``arguments``) its input as JSON."""
    match string(block.get("type")) or "":
        case "text":
            text = block.get("text")
        case "thinking":
            text = block.get("thinking")
        case kind if kind.endswith("tool_use"):
            text = string(block.get("name")) or ""
            if arguments:
                text = f"{text} {msgspec.json.encode(block.get('input')).decode()}"
        case _:
            text = None
    return text if isinstance(text, str) else ""


def _blocks(content: object) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects(content)


def _join(blocks: list[Json]) -> str:
    """What is said in blocks; earlier thinking is left out, as the provider leaves most of it out."""
    return "\n".join(text for block in blocks if block.get("type") != "thinking" and (text := block_text(block)))


def _is_result(block: Json) -> bool:
    return (string(block.get("type")) or "").endswith("tool_result")


def _attachments(block: Json) -> int:
    inner = sum(_attachments(part) for part in objects(block.get("content")))
    return inner + (block.get("type") in _ATTACHMENTS)


def _tool_names(tools: object) -> Iterator[str]:
    for tool in objects(tools):
        if name := string(tool.get("name")) or string(tool.get("type")):
            yield name
