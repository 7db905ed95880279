"""OpenAI chat completions: from body to call, from a finished reply to JSON or a stream. Pure."""

from __future__ import annotations

from typing import Any, cast

from farthing.simulator.answers import Ask, ToolSpec
from farthing.simulator.call import Block, Call, Done, Event, Json, Wording, arr, dump, in_chunks, integer, obj, string
from farthing.simulator.catalog import Model
from farthing.simulator.openai_rules import (
    check_format,
    check_messages,
    check_model,
    check_options,
    check_tools,
    unknown,
    unknown_format,
)
from farthing.simulator.refusals import invalid
from farthing.simulator.tokens import count_tokens, pieces_of
from farthing.simulator.words import words
from farthing.types import Turn, Usage

FIELDS = words(
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages "
    "metadata modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key "
    "prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier "
    "stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity "
    "web_search_options"
)
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
THOUGHT = "The question is clear; the answer follows from it."
"""What a model thinks, where it is told."""
_FINISH = (("stop", "stop"), ("length", "length"), ("tool", "tool_calls"), ("stop_sequence", "stop"))
_PART_KINDS = ("text", "refusal", "image_url", "input_audio", "file")


def parse_chat(body: Json, model: Model) -> Call:
    """The body as a call. Raises ``Refusal`` in OpenAI's words, or ``TypeError`` that names the field."""
    known_fields(body, FIELDS)
    messages = [obj(each, f"messages[{at}]") for at, each in enumerate(arr(body.get("messages"), "messages"))]
    if not messages:
        raise invalid("Invalid 'messages': empty array. Expected an array with minimum length 1.", param="messages")
    check_messages(messages)
    check_model(body, model)
    check_options(body)
    check_tools(body)
    tools = tuple(_tool(obj(each, "tools[]")) for each in arr(body.get("tools") or [], "tools"))
    schema, as_object = _format(body.get("response_format"))
    texts = [_message_text(each, at) for at, each in enumerate(messages)]
    if as_object and schema is None and not any("json" in text.lower() for text in texts):
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        raise invalid(message, param="messages")
    roles = [_role(each, at) for at, each in enumerate(messages)]
    ask = Ask(
        model=model.name,
        system="\n\n".join(t for r, t in zip(roles, texts, strict=True) if r == "system"),
        turns=tuple(Turn(r, t) for r, t in zip(roles, texts, strict=True) if r != "system"),
        tools=tools,
        tool_choice=tool_choice(body.get("tool_choice"), tools),
        schema=schema,
        json_object=as_object and schema is None,
        max_output=output_limit(body, model, "max_completion_tokens", "max_tokens"),
        parallel=body.get("parallel_tool_calls") is not False,
    )
    stop = body.get("stop")
    options = obj(body.get("stream_options") or {}, "stream_options")
    if options and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise invalid(message, param="stream_options")
    return Call(
        model=model,
        ask=ask,
        blocks=(*head_blocks(body.get("tools"), schema), *map(_block, roles, texts)),
        stream=bool(body.get("stream")),
        include_usage=bool(options.get("include_usage")),
        n=integer(body.get("n"), "n", 1),
        tier="flex" if body.get("service_tier") == "flex" else "default",
        cache_key=str(body.get("prompt_cache_key") or ""),
        stop=(stop,) if isinstance(stop, str) else tuple(arr(stop or [], "stop")),
        think=model.reasoning and body.get("reasoning_effort") not in ("minimal", "none"),
        echo=body,
    )


def chat_reply(call: Call, done: Done) -> Json:
    """The reply in one piece."""
    choices = [
        {
            "index": at,
            "message": _message(call, choice),
            "logprobs": None,
            "finish_reason": dict(_FINISH)[choice.finish],
        }
        for at, choice in enumerate(done.choices)
    ]
    head = _head(call, done, "chat.completion") | {"choices": choices}
    return head if done.report == "never" else head | {"usage": chat_usage(call, done)}


