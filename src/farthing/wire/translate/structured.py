"""A JSON schema for models that have no field for it: as a tool that they have to call, or in words. Pure.

``unwrap`` takes the tool away again from what comes back.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from farthing.wire.translate.conversation import Choice, Conversation, Format, Text, Tool

_NAME = "answer"
_LONGEST = 60
"""Characters of a name, of the 64 that both APIs take."""
_STRANGE = re.compile(r"[^a-zA-Z0-9_-]")
_WORDS = "Answer with one JSON object and nothing else. It has to match this JSON Schema:\n"


def as_tool(conversation: Conversation) -> tuple[Conversation, str | None]:
    """The same request with the schema as a tool, and the tool's name.

    Beside other tools that may be called, some tool has to be called, this one or another. Where the client wants one
    of its own called now, this is not the turn that answers: there is no tool then, and no name.
    """
    shape, choice, parallel = conversation.format, conversation.choice, conversation.parallel
    if shape is None or shape.schema is None:
        raise ValueError("there is no schema")
    if choice is not None and choice.mode in ("any", "tool"):
        return replace(conversation, format=None), None
    name = _unused(_STRANGE.sub("_", shape.name or _NAME)[:_LONGEST], {tool.name for tool in conversation.tools})
    tool = Tool(name, shape.description or "Gives the answer.", shape.schema, shape.strict)
    if conversation.tools and (choice is None or choice.mode == "auto"):
        choice = Choice("any")
    else:
        choice, parallel = Choice("tool", name), False
    tools = (*conversation.tools, tool)
    return replace(conversation, tools=tools, choice=choice, format=None, parallel=parallel), name


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
