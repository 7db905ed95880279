"""Whether a request may be answered from a cache at all: its shape first, then the words of its question."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from farthing.levers.recall.rules import DATED, OWN_STORY, PAYLOAD, RULES, TIMELY
from farthing.types import Facts, Prompt

LONG = 600
"""Characters beyond which a message is taken for a document with a question before or after it."""
EDGE = 300
"""Characters at a document's beginning and end that may be the question."""

_LINK = re.compile(rb'"(?:url|image_url|file_url)"\s*:\s*"\s*https?:', re.IGNORECASE)
_SEARCHES = re.compile(r"search|sonar", re.IGNORECASE)


class Flags(msgspec.Struct, frozen=True, gc=False):
    """Fields of a body, on whatever wire, that say where the answer comes from."""

    n: Any = None
    tools: Any = None
    functions: Any = None
    mcp_servers: Any = None
    web_search_options: Any = None
    background: Any = None
    previous_response_id: Any = None
    conversation: Any = None
    container: Any = None
    prompt: Any = None
    links: bool = False
    """A picture or document is given by its address: what lies there may change."""


def read_flags(body: bytes, prompt: Prompt) -> Flags:
    """Raises ``msgspec.DecodeError`` if the body is not a JSON object."""
    flags = msgspec.json.decode(body, type=Flags)
    links = prompt.attachments > 0 and _LINK.search(body) is not None
    return msgspec.structs.replace(flags, links=links)


def refusal(operation: str, facts: Facts, prompt: Prompt, flags: Flags, *, conversations: bool = False) -> str | None:
    """The reason why this request may not be answered from a cache, nor its answer stored, or ``None`` if it may.

    ``operation`` as in ``Wire.operation``; embeddings are always welcome, whatever their texts say. ``conversations``
    lets requests through that hold earlier answers of the model: the key covers them to the letter.
    """
    if operation == "embeddings":
        return None
    return _refused_by_shape(facts, prompt, flags, conversations=conversations) or refused_by_words(prompt.question)


def _refused_by_shape(facts: Facts, prompt: Prompt, flags: Flags, *, conversations: bool) -> str | None:
    if flags.mcp_servers or ((flags.tools or flags.functions or prompt.tools) and prompt.tool_choice != "none"):
        return "tools"
    if any(turn.role == "tool" for turn in prompt.turns):
        return "tools"
    if flags.web_search_options is not None or _SEARCHES.search(facts.model or ""):
        return "web_search"
    if flags.n not in (None, 1):
        return "many_choices"
    if flags.background or flags.previous_response_id or flags.conversation or flags.container:
        return "state_elsewhere"
    if isinstance(flags.prompt, dict):  # a template kept by the provider
        return "state_elsewhere"
    if flags.links:
        return "attachments"
    if not conversations and any(turn.role == "assistant" for turn in prompt.turns):
        return "needs_context"
    return None


def refused_by_words(question: str) -> str | None:
    """The reason in the words of a question, read in English; ``None`` if there is none."""
    text = _asked(question)
    for reason, pattern in RULES:
        if pattern.search(text):
            return reason
    if TIMELY.search(text) and not DATED.search(text) and not OWN_STORY.search(text):
        return "time_dependent"
    return None


def _asked(question: str) -> str:
    """The part of a message that asks, in lower case: not the document that it is about."""
    if instruction := PAYLOAD.match(question):
        question = instruction.group()
    elif len(question) > LONG:
        question = f"{question[:EDGE]}\n{question[-EDGE:]}"
    return question.replace("\u2019", "'").lower().strip()
