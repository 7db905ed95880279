"""What the two wires make of a request: the same shapes, whoever's API it came by."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from farthing.simulator.answers import Ask, ToolCall
from farthing.simulator.catalog import Model
from farthing.simulator.tokens import PER_MESSAGE, pieces_of
from farthing.types import Usage

Json = dict[str, Any]
Ttl = Literal["5m", "1h"]
UsageShape = Literal["openai", "hidden_thoughts", "deepseek"]
"""How a chat API reports usage: thoughts within the completion, only in the total, or beside hits and misses."""
Finish = Literal["stop", "length", "tool", "stop_sequence"]


class Refusal(Exception):
    """The request gets an error. ``type`` and ``code`` are the provider's own words."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str,  # noqa: A002 - the provider's word
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.headers: dict[str, str] = {}


class Block(msgspec.Struct, frozen=True):
    """A part of a prompt, in the order in which prompts are cached: tools, system, messages."""

    kind: Literal["tools", "system", "message"]
    role: str
    text: str
    ttl: Ttl | None = None
    """A cache marker stands on this block."""
    opens: bool = True
    """The first block of its message: the message's own tokens are counted here."""

    def pieces(self) -> list[str]:
        """The block's tokens."""
        own = pieces_of(self.text)
        return [*PER_MESSAGE, *own] if self.opens and self.kind != "tools" else own


class Call(msgspec.Struct, frozen=True):
    """A request that is understood."""

    model: Model
    ask: Ask
    blocks: tuple[Block, ...]
    stream: bool = False
    include_usage: bool = False
    n: int = 1
    tier: str = "default"
    cache_key: str = ""
    messages_salt: str = ""
    """What spoils the cached messages, but not tools and system, when it changes."""
    stop: tuple[str, ...] = ()
    think: bool = False
    """The model reasons before it writes."""
    call_ids: tuple[str, int] = ("call_", 24)
    """How ids of tool calls begin, and how many letters and digits follow."""
    usage: UsageShape = "openai"
    always_usage: bool = False
    """A chat stream reports usage on its last chunk with a choice, asked or not."""
    shown: bool = False
    """Chat: the model's thoughts are told, in ``reasoning_content``."""
    echo: Json = {}
    """The request, for the APIs that repeat parts of it in the reply."""


class Wording(msgspec.Struct, frozen=True):
    """One finished choice. ``tokens`` counts what is billed for it, ``reasoning`` included."""

    text: str
    tool_calls: tuple[tuple[str, ToolCall], ...]
    """Each with its id."""
    finish: Finish
    tokens: int
    reasoning: int = 0
    stop_sequence: str | None = None


class Done(msgspec.Struct, frozen=True):
    """A finished reply, ready to be rendered."""

    id: str
    created: int
    choices: tuple[Wording, ...]
    usage: Usage
    report: Literal["once", "twice", "never", "zero", "last_choice"] = "once"
    """How usage is reported: all but ``once`` are faults."""


class Event(msgspec.Struct, frozen=True):
    """One server-sent event and the billed output tokens that it carries."""

    data: bytes
    tokens: int = 0


def obj(value: object, what: str) -> Json:
    """The value as a JSON object. Raises ``TypeError`` that names it."""
    if not isinstance(value, dict):
        raise TypeError(f"{what}: expected an object, got {kind_of(value)}")
    return cast("Json", value)


def arr(value: object, what: str) -> list[Any]:
    """The value as a JSON array. Raises ``TypeError`` that names it."""
    if not isinstance(value, list):
        raise TypeError(f"{what}: expected an array, got {kind_of(value)}")
    return cast("list[Any]", value)


def listed(value: object) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def string(value: object, what: str) -> str:
    """The value as a string. Raises ``TypeError`` that names it."""
    if not isinstance(value, str):
        raise TypeError(f"{what}: expected a string, got {kind_of(value)}")
    return value


def integer(value: object, what: str, default: int, *, least: int = 1) -> int:
    """The value as an integer, ``default`` for ``None``. Raises ``TypeError`` that names it."""
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise TypeError(f"{what}: expected an integer of at least {least}, got {kind_of(value)} {value!r}")
    return value


def kind_of(value: object) -> str:
    """JSON's name for the type of a value."""
    names: dict[type, str] = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def dump(value: object) -> str:
    """Compact JSON."""
    return msgspec.json.encode(value).decode()


def in_chunks(text: str, size: int) -> list[str]:
    """The text in chunks of so many tokens."""
    parts = pieces_of(text)
    return ["".join(parts[start : start + size]) for start in range(0, len(parts), size)]