def chat_events(call: Call, done: Done) -> list[Event]:
    """The reply as a stream, one content token a chunk."""
    head = _head(call, done, "chat.completion.chunk")
    blank: Json = {"usage": None} if call.include_usage else {}
    events: list[Event] = []
    for at, choice in enumerate(done.choices):
        deltas = _deltas(call, choice)
        for delta, count in deltas:
            events.append(_chunk(head, blank, {"index": at, "delta": delta, "finish_reason": None}, count))
        last: Json = {"index": at, "delta": {}, "finish_reason": dict(_FINISH)[choice.finish]}
        rest = choice.tokens - sum(count for _, count in deltas)
        early = (call.include_usage and done.report == "last_choice") or call.always_usage
        early = early and at == len(done.choices) - 1
        events.append(_chunk(head, {"usage": chat_usage(call, done)} if early else blank, last, rest))
    if call.include_usage and not call.always_usage and done.report in ("once", "twice", "zero"):
        closing: Json = {"choices": [], "usage": chat_usage(call, done)}
        data = dump(head | closing)
        events += [Event(sse(data))] * (2 if done.report == "twice" else 1)
    return [*events, Event(b"data: [DONE]\n\n")]


def chat_usage(call: Call, done: Done) -> Json:
    """Usage as OpenAI reports it, cached tokens a part of the prompt's, or as a compatible endpoint does."""
    usage = Usage() if done.report == "zero" else done.usage
    total = usage.prompt_tokens + usage.output
    if call.usage == "hidden_thoughts":
        said = usage.output - usage.reasoning
        return {"prompt_tokens": usage.prompt_tokens, "completion_tokens": said, "total_tokens": total}
    if call.usage == "deepseek":
        hits = usage.cache_read
        return {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.output,
            "total_tokens": total,
            "prompt_cache_hit_tokens": hits,
            "prompt_cache_miss_tokens": usage.prompt_tokens - hits,
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        }
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.output,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def sse(data: str) -> bytes:
    """One event without a name."""
    return f"data: {data}\n\n".encode()


def known_fields(body: Json, fields: frozenset[str]) -> None:
    """Raises ``Refusal`` for the first field that the API does not have."""
    for name in body:
        if name not in fields:
            raise unknown(name)


def head_blocks(tools: object, schema: Json | None) -> list[Block]:
    """Tools and schema stand before everything else in a prompt."""
    parts = [dump(part) for part in (tools, schema) if part]
    return [Block("tools", "", "".join(parts))] if parts else []


