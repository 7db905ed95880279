"""A chat reply in one piece, read and written; ``Reader`` and ``Writer`` do the same for a stream. Pure."""

from __future__ import annotations

import msgspec

from farthing.wire.reading import Json, count, loads, mapping, objects, string
from farthing.wire.translate.answer import Answer, Said
from farthing.wire.translate.chat_reader import Reader, made_up_id
from farthing.wire.translate.chat_words import (
    arguments_of,
    finish_of,
    finish_word,
    plain_thought,
    spoken,
    thought_block,
    thoughts_of,
    tier_word,
    usage_of,
    usage_words,
)
from farthing.wire.translate.chat_writer import Writer
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall

__all__ = ["Reader", "Writer", "read", "write"]


def read(body: bytes) -> Answer:
    """The first choice of a reply; what is not understood in it is left out. Raises ``ValueError`` if there is none."""
    reply = mapping(loads(body))
    choice = next(iter(objects(reply.get("choices"))), None)
    if choice is None:
        raise ValueError("the reply is no chat completion: it is no JSON object that has choices")
    reply_id = string(reply.get("id")) or ""
    parts = tuple(_parts(mapping(choice.get("message")), reply_id))
    calls = any(isinstance(part, ToolCall) for part in parts)
    return Answer(
        id=reply_id,
        model=string(reply.get("model")) or "",
        parts=parts,
        finish=finish_of(choice.get("finish_reason"), calls=calls),
        usage=usage_of(reply.get("usage")),
        created=count(reply.get("created")),
        service_tier=string(reply.get("service_tier")),
    )


def _parts(message: Json, reply_id: str) -> list[Said]:
    """Thoughts, words, a refusal and calls, in this order."""
    words = list(spoken(message.get("content")))
    parts: list[Said] = [*thoughts_of(message.get("thinking_blocks"))]
    if not parts and (thought := plain_thought(message) or "".join(text for kind, text in words if kind != "text")):
        parts.append(Reasoning(thought))
    if text := "".join(text for kind, text in words if kind == "text"):
        parts.append(Text(text))
    if refusal := string(message.get("refusal")):
        parts.append(Refusal(refusal))
    for index, call in enumerate(objects(message.get("tool_calls"))):
        function = mapping(call.get("function"))
        if name := string(function.get("name")):
            call_id = string(call.get("id")) or made_up_id(reply_id, index)
            parts.append(ToolCall(call_id, name, arguments_of(function)))
    older = mapping(message.get("function_call"))
    if name := string(older.get("name")):
        parts.append(ToolCall(made_up_id(reply_id, 0), name, arguments_of(older)))
    return parts


def write(answer: Answer, *, functions: bool = False, created: int = 0) -> bytes:
    """A reply in one piece. ``created``: seconds since the Unix epoch, for a provider that does not say it."""
    choice = {
        "index": 0,
        "message": _message(answer, functions=functions),
        "logprobs": None,
        "finish_reason": finish_word(answer.finish, functions=functions),
    }
    reply: Json = {
        "id": answer.id,
        "object": "chat.completion",
        "created": created if answer.created is None else answer.created,
        "model": answer.model,
        "choices": [choice],
    }
    if answer.usage is not None:
        reply["usage"] = usage_words(answer.usage)
    if (tier := tier_word(answer.service_tier)) is not None:
        reply["service_tier"] = tier
    return msgspec.json.encode(reply)


def _message(answer: Answer, *, functions: bool) -> Json:
    texts = [part.text for part in answer.parts if isinstance(part, Text)]
    refusals = [part.text for part in answer.parts if isinstance(part, Refusal)]
    thoughts = [part for part in answer.parts if isinstance(part, Reasoning)]
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    message: Json = {
        "role": "assistant",
        "content": "".join(texts) if texts else None,
        "refusal": "".join(refusals) if refusals else None,
    }
    if plain := "".join(thought.text for thought in thoughts):
        message["reasoning_content"] = plain
    if any(thought.signature is not None or thought.redacted is not None for thought in thoughts):
        message["thinking_blocks"] = [thought_block(thought) for thought in thoughts]
    if functions and calls:
        message["function_call"] = {"name": calls[0].name, "arguments": calls[0].arguments}
    elif calls:
        message["tool_calls"] = [_call(call) for call in calls]
    return message


def _call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
