"""The requests of both APIs as OpenAPI documents, made from the types of the official clients.

Those types are generated from the descriptions that OpenAI and Anthropic publish; the descriptions themselves are in no
package. A document is the ``whole`` of it; or what farthing has to ``read`` in every request; or that made ``plain``, within
limits that the types do not tell, so that a provider answers most of what is generated.
"""

from typing import Any, Literal

import anthropic.types as claude
import openai.types as gpt
import pydantic
from anthropic.types import message_count_tokens_params, message_create_params
from openai.types import chat, embedding_create_params, responses
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params

from farthing.simulator.words import words

CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
REQUESTS = {
    CHAT: completion_create_params.CompletionCreateParamsNonStreaming,
    RESPONSES: response_create_params.ResponseCreateParamsNonStreaming,
    EMBEDDINGS: embedding_create_params.EmbeddingCreateParams,
    MESSAGES: message_create_params.MessageCreateParamsNonStreaming,
    COUNT: message_count_tokens_params.MessageCountTokensParams,
}
REPLIES = {
    CHAT: pydantic.TypeAdapter(chat.ChatCompletion),
    RESPONSES: pydantic.TypeAdapter(responses.Response),
    EMBEDDINGS: pydantic.TypeAdapter(gpt.CreateEmbeddingResponse),
    MESSAGES: pydantic.TypeAdapter(claude.Message),
    COUNT: pydantic.TypeAdapter(claude.MessageTokensCount),
}
EVENTS = {
    CHAT: pydantic.TypeAdapter(chat.ChatCompletionChunk),
    RESPONSES: pydantic.TypeAdapter(responses.ResponseStreamEvent),
    MESSAGES: pydantic.TypeAdapter(claude.RawMessageStreamEvent),
}
"""What a stream's events are, where there are streams."""

Schema = dict[str, Any]
Kind = Literal["whole", "plain", "read"]
REF = "#/components/schemas/"
READ = words(
    "messages model max_completion_tokens max_tokens stop stop_sequences temperature top_p tools tool_choice "
    "parallel_tool_calls response_format text output_config system input instructions max_output_tokens dimensions "
    "encoding_format stream"
)
"""The fields of a request that farthing reads whatever the provider."""
SORTS = words(
    "ChatCompletionDeveloperMessageParam ChatCompletionSystemMessageParam ChatCompletionUserMessageParam "
    "ChatCompletionContentPartTextParam ChatCompletionFunctionToolParam EasyInputMessageParam ResponseInputTextParam "
    "FunctionToolParam UserMessageParam TextBlockParam ToolParam ToolChoiceAutoParam ToolChoiceAnyParam "
    "ToolChoiceNoneParam"
)
"""Of the sorts that a thing comes in, those that both APIs have."""
WORDS: Schema = {"type": "string", "pattern": "^[A-Za-z][ -~]{0,40}$"}
STOPS: Schema = {"type": "array", "items": WORDS, "maxItems": 4}
LENGTH: Schema = {"enum": [16, 40, 64]}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
NAME: Schema = {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,40}$"}
OBJECT: Schema = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
STRICT: Schema = {"name": "place", "strict": True, "schema": OBJECT}
LIMITS: dict[str, Schema] = {
    "name": NAME,
    "temperature": SHARE,
    "top_p": SHARE,
    "dimensions": LENGTH,
    "parameters": {"const": OBJECT},
    "input_schema": {"const": OBJECT},
    "stop": STOPS,
    "stop_sequences": STOPS,
    "max_tokens": LENGTH,
    "max_completion_tokens": LENGTH,
    "max_output_tokens": LENGTH,
    "strict": {"type": "boolean"},
    "description": WORDS,
    "encoding_format": {"const": "float"},
    "response_format": {"enum": [{"type": "text"}, {"type": "json_schema", "json_schema": STRICT}]},
    "output_config": {"const": {"format": {"type": "json_schema", "schema": OBJECT}}},
}
"""What the types do not say of these fields, wherever they stand."""
SILENT = words(
    "prompt_cache_breakpoint cache_control citations output_schema allowed_callers defer_loading async "
    "eager_input_streaming input_examples phase effort"
)
"""What a plain request's parts go without."""


def described(path: str, model: str, kind: Kind) -> Schema:
    """An OpenAPI document of this path alone, every request for this model."""
    schema = pydantic.TypeAdapter(REQUESTS[path]).json_schema(ref_template=REF + "{model}")
    components = schema.pop("$defs", {})
    properties = schema["properties"]
    if path in EVENTS:
        properties["stream"] = {"type": "boolean"}
    if kind != "whole":
        narrow = _plain if kind == "plain" else _read
        schema["properties"] = {name: each for name, each in properties.items() if name in READ}
        asked = {"input", "tools"} if kind == "plain" else {"input"}
        schema["required"] = sorted({*schema.get("required", ()), "model"} | (asked & properties.keys()))
        schema, components = narrow(schema), {name: narrow(each) for name, each in components.items()}
        if kind == "plain" and path == RESPONSES:
            schema["properties"]["text"] = {"const": {"format": {"type": "json_schema"} | STRICT}}
    schema["properties"]["model"] = {"const": model}
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"default": {"description": "a reply or an error"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "requests as the official clients make them", "version": "1"},
        "paths": {path: {"post": operation}},
        "components": {"schemas": _reached(schema, components)},
    }


def _plain(schema: Schema) -> Schema:
    """The same with closed objects, within limits, and nothing empty."""
    if properties := schema.get("properties"):
        kept = {name: LIMITS.get(name) or _plain(each) for name, each in properties.items() if name not in SILENT}
        return schema | {"properties": kept, "additionalProperties": False}
    if "anyOf" in schema:
        return {"anyOf": [_plain(each) for each in _known(schema["anyOf"]) if each != {"type": "null"}]}
    if schema.get("type") == "array":
        return schema | {"items": _plain(schema["items"]), "minItems": 1, "maxItems": 3}
    return WORDS if schema.get("type") == "string" and not schema.keys() & {"const", "enum"} else schema


def _read(schema: Schema) -> Schema:
    """The same with the sorts alone that both APIs have."""
    if properties := schema.get("properties"):
        return schema | {"properties": {name: _read(each) for name, each in properties.items() if name not in SILENT}}
    if "anyOf" in schema:
        return {"anyOf": [_read(each) for each in _known(schema["anyOf"])]}
    return schema | {"items": _read(schema["items"])} if schema.get("type") == "array" else schema


def _known(choices: list[Schema]) -> list[Schema]:
    return [each for each in choices if not _name(each) or _name(each) in SORTS] or choices


def _name(schema: Schema) -> str:
    return schema.get("$ref", "").removeprefix(REF)


def _reached(schema: Schema, components: dict[str, Schema]) -> dict[str, Schema]:
    """The components that the schema leads to."""
    found: dict[str, Schema] = {}
    waiting: list[Any] = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
            name = _name(each) if isinstance(each.get("$ref"), str) else ""
            if name and name not in found:
                found[name] = components[name]
                waiting.append(found[name])
    return found
