"""What is kept of a prompt to recognise its template.

A *query type* is a prompt template's fingerprint: the system prompt and the skeleton of the messages, with the varying
parts taken out. All turns of a chat or an agent run have one shape key, however many there are.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

from farthing.insight import titles
from farthing.insight.masking import WILD, Sentence, sentences
from farthing.ledger.records import Shape
from farthing.types import Prompt

SYSTEM_CHARS = 2_000
USER_CHARS = 500
SYSTEM_WORDS = 60
HEAD_WORDS = 8
EXAMPLE_CHARS = 240
TOOL_HEAD = ("<tool>",)
REMEMBERED = 1024

_EMPTY_WORDS = """
you are is a an the ai helpful useful friendly polite knowledgeable concise honest smart expert assistant
chatbot bot model language large chatgpt gpt claude be and answer questions please respond helpfully
"""
GENERIC = frozenset(_EMPTY_WORDS.split())
"""A system prompt of nothing but these words says nothing about the task."""


def shape_of(wire: str, prompt: Prompt, keep_example: bool) -> Shape:
    """The shape of a request that came over ``wire`` (``openai.chat`` …).

    ``key`` is ``operation:format:`` and then either eight hex digits for each masked sentence at the beginning of the
    system prompt, the first of which names the family, or, where the system prompt says nothing, ``~`` and the tools.
    With ``keep_example`` off the title is made of masked words, and of the user's text only the masked head is kept,
    where the system prompt says nothing.
    """
    signature, title = _of_system(prompt.system[:SYSTEM_CHARS], keep_example)
    is_bare = not signature
    head = _head(prompt) if keep_example or is_bare else ()
    if is_bare:
        signature, title = _tools(prompt), _bare_title(prompt, head)
    example = prompt.question[:EXAMPLE_CHARS] if keep_example else ""
    return Shape(f"{operation(wire)}:{prompt.response_format or ''}:{signature}", head, title, example)


def operation(wire: str) -> str:
    """What is done, whichever API it is asked through: one feature may use several."""
    name = wire.rpartition(".")[2]
    return "chat" if name in {"chat", "responses", "messages"} else name


@lru_cache(REMEMBERED)
def _of_system(text: str, keep_example: bool) -> tuple[str, str]:
    """Signature and title by the beginning of a system prompt; both empty if it says nothing about the task.

    Apps send few different ones, over and over.
    """
    system = sentences(text, SYSTEM_WORDS)
    if not _says_something(system):
        return "", ""
    titled = (titles.of_system(text) if keep_example else "") or titles.of_head(system[0])
    return _signature(system), titled


def _says_something(system: list[Sentence]) -> bool:
    return any(word != WILD and word not in GENERIC for sentence in system for word in sentence)


def _signature(system: list[Sentence]) -> str:
    return "".join(f"{crc32(' '.join(sentence).encode('utf-8', 'replace')):08x}" for sentence in system)


def _tools(prompt: Prompt) -> str:
    names = " ".join(sorted(prompt.tools)).encode("utf-8", "replace")
    return f"~{crc32(names):08x}" if names else "~"


def _head(prompt: Prompt) -> tuple[str, ...]:
    """The beginning of the first user message: the same in every turn of a conversation."""
    if prompt.turns and prompt.turns[-1].role == "tool":
        return TOOL_HEAD
    return _head_of(next((turn.text for turn in prompt.turns if turn.role == "user"), "")[:USER_CHARS])


@lru_cache(REMEMBERED)
def _head_of(text: str) -> tuple[str, ...]:
    """Every turn of a conversation begins with the same message."""
    found = sentences(text, HEAD_WORDS)
    return found[0] if found and found[0][-1].endswith(":") else tuple(w for part in found for w in part)[:HEAD_WORDS]


def _bare_title(prompt: Prompt, head: tuple[str, ...]) -> str:
    if prompt.tools:
        return titles.shorten("tools: " + ", ".join(sorted(prompt.tools)))
    return titles.of_head(head)
