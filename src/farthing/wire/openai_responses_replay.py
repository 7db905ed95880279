"""A response in one piece rendered as the events that the API would have streamed."""

from __future__ import annotations

import msgspec

from farthing.wire import sse
from farthing.wire.reading import Json, Value, loads, mapping, objects

_TERMINAL = ("completed", "incomplete", "failed")


def unfold(plain: bytes) -> list[bytes]:
    """From ``response.created`` to the terminal event, which carries the bytes of ``plain`` on one line.

    Raises ``ValueError`` if the response has not ended.
    """
    response = mapping(loads(plain))
    status = response.get("status")
    if status not in _TERMINAL:
        raise ValueError(f"a response with status {status!r} cannot be rendered as a stream: it has not ended")
    script = _Script()
    blank: Json = {"status": "in_progress", "output": [], "usage": None, "error": None, "incomplete_details": None}
    started = response | {name: value for name, value in blank.items() if name in response}
    script.add("response.created", response=started)
    script.add("response.in_progress", response=started)
    for index, item in enumerate(objects(response.get("output"))):
        _item(script, index, item)
    script.add(f"response.{status}", response=msgspec.Raw(_one_line(plain)))
    return script.events


def _one_line(body: bytes) -> bytes:
    """The same JSON without its line breaks and indentation: no JSON string goes over a line break."""
    return b"".join(line.strip() for line in body.splitlines())


class _Script:
    """Numbers the events."""

    def __init__(self) -> None:
        self.events: list[bytes] = []

    def add(self, kind: str, **fields: Value) -> None:
        event = {"type": kind, "sequence_number": len(self.events)} | fields
        self.events.append(sse.render(msgspec.json.encode(event), kind))


def _item(script: _Script, index: int, item: Json) -> None:
    """One output item from ``added`` to ``done``; kinds without deltas come whole."""
    place = {"item_id": item.get("id"), "output_index": index}
    opening: Json = {"status": "in_progress"} if "status" in item else {}
    match item.get("type"):
        case "message":
            opening["content"] = []
        case "reasoning":
            opening |= {name: [] for name in ("summary", "content") if item.get(name)}
        case "function_call" | "mcp_call":
            opening["arguments"] = ""
        case "custom_tool_call":
            opening["input"] = ""
        case _:
            pass
    script.add("response.output_item.added", output_index=index, item=item | opening)
    _inside(script, place, item)
    script.add("response.output_item.done", output_index=index, item=item)


def _inside(script: _Script, place: Json, item: Json) -> None:
    match item.get("type"):
        case "message":
            _parts(script, place, item)
        case "reasoning":
            _summary(script, place, item)
            _parts(script, place, item)
        case "function_call":
            arguments = item.get("arguments")
            script.add("response.function_call_arguments.delta", **place, delta=arguments)
            script.add("response.function_call_arguments.done", **place, name=item.get("name"), arguments=arguments)
        case "mcp_call":
            script.add("response.mcp_call_arguments.delta", **place, delta=item.get("arguments"))
            script.add("response.mcp_call_arguments.done", **place, arguments=item.get("arguments"))
        case "custom_tool_call":
            script.add("response.custom_tool_call_input.delta", **place, delta=item.get("input"))
            script.add("response.custom_tool_call_input.done", **place, input=item.get("input"))
        case _:
            pass


def _summary(script: _Script, place: Json, item: Json) -> None:
    for at, part in enumerate(objects(item.get("summary"))):
        spot = place | {"summary_index": at}
        script.add("response.reasoning_summary_part.added", **spot, part=part | {"text": ""})
        script.add("response.reasoning_summary_text.delta", **spot, delta=part.get("text"))
        script.add("response.reasoning_summary_text.done", **spot, text=part.get("text"))
        script.add("response.reasoning_summary_part.done", **spot, part=part)


def _parts(script: _Script, place: Json, item: Json) -> None:
    """The content parts of a message or of reasoning: text with its annotations, a refusal, reasoning text."""
    for at, part in enumerate(objects(item.get("content"))):
        spot = place | {"content_index": at}
        kind = part.get("type")
        field = "refusal" if kind == "refusal" else "text"
        empty: Json = {field: ""} | ({"annotations": []} if "annotations" in part else {})
        logprobs: Json = {"logprobs": part.get("logprobs") or []} if kind == "output_text" else {}
        script.add("response.content_part.added", **spot, part=part | empty | {name: [] for name in logprobs})
        script.add(f"response.{kind}.delta", **spot, delta=part.get(field), **logprobs)
        for number, annotation in enumerate(part.get("annotations") or []):
            script.add("response.output_text.annotation.added", **spot, annotation_index=number, annotation=annotation)
        script.add(f"response.{kind}.done", **spot, **{field: part.get(field)}, **logprobs)
        script.add("response.content_part.done", **spot, part=part)
