"""Chat replies from one form to the other: chunks folded into one piece, one piece unfolded into chunks."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from farthing.wire import sse
from farthing.wire.reading import Json, Value, count, loads, mapping, objects

DONE = b"data: [DONE]\n\n"
_NOT_IN_PLAIN = ("choices", "usage", "object", "obfuscation")
_ONE_VALUE = ("id", "type", "role", "name", "index", "format")
_AHEAD = ("reasoning_content", "reasoning", "reasoning_details", "content", "refusal")


def fold(stream: bytes) -> bytes:
    """A complete stream as a reply in one piece. Fields that farthing does not know are kept, the last value counts."""
    top: Json = {}
    choices: dict[int, Json] = {}
    usage: object = None
    for event in sse.split(stream):
        chunk = mapping(loads(sse.data_of(event)))
        top |= {name: value for name, value in chunk.items() if name not in _NOT_IN_PLAIN and value is not None}
        usage = chunk.get("usage") or usage
        for choice in objects(chunk.get("choices")):
            _fold_choice(choices.setdefault(count(choice.get("index")) or 0, {}), choice)
    ordered = [_finished(index, choices[index]) for index in sorted(choices)]
    plain = {"id": top.pop("id", None), "object": "chat.completion"} | top | {"choices": ordered}
    return msgspec.json.encode(plain if usage is None else plain | {"usage": usage})


def _fold_choice(folded: Json, choice: Json) -> None:
    for name, value in choice.items():
        if name == "delta":
            merge(folded.setdefault("message", {}), mapping(value))
        elif name == "logprobs" and value is not None:
            folded[name] = folded.get(name) or {}
            merge(folded[name], mapping(value))
        elif value is not None or name not in folded:
            folded[name] = value


def merge(folded: Json, delta: Json) -> None:
    """Add a delta: texts and lists grow, numbered items are merged by their index, names and numbers are replaced."""
    for name, value in delta.items():
        before = folded.get(name)
        if before is None:
            folded[name] = _fresh(value)
        elif value is None:
            continue
        elif isinstance(before, str) and isinstance(value, str):
            folded[name] = (value or before) if name in _ONE_VALUE else before + value
        elif isinstance(before, dict) and isinstance(value, dict):
            merge(cast("Json", before), cast("Json", value))
        elif isinstance(before, list) and isinstance(value, list):
            _extend(cast("list[Any]", before), cast("list[Any]", value))
        else:
            folded[name] = value


def _fresh(value: Value) -> Value:
    if isinstance(value, dict):
        copy: Json = {}
        merge(copy, cast("Json", value))
        return copy
    if isinstance(value, list):
        grown: list[Any] = []
        _extend(grown, cast("list[Any]", value))
        return grown
    return value


def _extend(folded: list[Any], items: list[Any]) -> None:
    for item in items:
        index = mapping(item).get("index")
        twin = None if index is None else next((old for old in folded if mapping(old).get("index") == index), None)
        if twin is None:
            folded.append(_fresh(item))
        else:
            merge(twin, item)


def _finished(index: int, choice: Json) -> Json:
    message: Json = {"role": "assistant", "content": None} | mapping(choice.get("message"))
    if calls := objects(message.get("tool_calls")):
        numbered = sorted(calls, key=lambda call: count(call.get("index")) or 0)
        message["tool_calls"] = [{name: value for name, value in call.items() if name != "index"} for call in numbered]
        message["content"] = message["content"] or None
    rest = {name: value for name, value in choice.items() if name not in ("index", "message")}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": None} | rest


def unfold(plain: bytes, *, include_usage: bool) -> list[bytes]:
    """A reply in one piece as chunks: per choice its role, reasoning, content, calls and finish; usage; ``[DONE]``."""
    reply = mapping(loads(plain))
    common = {name: value for name, value in reply.items() if name not in ("choices", "usage")}
    common["object"] = "chat.completion.chunk"
    tail = {"usage": None} if include_usage else {}
    deltas = [piece for choice in objects(reply.get("choices")) for piece in _pieces(choice)]
    chunks = [common | {"choices": [piece]} | tail for piece in deltas]
    if include_usage and reply.get("usage") is not None:
        chunks.append(common | {"choices": [], "usage": reply["usage"]})
    return [*(sse.render(msgspec.json.encode(chunk)) for chunk in chunks), DONE]


def _pieces(choice: Json) -> list[Json]:
    index = count(choice.get("index")) or 0
    message = mapping(choice.get("message"))
    logprobs = choice.get("logprobs")
    said = [{name: message[name]} for name in _AHEAD if message.get(name)]
    others = {name: value for name, value in message.items() if name not in (*_AHEAD, "role", "tool_calls") and value}
    calls = [{"tool_calls": [{"index": at} | call]} for at, call in enumerate(objects(message.get("tool_calls")))]
    opening: Json = {"role": message.get("role", "assistant"), "content": "" if message.get("content") else None}
    opening |= {"refusal": None} if "refusal" in message else {}
    deltas = [opening, *said, *([others] if others else []), *calls]
    pieces: list[Json] = [{"index": index, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
    if logprobs is not None:
        pieces[_spoken_at(deltas)]["logprobs"] = logprobs
    rest = {name: value for name, value in choice.items() if name not in ("index", "message", "logprobs")}
    return [*pieces, {"index": index, "delta": {}, "logprobs": None} | rest]


def _spoken_at(deltas: list[Json]) -> int:
    """The delta that log probabilities belong to: the content's, else the refusal's, else the first."""
    for name in ("content", "refusal"):
        for at, delta in enumerate(deltas):
            if at and name in delta:
                return at
    return 0
