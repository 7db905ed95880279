"""Anthropic messages: from body to call, from a finished reply to JSON or a stream. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from farthing.simulator.answers import Ask, ToolSpec
from farthing.simulator.anthropic_rules import (
    check_format,
    check_messages,
    check_sampling,
    check_system,
    check_thinking,
    check_tools,
)
from farthing.simulator.call import Block, Call, Done, Event, Json, Ttl, Wording, arr, dump, in_chunks, obj, string
from farthing.simulator.catalog import Model
from farthing.simulator.refusals import invalid
from farthing.simulator.signing import signature
from farthing.simulator.tokens import count_tokens
from farthing.simulator.words import words
from farthing.types import Turn, Usage

_FIELDS = words(
    "cache_control container context_management diagnostics inference_geo max_tokens mcp_servers messages metadata "
    "model output_config output_format service_tier speed stop_sequences stream system temperature thinking "
    "tool_choice tools top_k top_p user_profile_id workspace_id"
)
_STOP = (("stop", "end_turn"), ("length", "max_tokens"), ("tool", "tool_use"), ("stop_sequence", "stop_sequence"))
_MOST_MARKERS = 4
_THOUGHT = "The question is clear; the answer follows from it."
_TOKENS_A_DELTA = 4


def parse_messages(body: Json, model: Model) -> Call:
    """The body as a call. Raises ``Refusal`` in Anthropic's words, or ``TypeError`` that names the field."""
    limit = _max_tokens(body, model)
    return _parse(body, model, limit)


def parse_count(body: Json, model: Model) -> Call:
    """The same for ``count_tokens``, where no output is asked for."""
    return _parse(body, model, None)


def _parse(body: Json, model: Model, limit: int | None) -> Call:
    for name in body:
        if name not in _FIELDS:
            raise invalid(f"{name}: Extra inputs are not permitted")
    messages = [obj(each, f"messages.{at}") for at, each in enumerate(arr(body.get("messages"), "messages"))]
    contents = check_messages(messages, model)
    tools = [obj(each, f"tools.{at}") for at, each in enumerate(arr(body.get("tools") or [], "tools"))]
    check_tools(tools, body)
    check_sampling(body)
    specs = tuple(
        ToolSpec(string(tool.get("name"), "tools.name"), tool.get("input_schema") or {"type": "object"})
        for tool in tools
    )
    system = list(_system_blocks(body.get("system")))
    parts = [block for at, message in enumerate(messages) for block in _message_blocks(message, contents[at], at)]
    blocks = [*(Block("tools", "", _bare(tool), _ttl(tool, "tools")) for tool in tools), *system, *parts]
    schema = _schema(body, model)
    if schema is not None:
        blocks.insert(0, Block("tools", "", dump(schema)))
    blocks = _with_top_marker(body, blocks)
    _check_markers(blocks)
    return Call(
        model=model,
        ask=Ask(
            model=model.name,
            system="\n\n".join(block.text for block in system),
            turns=tuple(_turns(messages, contents)),
            tools=specs,
            tool_choice=_tool_choice(body.get("tool_choice"), specs),
            schema=schema,
            max_output=limit,
            parallel=not obj(body.get("tool_choice") or {}, "tool_choice").get("disable_parallel_tool_use"),
        ),
        blocks=tuple(blocks),
        stream=bool(body.get("stream")),
        tier="default",
        messages_salt=dump([body.get("tool_choice"), body.get("thinking")]),
        stop=tuple(arr(body.get("stop_sequences") or [], "stop_sequences")),
        call_ids=("toolu_01", 24),
        think=check_thinking(body, contents, messages, model),
        echo=body,
    )


def messages_reply(call: Call, done: Done) -> Json:
    """The reply in one piece."""
    choice = done.choices[0]
    usage = {} if done.report == "never" else {"usage": _usage(done)}
    return _head(call, done) | _ending(choice) | {"content": list(_content(call.model.name, choice)), **usage}


