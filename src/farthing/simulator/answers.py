"""Who answers: a hook of the user's, or a generator whose texts follow from model and last message alone."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from farthing.simulator.schemas import Json, minimal
from farthing.simulator.words import words
from farthing.types import Turn


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool on offer; ``schema`` is the JSON schema of its arguments."""

    name: str
    schema: Json


class Ask(msgspec.Struct, frozen=True):
    """What is asked, the same for every API.

    ``tool_choice`` is ``auto``, ``required``, ``none`` or the name of a tool; ``schema`` the JSON schema that the
    answer must have; ``json_object`` asks for any JSON object; ``choice`` counts the choices of one request.
    """

    model: str
    system: str
    turns: tuple[Turn, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    schema: Json | None = None
    json_object: bool = False
    max_output: int | None = None
    choice: int = 0
    parallel: bool = True
    """Whether several tools may be called at once."""

    @property
    def question(self) -> str:
        """The text of the last user message, or an empty string."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")


class ToolCall(msgspec.Struct, frozen=True):
    """A call of a tool with these arguments."""

    name: str
    arguments: Json


class Answer(msgspec.Struct, frozen=True):
    """What the model says. ``reasoning_tokens`` are hidden and billed as output."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning_tokens: int = 0


Answers = Callable[[Ask], Answer]

_OPENINGS = (
    "Here is the short version on {topic}.",
    "Thanks for asking about {topic}.",
    "About {topic}: this is usually quick to sort out.",
    "Let us take {topic} step by step.",
    "In most cases {topic} comes down to two things.",
)
_SENTENCES = (
    "Start with the settings page and check that {word} shows the state you expect.",
    "If {word} still looks wrong after that, the cause is most often an older entry that was never closed.",
    "A change to {word} takes effect at once, but the overview is refreshed only every few minutes.",
    "Please keep the reference number at hand, because {word} is looked up by it.",
    "There is no charge for this, and {word} can be set back at any time.",
    "When two records disagree on {word}, the more recent one counts.",
    "The limit that applies to {word} depends on the plan and is shown beside it.",
    "You will find the history of {word} under the same menu, newest first.",
    "It helps to write down what you expected of {word} and what happened instead.",
    "Most people who ask this find that {word} was entered twice.",
    "Once that is done, {word} no longer needs your attention.",
    "Should {word} be missing altogether, add it by hand and save.",
)
_CLOSINGS = ("Does that settle it?", "That is all there is to it.", "Tell me if anything is unclear.", "")
_COMMON = words(
    "about after again also been before being could does from have here into just like more most much only other "
    "please should some such than that their them then there these they this those very want what when where which "
    "while will with would your"
)


def standard_answer(ask: Ask) -> Answer:
    """The default: a tool call or JSON where the request demands it, else a text of a realistic length."""
    dice = random.Random(_seed(ask))  # noqa: S311 - an answer, not a secret
    if tools := _tools_to_call(ask):
        return Answer(
            tool_calls=tuple(
                ToolCall(tool.name, minimal(tool.schema, dice.randrange(2**16), _topic(ask))) for tool in tools
            )
        )
    if ask.schema is not None:
        return Answer(msgspec.json.encode(minimal(ask.schema, dice.randrange(2**16), _topic(ask))).decode())
    if ask.json_object:
        return Answer(msgspec.json.encode({"answer": _prose(ask, dice)}).decode())
    return Answer(_prose(ask, dice))


def _seed(ask: Ask) -> bytes:
    last = ask.turns[-1].text if ask.turns else ""
    return blake2b(f"{ask.model}\x1f{ask.question}\x1f{last}\x1f{ask.choice}".encode(errors="replace")).digest()


def _tools_to_call(ask: Ask) -> list[ToolSpec]:
    """The tool that is demanded, or those that the last user message names (until their results are there)."""
    if not ask.tools or ask.tool_choice == "none":
        return []
    demanded = [tool for tool in ask.tools if tool.name == ask.tool_choice]
    if demanded or (ask.tool_choice != "required" and ask.turns and ask.turns[-1].role != "user"):
        return demanded
    said = ask.question.casefold()
    named = [t for t in ask.tools if t.name.casefold() in said or t.name.casefold().replace("_", " ") in said]
    if ask.tool_choice == "required":
        named = named or [ask.tools[0]]
    return named if ask.parallel else named[:1]


def _words(ask: Ask) -> list[str]:
    found = re.findall(r"[^\W\d_]{4,24}", ask.question[:2000])
    return [word.lower() for word in found if word.lower() not in _COMMON] or ["this"]


def _topic(ask: Ask) -> str:
    return " ".join(_words(ask)[:4])


def _prose(ask: Ask, dice: random.Random) -> str:
    """Three to fourteen sentences; long questions get longer answers."""
    topics = _words(ask)
    longer = min(4, len(ask.question) // 800)
    length = min(len(_SENTENCES), 2 + longer + int(dice.expovariate(0.35)))
    body = [sentence.format(word=dice.choice(topics)) for sentence in dice.sample(_SENTENCES, length)]
    parts = [dice.choice(_OPENINGS).format(topic=_topic(ask)), *body, dice.choice(_CLOSINGS)]
    return " ".join(part for part in parts if part)


def reasoning_tokens(ask: Ask) -> int:
    """How long a reasoning model thinks about this, unless the hook says so: 64 to 640 tokens, in steps of 64."""
    return 64 * random.Random(_seed(ask) + b"think").randint(1, 10)  # noqa: S311


def as_answer(value: Any) -> Answer:  # noqa: ANN401 - what a hook gives is checked here
    """What a hook gave, checked. Raises ``TypeError`` with the way out."""
    if isinstance(value, Answer):
        return value
    raise TypeError(f"the answers hook must return a farthing.simulator.Answer, not {type(value).__name__}")
