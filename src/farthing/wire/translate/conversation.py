"""What a request asks for, in no provider's words: read from one wire, written to another. Frozen; no I/O.

A conversation has what both APIs can say. What only one of them can say is either cosmetic, and then named in
``dropped`` (``x-farthing-route`` lists it), or it matters, and then named in ``needs``: a model that cannot honour it
is not chosen.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Ttl = Literal["5m", "1h"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Text(msgspec.Struct, frozen=True, gc=False):
    """Words. ``cache``: a prompt-cache breakpoint stands after this part."""

    text: str
    cache: Ttl | None = None


class Image(msgspec.Struct, frozen=True, gc=False):
    """A picture: either ``data`` (base64) with its ``media_type``, or a ``url``."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    detail: str | None = None
    """OpenAI's ``low``, ``high``, ``auto``."""
    cache: Ttl | None = None


class Document(msgspec.Struct, frozen=True, gc=False):
    """A file: base64 ``data`` with its ``media_type``, plain ``text``, or a ``url``."""

    media_type: str | None = None
    data: str | None = None
    text: str | None = None
    url: str | None = None
    name: str | None = None
    cache: Ttl | None = None


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """The model wants a tool called."""

    id: str
    name: str
    arguments: str
    """JSON as the model wrote it. OpenAI's models may write what is no JSON."""
    cache: Ttl | None = None


class ToolResult(msgspec.Struct, frozen=True):
    """What the tool said."""

    call_id: str
    parts: tuple[Text | Image | Document, ...]
    is_error: bool = False
    cache: Ttl | None = None


class Reasoning(msgspec.Struct, frozen=True, gc=False):
    """A model's thinking. Only the model that signed it accepts it again."""

    text: str
    signature: str | None = None
    redacted: str | None = None
    """In place of the text: encrypted thinking."""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """Why the model would not answer, as OpenAI's models say it."""

    text: str


Part = Text | Image | Document | ToolCall | ToolResult | Reasoning | Refusal


class Message(msgspec.Struct, frozen=True):
    """One turn. Results of tools are parts of the user's turn, and come first in it."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]
    name: str | None = None


class Tool(msgspec.Struct, frozen=True):
    """A function on offer. ``parameters``: its JSON Schema, as it came."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw | None = None
    strict: bool | None = None
    cache: Ttl | None = None


class Choice(msgspec.Struct, frozen=True, gc=False):
    """Whether tools have to be called: ``name`` with ``tool`` only."""

    mode: Literal["auto", "none", "any", "tool"]
    name: str | None = None


class Format(msgspec.Struct, frozen=True):
    """The shape that the answer has to have. ``schema``: the JSON Schema, as it came; for ``json_schema`` only."""

    kind: Literal["json_object", "json_schema"]
    name: str | None = None
    schema: msgspec.Raw | None = None
    description: str | None = None
    strict: bool | None = None


class Thinking(msgspec.Struct, frozen=True, gc=False):
    """How much the model shall think: an effort, a budget of tokens, or as it sees fit (neither)."""

    effort: Effort | None = None
    budget: int | None = None


Need = Literal[
    "tools",
    "images",
    "documents",
    "audio",
    "json_schema",
    "thinking",
    "signed_thinking",  # a turn that only its signer accepts
    "logprobs",
    "logit_bias",
    "several_choices",  # n > 1
    "many_stops",  # more stop sequences than OpenAI takes (4)
    "files",  # by an id at one provider
    "server_tools",  # web search, code execution, MCP … at one provider
    "custom_tools",  # tools that take text instead of JSON
    "stored_state",  # previous_response_id, conversation, containers
    "modalities",  # output other than text
    "citations",  # of documents that are asked for with their places
    "residency",  # answered in a certain part of the world
    "unknown_parts",  # a part or message of a kind that is not known here
]


class Conversation(msgspec.Struct, frozen=True):
    """A request for an answer. ``None`` is: the client did not say."""

    model: str
    messages: tuple[Message, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    choice: Choice | None = None
    parallel: bool | None = None
    """Whether several tools may be called at once."""
    format: Format | None = None
    max_output: int | None = None
    temperature: float | None = None
    """OpenAI's range, 0 to 2."""
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    thinking: Thinking | None = None
    stream: bool = False
    include_usage: bool = False
    """OpenAI chat: the client wants to see a stream's usage."""
    user: str | None = None
    functions: bool = False
    """The client speaks OpenAI's older ``functions``: the reply has a ``function_call``."""
    needs: frozenset[Need] = frozenset()
    dropped: tuple[str, ...] = ()
    """Names of fields that cannot cross and change nothing that matters."""


OF_A_MESSAGE: Final = "messages."
"""How the names of a message's fields begin in ``Traits.without``."""

Writable = Literal["native", "tool", "none"]
"""How a model keeps to a JSON schema: by a field of its API, by a tool that it is made to call, or not at all."""


class Traits(msgspec.Struct, frozen=True):
    """What the writer of a request has to know of the model and the endpoint that it writes for."""

    max_output: int | None = None
    """For APIs where a limit has to be given, if the client gave none."""
    json_schema: Writable = "native"
    thinking: Literal["adaptive", "budget", "effort", "none"] = "none"
    """How the model is told to think."""
    sampling: bool = True
    """Whether it takes ``temperature``, ``top_p`` and ``top_k``."""
    limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    developer_role: bool = False
    """The system's words go as ``developer`` instead of ``system``."""
    call_ids: Literal["any", "mistral"] = "any"
    """``mistral``: exactly nine letters and digits."""
    without: frozenset[str] = frozenset()
    """Fields that the endpoint refuses, ``messages.name`` that of a message; they are left out, and listed."""


class Written(msgspec.Struct, frozen=True):
    """A request on another wire."""

    body: bytes
    dropped: tuple[str, ...] = ()
    """What could not cross: names of fields, ``temperature>1`` and the like. Without repeats, in order."""
    answer_tool: str | None = None
    """The tool that stands for the answer's JSON schema: a call of it is the answer."""