def messages_events(call: Call, done: Done) -> list[Event]:
    """The reply as a stream: usage comes at the start, and in ``message_delta`` as running totals."""
    choice = done.choices[0]
    early: Json = {} if done.report == "never" else {"usage": _usage(done) | {"output_tokens": 1}}
    blank: Json = {"content": [], "stop_reason": None, "stop_sequence": None}
    opening: Json = _head(call, done) | blank | early
    steps: list[tuple[Json, int]] = [({"type": "message_start", "message": opening}, 0)]
    for at, block in enumerate(_content(call.model.name, choice)):
        steps += _block_steps(at, block, choice.reasoning)
        if at == 0:
            steps.insert(2, ({"type": "ping"}, 0))
    delta: Json = {"type": "message_delta", "delta": _ending(choice)}
    if done.report != "never":
        delta["usage"] = {name: count for name, count in _usage(done).items() if name.endswith("_tokens")}
    steps.append((delta, choice.tokens - sum(count for _, count in steps)))
    if done.report == "twice":
        steps.append((delta, 0))
    steps.append(({"type": "message_stop"}, 0))
    return [event(step, count) for step, count in steps]


def event(data: Json, count: int = 0) -> Event:
    """One event, named by its type."""
    return Event(f"event: {data['type']}\ndata: {dump(data)}\n\n".encode(), count)


def _block_steps(at: int, block: Json, reasoning: int) -> Iterator[tuple[Json, int]]:
    kind = block["type"]
    blank: Json = {"thinking": "", "signature": ""} if kind == "thinking" else {}
    blank |= {"text": ""} if kind == "text" else {"input": {}} if kind == "tool_use" else {}
    named = count_tokens(block["name"]) if kind == "tool_use" else 0
    yield {"type": "content_block_start", "index": at, "content_block": block | blank}, named
    for delta, count in _block_deltas(block, reasoning):
        yield {"type": "content_block_delta", "index": at, "delta": delta}, count
    yield {"type": "content_block_stop", "index": at}, 0


def _block_deltas(block: Json, reasoning: int) -> Iterator[tuple[Json, int]]:
    match block["type"]:
        case "thinking":
            yield {"type": "thinking_delta", "thinking": block["thinking"]}, reasoning
            yield {"type": "signature_delta", "signature": block["signature"]}, 0
        case "tool_use":
            yield {"type": "input_json_delta", "partial_json": ""}, 0
            for part in in_chunks(dump(block["input"]), _TOKENS_A_DELTA):
                yield {"type": "input_json_delta", "partial_json": part}, count_tokens(part)
        case _:
            for part in in_chunks(block["text"], _TOKENS_A_DELTA):
                yield {"type": "text_delta", "text": part}, count_tokens(part)


def _content(model: str, choice: Wording) -> Iterator[Json]:
    if choice.reasoning:
        yield {"type": "thinking", "thinking": _THOUGHT, "signature": signature(model, _THOUGHT)}
    if choice.text:
        yield {"type": "text", "text": choice.text}
    for key, tool in choice.tool_calls:
        yield {"type": "tool_use", "id": key, "name": tool.name, "input": tool.arguments}


def _head(call: Call, done: Done) -> Json:
    return {"id": done.id, "type": "message", "role": "assistant", "model": call.model.name}


def _ending(choice: Wording) -> Json:
    return {"stop_reason": dict(_STOP)[choice.finish], "stop_sequence": choice.stop_sequence}


def _usage(done: Done) -> Json:
    """Usage as Anthropic reports it: ``input_tokens`` leaves cache reads and writes out."""
    usage = Usage() if done.report == "zero" else done.usage
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "service_tier": "standard",
    }


def _max_tokens(body: Json, model: Model) -> int:
    limit = body.get("max_tokens")
    if limit is None:
        raise invalid("max_tokens: Field required")
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise invalid("max_tokens: Input should be a valid integer")
    if limit < 1:
        raise invalid("max_tokens: Input should be greater than or equal to 1")
    if limit > model.max_output:
        message = f"max_tokens: {limit} > {model.max_output}, which is the maximum allowed number of output tokens for "
        raise invalid(message + model.name)
    return limit


