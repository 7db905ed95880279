"""The JSON of Anthropic's messages requests: read from clients and written for providers with the same structs."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from farthing.wire.replies import NOTHING


class Cache(msgspec.Struct, gc=False, tag="ephemeral", omit_defaults=True):
    """A prompt-cache breakpoint; without ``ttl`` it is for five minutes."""

    ttl: str | None = None


class TextBlock(msgspec.Struct, gc=False, tag="text", omit_defaults=True):
    """Words."""

    text: str
    cache_control: Cache | None = None
    citations: Any = None


class Source(msgspec.Struct, gc=False, omit_defaults=True):
    """Where a picture or document is: ``base64``, ``text``, ``url``, ``file`` or ``content``."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    content: str | list[Block] | None = None


class ImageBlock(msgspec.Struct, gc=False, tag="image", omit_defaults=True):
    """A picture."""

    source: Source
    cache_control: Cache | None = None
    transformations: Any = None


class DocumentBlock(msgspec.Struct, gc=False, tag="document", omit_defaults=True):
    """A file."""

    source: Source
    title: str | None = None
    context: str | None = None
    cache_control: Cache | None = None
    citations: Any = None


class ToolUseBlock(msgspec.Struct, gc=False, tag="tool_use", omit_defaults=True):
    """A call of a tool."""

    id: str
    name: str
    input: msgspec.Raw = NOTHING
    cache_control: Cache | None = None
    caller: Any = None
    toolset_name: str | None = None


class ToolResultBlock(msgspec.Struct, gc=False, tag="tool_result", omit_defaults=True):
    """What a tool said."""

    tool_use_id: str
    content: str | list[Block] | None = None
    is_error: bool | None = None
    cache_control: Cache | None = None
    toolset_name: str | None = None


class ThinkingBlock(msgspec.Struct, gc=False, tag="thinking"):
    """Thinking that a model signed."""

    thinking: str
    signature: str = ""


class RedactedBlock(msgspec.Struct, gc=False, tag="redacted_thinking"):
    """Thinking that only its model can read."""

    data: str


class UnknownBlock(msgspec.Struct, gc=False, tag="unknown"):
    """Stands for a block of a kind that is not known here."""


Block = (
    TextBlock
    | ToolUseBlock
    | ToolResultBlock
    | ThinkingBlock
    | RedactedBlock
    | ImageBlock
    | DocumentBlock
    | UnknownBlock
)
KINDS = frozenset(("text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"))


class Turn(msgspec.Struct, gc=False):
    """A message. ``system`` messages stand in the middle of some newer conversations."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class ToolShape(msgspec.Struct, gc=False, omit_defaults=True):
    """A tool on offer; with a ``type`` other than ``custom`` it is one of the provider's own."""

    name: str | None = None
    description: str | None = None
    input_schema: msgspec.Raw = NOTHING
    strict: bool | None = None
    cache_control: Cache | None = None
    type: str | None = None
    input_examples: Any = None
    eager_input_streaming: Any = None
    defer_loading: Any = None
    allowed_callers: list[Any] | None = None


class ChoiceShape(msgspec.Struct, gc=False, omit_defaults=True):
    """``auto``, ``any``, ``tool`` or ``none``."""

    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingShape(msgspec.Struct, gc=False, omit_defaults=True):
    """``enabled``, ``adaptive``, ``disabled`` or ``between_tools``."""

    type: str
    budget_tokens: int | None = None
    display: Any = None


class FormatShape(msgspec.Struct, gc=False, omit_defaults=True):
    """The shape of the answer."""

    type: str
    schema: msgspec.Raw = NOTHING


class OutputConfig(msgspec.Struct, gc=False, omit_defaults=True):
    """How the answer shall be."""

    effort: str | None = None
    format: FormatShape | None = None


class Request(msgspec.Struct, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A whole request."""

    model: str
    messages: list[Turn]
    max_tokens: int | None = None
    system: str | list[TextBlock] | None = None
    tools: list[ToolShape] | None = None
    tool_choice: ChoiceShape | None = None
    thinking: ThinkingShape | None = None
    output_config: OutputConfig | None = None
    output_format: FormatShape | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    metadata: dict[str, Any] | None = None
    stream: bool | None = None
    cache_control: Cache | None = None
    container: Any = None
    mcp_servers: Any = None
    inference_geo: Any = None
    context_management: Any = None
    diagnostics: Any = None
    service_tier: Any = None
    speed: Any = None
    user_profile_id: Any = None
    workspace_id: Any = None
    user: Any = None
