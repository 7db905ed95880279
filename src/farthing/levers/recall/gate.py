"""Whether a request may be answered from a cache at all: its shape first, then the words of its question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from farthing.levers.recall.gate_model import load
from farthing.levers.recall.rules import DATED, FRAGMENT, OWN_STORY, PAYLOAD, Rules
from farthing.levers.recall.rules_asker import ACTION, CREATIVE, NEEDS_CONTEXT, PERSONAL
from farthing.levers.recall.rules_languages import FOREIGN_SCRIPT, PRESENT, REPORTED
from farthing.levers.recall.rules_world import LIVE_DATA, TIMELY
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
    roles = {turn.role for turn in prompt.turns}
    offered = flags.tools or flags.functions or prompt.tools
    template = isinstance(flags.prompt, dict)  # kept by the provider, who may have a newer version
    kept = flags.background or flags.previous_response_id or flags.conversation or flags.container or template
    checks = (
        ("tools", "tool" in roles or flags.mcp_servers or (offered and prompt.tool_choice != "none")),
        ("web_search", flags.web_search_options is not None or _SEARCHES.search(facts.model or "")),
        ("many_choices", flags.n not in (None, 1)),
        ("state_elsewhere", kept),
        ("attachments", flags.links),
        ("needs_context", "assistant" in roles and not conversations),
    )
    return next((reason for reason, holds in checks if holds), None)


def refused_by_words(question: str) -> str | None:
    """The reason in the words of a question; ``None`` if there is none."""
    text = _asked(question)
    if reason := refused_by_rules(text):
        return reason
    document = len(text) < len(question.strip())
    return "doubtful" if not document and _MODEL.doubts(text) else None


def refused_by_rules(text: str) -> str | None:
    """The reason that a rule gives, for the part of a message that asks, in lower case."""
    if not text.isascii() and _UNREAD.search(text):
        return "language"
    timely = False
    for word in dict.fromkeys(_WORD.findall(text)):
        for reason, pattern in _INDEX.get(word, ()):
            if pattern is None or pattern.search(text):
                if reason != "time_dependent":
                    return reason
                timely = True
    if timely and not _DATED.search(text) and not _OWN_STORY.search(text):
        return "time_dependent"
    return "needs_context" if _FRAGMENT.match(text) else None


def _asked(question: str) -> str:
    """The part of a message that asks, in lower case: not the document that it is about."""
    question = question.strip()
    if instruction := _PAYLOAD.match(question):
        question = instruction.group()
    elif len(question) > LONG:
        question = f"{question[:EDGE]}\n{question[-EDGE:]}"
    return question.replace("\u2019", "'").lower()


def _index(rules: Mapping[str, Rules]) -> dict[str, list[tuple[str, re.Pattern[str] | None]]]:
    """Every word with the reasons and patterns it calls for."""
    index: dict[str, list[tuple[str, re.Pattern[str] | None]]] = {}
    for reason, entries in rules.items():
        for words, pattern in entries:
            listed = words.split()
            compiled = re.compile(pattern.replace("<>", f"(?:{'|'.join(listed)})")) if pattern else None
            for word in listed:
                index.setdefault(word, []).append((reason, compiled))
    return index


_MODEL = load()
_WORD = re.compile(r"[^\W\d_]+")
_UNREAD = re.compile(FOREIGN_SCRIPT)
_FRAGMENT = re.compile(FRAGMENT)
_DATED = re.compile(DATED)
_OWN_STORY = re.compile(OWN_STORY)
_PAYLOAD = re.compile(PAYLOAD, re.IGNORECASE)
_INDEX = _index(
    {
        "action": ACTION,
        "live_data": LIVE_DATA + REPORTED,
        "personal": PERSONAL,
        "creative": CREATIVE,
        "needs_context": NEEDS_CONTEXT,
        "time_dependent": TIMELY + PRESENT,
    }
)