def _message_blocks(message: Json, content: list[Json], at: int) -> Iterator[Block]:
    what = f"messages.{at}.content"
    for n, part in enumerate(content):
        yield Block("message", message["role"], _part_text(part), _ttl(part, f"{what}.{n}"), opens=n == 0)


def _system_blocks(system: Any) -> Iterator[Block]:  # noqa: ANN401 - any JSON value
    if system is None or system == "":
        return
    parts = [{"type": "text", "text": system}] if isinstance(system, str) else arr(system, "system")
    check_system(parts)
    for n, part in enumerate(parts):
        yield Block("system", "system", part["text"], _ttl(part, "system"), n == 0)


def _part_text(part: Json) -> str:
    match part["type"]:
        case "text":
            return string(part["text"], "text")
        case "image" | "document" as kind:
            source = obj(part.get("source") or {}, f"{kind}.source")
            return str(source.get("data")) if source.get("type") == "text" else f"[{kind}]"
        case "tool_result":
            return _result_text(part.get("content") or "")
        case "tool_use":
            return f"{part.get('name')}{dump(part.get('input'))}"
        case kind:
            return "" if kind == "thinking" else f"[{kind}]"


def _result_text(content: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(content, str):
        return content
    return "".join(_part_text(obj(each, "tool_result.content")) for each in arr(content, "tool_result.content"))


def _turns(messages: list[Json], contents: list[list[Json]]) -> Iterator[Turn]:
    for message, parts in zip(messages, contents, strict=True):
        results = [_part_text(part) for part in parts if part["type"] == "tool_result"]
        words = [_part_text(part) for part in parts if part["type"] in ("text", "document", "tool_use")]
        if results:
            yield Turn("tool", "\n".join(results))
        if words:
            yield Turn(message["role"], "\n".join(words))


def _bare(tool: Json) -> str:
    return dump({key: value for key, value in tool.items() if key != "cache_control"})


def _ttl(part: Json, what: str) -> Ttl | None:
    if part.get("cache_control") is None:
        return None
    control = obj(part["cache_control"], f"{what}.cache_control")
    if control.get("type") != "ephemeral":
        raise invalid(f"{what}.cache_control.type: Input should be 'ephemeral'")
    ttl = control.get("ttl", "5m")
    if ttl not in ("5m", "1h"):
        raise invalid(f"{what}.cache_control.ttl: Input should be '5m' or '1h'")
    return ttl


def _with_top_marker(body: Json, blocks: list[Block]) -> list[Block]:
    """A marker at the top of the request goes to the last block."""
    ttl = _ttl(body, "request")
    if ttl is None or blocks[-1].ttl is not None:
        return blocks
    last = blocks[-1]
    return [*blocks[:-1], Block(last.kind, last.role, last.text, ttl, last.opens)]


def _check_markers(blocks: list[Block]) -> None:
    marks = [block.ttl for block in blocks if block.ttl]
    if len(marks) > _MOST_MARKERS:
        raise invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    if "1h" in marks and "5m" in marks[: len(marks) - marks[::-1].index("1h")]:
        raise invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.")


def _tool_choice(value: object, tools: tuple[ToolSpec, ...]) -> str:
    if value is None:
        return "auto"
    choice = obj(value, "tool_choice")
    match choice.get("type"):
        case "auto" | "none" as name:
            return str(name)
        case "any":
            return "required"
        case "tool":
            name = string(choice.get("name"), "tool_choice.name")
            if name not in {tool.name for tool in tools}:
                raise invalid(f"Tool '{name}' not found in provided tools")
            return name
        case kind:
            raise invalid(f"tool_choice: Input tag '{kind}' does not match any of 'auto', 'any', 'tool', 'none'")


def _schema(body: Json, model: Model) -> Json | None:
    config = obj(body.get("output_config") or {}, "output_config")
    wanted = config.get("format") or body.get("output_format")
    return None if wanted is None else check_format(obj(wanted, "output_config.format"), model)
