"""What a chat request looks like: the fields that are read, typed, so that they are decoded in one pass."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from farthing.wire.replies import NOTHING
from farthing.wire.translate.conversation import Effort


class Cache(msgspec.Struct, gc=False):
    """``cache_control`` (OpenRouter, LiteLLM) or OpenAI's own ``prompt_cache_breakpoint``."""

    ttl: str | None = None


class ImageUrl(msgspec.Struct, gc=False):
    """A picture's place, or the picture as a ``data:`` URL."""

    url: str
    detail: str | None = None


class File(msgspec.Struct, gc=False):
    """A file's content as a ``data:`` URL (or a URL, as OpenRouter takes it), or its id at the provider."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class Part(msgspec.Struct, gc=False):
    """A part of a message's content."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | str | None = None
    file: File | None = None
    cache_control: Cache | None = None
    prompt_cache_breakpoint: Cache | None = None


class CalledFunction(msgspec.Struct, gc=False):
    """The name and the arguments that the model wrote."""

    name: str
    arguments: str | None = None


class Call(msgspec.Struct, gc=False):
    """A tool call; ``function`` is missing in a custom one."""

    id: str | None = None
    function: CalledFunction | None = None


class ThinkingBlock(msgspec.Struct, gc=False):
    """A block of thinking as Anthropic has them and LiteLLM passes them on."""

    type: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class Message(msgspec.Struct, gc=False):
    """A message of any role."""

    role: str
    content: str | list[Part] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    function_call: CalledFunction | None = None
    audio: Any = None
    reasoning_content: str | None = None
    reasoning: Any = None
    thinking_blocks: list[ThinkingBlock] | None = None
    cache_control: Cache | None = None


class Function(msgspec.Struct, gc=False):
    """A function on offer."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw = NOTHING
    strict: bool | None = None


class OfferedTool(msgspec.Struct, gc=False):
    """A tool on offer; ``function`` is missing where it is something else."""

    type: str | None = None
    function: Function | None = None
    cache_control: Cache | None = None


class Named(msgspec.Struct, gc=False):
    """A function's name."""

    name: str


class Allowed(msgspec.Struct, gc=False):
    """One of the tools that may be called."""

    function: Named | None = None


class AllowedTools(msgspec.Struct, gc=False):
    """The tools that may be called, of those on offer."""

    mode: Literal["auto", "required"]
    tools: list[Allowed]


class ToolChoice(msgspec.Struct, gc=False):
    """A choice that is more than a word."""

    type: str
    function: Named | None = None
    allowed_tools: AllowedTools | None = None


class Schema(msgspec.Struct, gc=False):
    """A JSON schema for the answer."""

    name: str | None = None
    schema: msgspec.Raw = NOTHING
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, gc=False):
    """The shape that the answer has to have."""

    type: str
    json_schema: Schema | None = None


class StreamOptions(msgspec.Struct, gc=False):
    """What a stream shall tell."""

    include_usage: bool | None = None


class ThinkingSetting(msgspec.Struct, gc=False):
    """Anthropic's ``thinking``, which its compatible endpoint and LiteLLM take in a chat request."""

    type: str | None = None
    budget_tokens: int | None = None


class Request(msgspec.Struct, gc=False):
    """The fields that mean something here."""

    model: str
    messages: list[Message]
    tools: list[OfferedTool] | None = None
    functions: list[Function] | None = None
    tool_choice: ToolChoice | str | None = None
    function_call: Named | str | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] | str | None = None
    reasoning_effort: Effort | None = None
    thinking: ThinkingSetting | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    safety_identifier: str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None
    n: int | None = None
    modalities: list[str] | None = None
    audio: Any = None
    web_search_options: Any = None


FIELDS: Final = frozenset(Request.__struct_fields__)
EXPECTED: Final = {
    "model": 'a string such as "gpt-4o-mini"',
    "messages": "an array of messages",
    "stream": "true or false",
    "role": "one of system, developer, user, assistant, tool, function",
}
