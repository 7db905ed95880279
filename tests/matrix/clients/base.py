"""What every client of the matrix can do, whatever its library calls it."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import msgspec

Finish = Literal["stop", "tools", "length"]
MOST_TOKENS = 1000


class Called(msgspec.Struct, frozen=True):
    """A call of a tool, as the client's library shows it."""

    id: str
    name: str
    arguments: dict


class Outcome(msgspec.Struct, frozen=True):
    """A reply, as the client's library shows it."""

    text: str
    calls: tuple[Called, ...]
    finish: Finish | str | None
    prompt: int
    """Tokens, cached ones included."""
    output: int
    model: str | None
    """Who answered; ``None`` where the library does not show it."""
    pieces: int | None = None
    """Of text, in a stream."""
    parsed: dict | None = None

    @property
    def wanted(self):
        """Which tools with which arguments."""
        return [(call.name, call.arguments) for call in self.calls]


class Talk(ABC):
    """One conversation. Its history is kept in the library's own objects, as the library's users keep it."""

    as_they_are = False
    """A provider's errors come as the provider has them, in no shape of the API's."""

    def __init__(self, client, *, system=None, tools=(), **more):
        self.client, self.system, self.more = client, system, more
        self.tools = [self.offered(tool) for tool in tools]
        self.history = []

    @abstractmethod
    def offered(self, tool):
        """A tool as the library wants it."""

    @abstractmethod
    def say(self, text, picture=None):
        """The user's turn; ``picture``: a PNG, base64."""

    @abstractmethod
    def give(self, results):
        """What the tools said: pairs of a call and a text."""

    @abstractmethod
    def ask(self, model):
        """The model's turn, in one piece; it is added to the history."""

    @abstractmethod
    def stream(self, model):
        """The model's turn, piece by piece; it is added to the history."""

    @abstractmethod
    def parse(self, model, shape):
        """The model's turn in the shape of a pydantic class."""


class Client(ABC):
    """A library as it is set up for one gateway."""

    name: ClassVar[str]
    wires: ClassVar[dict[str, type[Talk]]]
    """The wires it can speak: ``chat``, ``messages``, ``responses``."""

    def __init__(self, url, key):
        self.url, self.key = url, key

    @abstractmethod
    def errors(self, wire):
        """What the library raises for ``missing``, ``limited``, ``server`` and a stream that is ``broken`` off by an error."""

    def talk(self, wire, **given):
        return self.wires[wire](self, **given)

    @abstractmethod
    def close(self):
        """Gives up what it holds."""
