"""A JSON schema for models that have no field for it: as a tool that they have to call, or in words. Pure.

``unwrap`` takes the tool away again from what comes back.
"""

from __future__ import annotations

from msgspec.structs import replace

from farthing.wire.translate.conversation import Choice, Conversation, Format, Text, Tool

_NAME = "answer"
_WORDS = "Answer with one JSON object and nothing else. It has to match this JSON Schema:\n"


def as_tool(conversation: Conversation) -> tuple[Conversation, str]:
    """The same request with the schema as a tool, and the tool's name.

    Beside other tools that may be called, some tool has to be called, this one or another; a tool that the client
    insists on comes first. Without others it is this one, once.
    """
    shape = conversation.format
    if shape is None or shape.schema is None:
        raise ValueError("there is no schema")
    name = _unused(shape.name or _NAME, {tool.name for tool in conversation.tools})
    tool = Tool(name, shape.description or "Gives the answer.", shape.schema, shape.strict)
    choice = conversation.choice
    alone = not conversation.tools or (choice is not None and choice.mode == "none")
    if alone:
        choice = Choice("tool", name)
    elif choice is None or choice.mode != "tool":
        choice = Choice("any")
    parallel = False if alone else conversation.parallel
    changed = replace(conversation, tools=(*conversation.tools, tool), choice=choice, format=None, parallel=parallel)
    return changed, name


def in_words(conversation: Conversation) -> Conversation:
    """The same request with the schema at the end of the system's words, and an answer that has to be JSON."""
    shape = conversation.format
    if shape is None or shape.schema is None:
        raise ValueError("there is no schema")
    words = Text(_WORDS + bytes(shape.schema).decode())
    return replace(conversation, system=(*conversation.system, words), format=Format("json_object"))


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
