"""Anthropic messages from one form to the other: events folded into a message, a message unfolded into events."""

from __future__ import annotations

import msgspec

from farthing.wire import sse
from farthing.wire.anthropic_usage import merge
from farthing.wire.reading import Json, Value, count, loads, mapping, objects

_IN_DELTA = ("stop_reason", "stop_sequence", "stop_details", "container")
_TOTALS = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
)


def fold(stream: bytes) -> bytes:
    """A complete stream as a message in one piece. Raises ``ValueError`` if it has no ``message_start``."""
    message: Json = {}
    blocks: dict[int, Json] = {}
    inputs: dict[int, str] = {}
    for event in sse.split(stream):
        data = mapping(loads(sse.data_of(event)))
        index = count(data.get("index")) or 0
        match data.get("type"):
            case "message_start":
                message = mapping(data.get("message"))
            case "content_block_start":
                blocks[index] = mapping(data.get("content_block"))
            case "content_block_delta":
                _grow(blocks.setdefault(index, {}), inputs, index, mapping(data.get("delta")))
            case "message_delta":
                _finish(message, data)
            case _:
                pass
    if not message:
        raise ValueError("the stream has no message_start event, so there is no message in it")
    for index, text in inputs.items():
        blocks[index]["input"] = _parsed(text, blocks[index].get("input"))
    return msgspec.json.encode(message | {"content": [blocks[index] for index in sorted(blocks)]})


def _grow(block: Json, inputs: dict[int, str], index: int, delta: Json) -> None:
    """Add a delta to its block; kinds that farthing does not know add their texts field by field."""
    match delta.get("type"):
        case "input_json_delta":
            inputs[index] = inputs.get(index, "") + (delta.get("partial_json") or "")
        case "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta.get("citation")]
        case _:
            for name, value in delta.items():
                if name != "type":
                    before = block.get(name)
                    both = isinstance(before, str) and isinstance(value, str)
                    block[name] = f"{before}{value}" if both else value


def _finish(message: Json, data: Json) -> None:
    message |= mapping(data.get("delta"))
    message["usage"] = merge(mapping(message.get("usage")), mapping(data.get("usage")))
    message |= {name: value for name, value in data.items() if name not in ("type", "delta", "usage")}


def _parsed(text: str, otherwise: Value) -> Value:
    """A tool's input, its bytes as the provider wrote them; one that was cut off stays as it started."""
    data = text.encode()
    return msgspec.Raw(data) if loads(data) is not None else otherwise


def unfold(plain: bytes) -> list[bytes]:
    """A message as events, from ``message_start`` to ``message_stop``."""
    message = mapping(loads(plain))
    usage = mapping(message.get("usage"))
    later = {name: message[name] for name in _IN_DELTA if name in message}
    blank = dict.fromkeys(later)
    started: Json = message | blank | {"content": [], "usage": usage | {"output_tokens": 0}}
    events = [_event("message_start", message=started)]
    for index, block in enumerate(objects(message.get("content"))):
        opening, deltas = _opened(block)
        events.append(_event("content_block_start", index=index, content_block=opening))
        events += [_event("content_block_delta", index=index, delta=delta) for delta in deltas]
        events.append(_event("content_block_stop", index=index))
    totals = {name: usage[name] for name in _TOTALS if name in usage}
    events.append(_event("message_delta", delta=later, usage=totals))
    events.append(_event("message_stop"))
    return events


def _opened(block: Json) -> tuple[Json, list[Json]]:
    """A block as it starts, and the deltas that fill it; kinds without deltas start whole."""
    match block.get("type"):
        case "text":
            cited: list[Json] = [
                {"type": "citations_delta", "citation": citation} for citation in objects(block.get("citations"))
            ]
            opening: Json = block | {"text": ""}
            if cited:
                opening["citations"] = []
            return opening, [{"type": "text_delta", "text": block.get("text")}, *cited]
        case "thinking":
            deltas: list[Json] = [{"type": "thinking_delta", "thinking": block.get("thinking")}]
            deltas += [{"type": "signature_delta", "signature": block.get("signature")}]
            return block | {"thinking": "", "signature": ""}, deltas
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            written = msgspec.json.encode(block.get("input")).decode()
            return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": written}]
        case _:
            return block, []


def _event(kind: str, **fields: Value) -> bytes:
    return sse.render(msgspec.json.encode({"type": kind} | fields), kind)