def tool_choice(value: object, tools: tuple[ToolSpec, ...]) -> str:
    """``auto``, ``required``, ``none`` or a tool's name. Raises ``Refusal`` for a tool that is not there."""
    if value is None:
        return "auto"
    if not tools and value not in ("none", "auto"):
        raise invalid("'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if isinstance(value, str):
        return value
    choice = obj(value, "tool_choice")
    if choice.get("type") == "allowed_tools":
        return str(choice.get("allowed_tools", choice).get("mode", "auto"))
    named: Json = choice.get("function") or choice.get("custom") or choice
    name = string(named.get("name"), "tool_choice.name")
    if name not in {tool.name for tool in tools}:
        message = f"Tool choice '{name}' not found in 'tools' parameter."
        raise invalid(message, param="tool_choice")
    return name


def output_limit(body: Json, model: Model, *names: str) -> int | None:
    """The first output limit that is set. Raises ``Refusal`` if the model cannot write that much."""
    for name in names:
        if body.get(name) is None:
            continue
        limit = integer(body[name], name, 1)
        if limit > model.max_output:
            message = (
                f"{name} is too large: {limit}. This model supports at most {model.max_output} completion tokens, "
                f"whereas you provided {limit}."
            )
            raise invalid(message, code="invalid_value", param=name)
        return limit
    return None


def part_text(part: object, what: str, kinds: tuple[str, ...] = _PART_KINDS) -> str:
    """The text of a content part; an image or a file counts as its short name."""
    value = obj(part, what)
    kind = value.get("type")
    if kind not in kinds:
        expected = ", ".join(f"'{each}'" for each in kinds)
        message = f"Invalid value: '{kind}'. Supported values are: {expected}."
        raise invalid(message, code="invalid_value", param=f"{what}.type")
    if "text" in value or kind == "text":
        return string(value.get("text"), f"{what}.text")
    return str(value.get("refusal") or f"[{kind}]")


def _head(call: Call, done: Done, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{done.id}",
        "object": kind,
        "created": done.created,
        "model": call.model.name,
        "service_tier": call.tier,
        "system_fingerprint": "fp_simulated",
    }


def _chunk(head: Json, usage: Json, choice: Json, count: int) -> Event:
    return Event(sse(dump(head | {"choices": [choice | {"logprobs": None}]} | usage)), count)


def _deltas(call: Call, choice: Wording) -> list[tuple[Json, int]]:
    opening: Json = {"role": "assistant", "content": None if choice.tool_calls else "", "refusal": None}
    deltas: list[tuple[Json, int]] = [(opening, choice.reasoning)]
    if call.shown and choice.reasoning:
        deltas = [(opening, 0), ({"reasoning_content": THOUGHT}, choice.reasoning)]
    deltas += [({"content": piece}, 1) for piece in pieces_of(choice.text)]
    for at, (key, tool) in enumerate(choice.tool_calls):
        function = {"name": tool.name, "arguments": ""}
        start = {"index": at, "id": key, "type": "function", "function": function}
        deltas.append(({"tool_calls": [start]}, count_tokens(tool.name)))
        for part in in_chunks(dump(tool.arguments), 4):
            deltas.append(({"tool_calls": [{"index": at, "function": {"arguments": part}}]}, count_tokens(part)))
    return deltas


def _message(call: Call, choice: Wording) -> Json:
    message: Json = {"role": "assistant", "content": choice.text, "refusal": None, "annotations": []}
    if call.shown and choice.reasoning:
        message["reasoning_content"] = THOUGHT
    if choice.tool_calls:
        message["content"] = choice.text or None
        message["tool_calls"] = [
            {"id": key, "type": "function", "function": {"name": tool.name, "arguments": dump(tool.arguments)}}
            for key, tool in choice.tool_calls
        ]
    return message


def _block(role: str, text: str) -> Block:
    return Block("system" if role == "system" else "message", role, text)


def _role(message: Json, at: int) -> str:
    role = message.get("role")
    if role not in _ROLES:
        expected = ", ".join(f"'{each}'" for each in _ROLES)
        text = f"Invalid value: '{role}'. Supported values are: {expected}."
        raise invalid(text, code="invalid_value", param=f"messages[{at}].role")
    return {"developer": "system", "function": "tool"}.get(str(role), str(role))


def _message_text(message: Json, at: int) -> str:
    content: Any = message.get("content")
    what = f"messages[{at}].content"
    calls = arr(message.get("tool_calls") or [], f"messages[{at}].tool_calls")
    if content is None and not calls and not message.get("refusal") and not message.get("function_call"):
        if message.get("role") == "assistant":
            return ""
        raise invalid(f"Invalid value for 'content': expected a string, got null. ({what})", param=what)
    if isinstance(content, list):
        parts = arr(cast("object", content), what)
        text = "".join(part_text(part, f"{what}[{n}]") for n, part in enumerate(parts))
    else:
        text = "" if content is None else string(content, what)
    return text + (dump(calls) if calls else "")


def _tool(tool: Json) -> ToolSpec:
    kind = tool.get("type")
    inner = obj(tool.get("custom") if kind == "custom" else tool.get("function"), f"tools[].{kind or 'function'}")
    return ToolSpec(string(inner.get("name"), "tools[].function.name"), inner.get("parameters") or {"type": "object"})


def _format(value: object) -> tuple[Json | None, bool]:
    """The schema that is asked for, and whether the answer must be JSON."""
    if value is None:
        return None, False
    wanted = obj(value, "response_format")
    match wanted.get("type"):
        case "text":
            return None, False
        case "json_object":
            return None, True
        case "json_schema":
            inner = obj(wanted.get("json_schema"), "response_format.json_schema")
            check_format(inner, "response_format.json_schema", None)
            return obj(inner.get("schema"), "response_format.json_schema.schema"), True
        case kind:
            raise unknown_format(kind, "response_format")
