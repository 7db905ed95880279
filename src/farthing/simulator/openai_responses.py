"""OpenAI responses: from body to call, from a finished reply to JSON or a stream. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from farthing.simulator.answers import Ask, ToolSpec
from farthing.simulator.call import Block, Call, Done, Event, Json, Refusal, Wording, arr, dump, in_chunks, obj, string
from farthing.simulator.catalog import Model
from farthing.simulator.openai_items import check_items
from farthing.simulator.openai_rules import check_format, check_function, check_options, unknown_format
from farthing.simulator.openai_wire import head_blocks, known_fields, output_limit, part_text, tool_choice
from farthing.simulator.refusals import invalid
from farthing.simulator.tokens import count_tokens, pieces_of
from farthing.simulator.words import words
from farthing.types import Turn, Usage

_FIELDS = words(
    "access_programs background background_options context_management conversation image include input instructions "
    "max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt "
    "prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store "
    "stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user"
)
_PARTS = ("input_text", "output_text", "text", "refusal", "input_image", "input_file", "input_audio")


def parse_responses(body: Json, model: Model) -> Call:
    """The body as a call. Raises ``Refusal`` in OpenAI's words, or ``TypeError`` that names the field."""
    known_fields(body, _FIELDS)
    if (previous := body.get("previous_response_id")) is not None:
        message = f"Previous response with id '{previous}' not found."
        raise Refusal(
            400, message, type="invalid_request_error", code="previous_response_not_found", param="previous_response_id"
        )
    check_options(body)
    check_items(body.get("input"))
    turns = list(_turns(body.get("input")))
    if not turns:
        raise invalid("Missing required parameter: 'input'.", code="missing_required_parameter", param="input")
    if instructions := body.get("instructions"):
        turns.insert(0, Turn("system", string(instructions, "instructions")))
    tools = tuple(_tool(obj(each, "tools[]")) for each in arr(body.get("tools") or [], "tools"))
    schema, as_object = _format(obj(body.get("text") or {}, "text").get("format"))
    ask = Ask(
        model=model.name,
        system="\n\n".join(turn.text for turn in turns if turn.role == "system"),
        turns=tuple(turn for turn in turns if turn.role != "system"),
        tools=tuple(tool for tool in tools if tool is not None),
        tool_choice=tool_choice(body.get("tool_choice"), tuple(tool for tool in tools if tool is not None)),
        schema=schema,
        json_object=as_object,
        max_output=output_limit(body, model, "max_output_tokens"),
        parallel=body.get("parallel_tool_calls") is not False,
    )
    effort = obj(body.get("reasoning") or {}, "reasoning").get("effort")
    return Call(
        model=model,
        ask=ask,
        blocks=(
            *head_blocks(body.get("tools"), schema),
            *(Block("system" if turn.role == "system" else "message", turn.role, turn.text) for turn in turns),
        ),
        stream=bool(body.get("stream")),
        include_usage=True,
        tier="flex" if body.get("service_tier") == "flex" else "default",
        cache_key=str(body.get("prompt_cache_key") or ""),
        think=model.reasoning and effort not in ("minimal", "none"),
        echo=body,
    )


def responses_reply(call: Call, done: Done) -> Json:
    """The response object when it is finished."""
    choice = done.choices[0]
    cut = choice.finish == "length"
    return _response(call, done) | {
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": [item for item, _ in _items(done, choice)],
        **({} if done.report == "never" else {"usage": _usage(done)}),
    }


def responses_events(call: Call, done: Done) -> list[Event]:
    """The reply as a stream; its last event carries the whole response with usage, there is no ``[DONE]``."""
    started: Json = _response(call, done) | {"status": "in_progress", "output": [], "usage": None}
    final = responses_reply(call, done)
    choice = done.choices[0]
    steps: list[tuple[str, Json, int]] = [
        ("response.created", {"response": started}, 0),
        ("response.in_progress", {"response": started}, choice.reasoning),
    ]
    for at, (item, _) in enumerate(_items(done, choice)):
        steps += _item_steps(at, item)
    rest = choice.tokens - sum(count for _, _, count in steps)
    steps.append((f"response.{final['status']}", {"response": final}, rest))
    events: list[Event] = []
    for number, (name, fields, count) in enumerate(steps):
        data = dump({"type": name, "sequence_number": number} | fields)
        events.append(Event(f"event: {name}\ndata: {data}\n\n".encode(), count))
    return events


def _item_steps(at: int, item: Json) -> Iterator[tuple[str, Json, int]]:
    where: Json = {"output_index": at}
    begun: Json = {**item, "status": "in_progress"}
    match item["type"]:
        case "message":
            yield "response.output_item.added", where | {"item": begun | {"content": []}}, 0
            inside = where | {"item_id": item["id"], "content_index": 0}
            part: Json = item["content"][0]
            yield "response.content_part.added", inside | {"part": part | {"text": ""}}, 0
            for piece in pieces_of(part["text"]):
                yield "response.output_text.delta", inside | {"delta": piece, "logprobs": []}, 1
            yield "response.output_text.done", inside | {"text": part["text"], "logprobs": []}, 0
            yield "response.content_part.done", inside | {"part": part}, 0
        case "function_call":
            yield "response.output_item.added", where | {"item": begun | {"arguments": ""}}, count_tokens(item["name"])
            inside = where | {"item_id": item["id"]}
            for piece in in_chunks(item["arguments"], 4):
                yield "response.function_call_arguments.delta", inside | {"delta": piece}, count_tokens(piece)
            ended = inside | {"name": item["name"], "arguments": item["arguments"]}
            yield "response.function_call_arguments.done", ended, 0
        case _:
            yield "response.output_item.added", where | {"item": item}, 0
    yield "response.output_item.done", where | {"item": item}, 0


def _items(done: Done, choice: Wording) -> list[tuple[Json, int]]:
    tail = done.id
    items: list[tuple[Json, int]] = []
    if choice.reasoning:
        items.append(({"type": "reasoning", "id": f"rs_{tail}", "summary": []}, choice.reasoning))
    if choice.text or not choice.tool_calls:
        part: Json = {"type": "output_text", "text": choice.text, "annotations": [], "logprobs": []}
        status = "incomplete" if choice.finish == "length" else "completed"
        message: Json = {
            "type": "message",
            "id": f"msg_{tail}",
            "role": "assistant",
            "status": status,
            "content": [part],
        }
        items.append((message, 0))
    for at, (key, tool) in enumerate(choice.tool_calls):
        call: Json = {"type": "function_call", "id": f"fc_{at}{tail}", "call_id": key, "name": tool.name}
        items.append((call | {"arguments": dump(tool.arguments), "status": "completed"}, 0))
    return items


def _response(call: Call, done: Done) -> Json:
    body = call.echo
    defaults: Json = {
        "background": False,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "user": None,
    }
    echoed = {name: default if body.get(name) is None else body[name] for name, default in defaults.items()}
    head = {"id": f"resp_{done.id}", "object": "response", "created_at": done.created, "model": call.model.name}
    return head | echoed | {"error": None, "incomplete_details": None, "service_tier": call.tier}


def _usage(done: Done) -> Json:
    usage = Usage() if done.report == "zero" else done.usage
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt_tokens + usage.output,
    }


def _turns(given: Any) -> Iterator[Turn]:  # noqa: ANN401 - any JSON value
    if given is None:
        return
    if isinstance(given, str):
        yield Turn("user", given)
        return
    for at, item in enumerate(arr(given, "input")):
        yield _turn(obj(item, f"input[{at}]"), f"input[{at}]")


def _turn(item: Json, what: str) -> Turn:
    match item.get("type", "message"):
        case "message":
            role = {"developer": "system"}.get(str(item.get("role")), str(item.get("role")))
            if role not in ("system", "user", "assistant"):
                message = f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', 'user'."
                raise invalid(message, code="invalid_value", param=f"{what}.role")
            content: Any = item.get("content")
            if isinstance(content, str):
                return Turn(role, content)
            parts = arr(content, f"{what}.content")
            return Turn(role, "".join(part_text(part, f"{what}.content[]", _PARTS) for part in parts))
        case "function_call":
            return Turn("assistant", f"{item.get('call_id')}{item.get('name')}{item.get('arguments')}")
        case "function_call_output":
            output: Any = item.get("output")
            return Turn("tool", output if isinstance(output, str) else dump(output))
        case "reasoning" | "item_reference":
            return Turn("assistant", "")
        case kind:
            raise invalid(f"Invalid value: '{kind}'.", code="invalid_value", param=f"{what}.type")


def _tool(tool: Json) -> ToolSpec | None:
    """A function; the provider's own tools are on offer but never called here."""
    if tool.get("type") not in ("function", "custom"):
        return None
    if tool.get("type") == "function":
        check_function(tool, "tools[]")
    return ToolSpec(string(tool.get("name"), "tools[].name"), tool.get("parameters") or {"type": "object"})


def _format(value: object) -> tuple[Json | None, bool]:
    if value is None:
        return None, False
    wanted = obj(value, "text.format")
    if wanted.get("type") == "json_schema":
        check_format(wanted, "text.format", "invalid_json_schema")
        return obj(wanted.get("schema"), "text.format.schema"), False
    if wanted.get("type") not in ("text", "json_object"):
        raise unknown_format(wanted.get("type"), "text.format")
    return None, wanted["type"] == "json_object"
