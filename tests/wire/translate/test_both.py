"""From one API to the other and back: what both have is kept, and every request is one that its API takes."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from farthing.wire import sse
from farthing.wire.translate import chat_reply, chat_request, messages_reply, messages_request
from farthing.wire.translate.answer import Answer, Done, Step
from farthing.wire.translate.conversation import Conversation, Text, ToolCall, Traits

from . import strategies as some

TRAITS = Traits(max_output=8192)
TOOL = {"type": "object", "properties": {"n": {"type": "integer"}}}
LONG = "x" * 30
"""Some ids are longer than OpenAI takes, some have characters that Anthropic refuses."""


def by_chat(conversation: Conversation) -> Conversation:
    return chat_request.read(chat_request.write(conversation, TRAITS).body)


def by_messages(conversation: Conversation) -> Conversation:
    return messages_request.read(messages_request.write(conversation, TRAITS).body)


def normal(conversation: Conversation) -> dict:
    """``auto`` is what is meant without a choice; only chat says whether a stream tells its usage."""
    said = some.normal(replace(conversation, include_usage=False))
    if (said["choice"] or {}).get("mode") == "auto":
        said["choice"] = None
    return said


@some.often
@given(some.conversations())
def test_chat_to_messages_and_back(conversation):
    before = by_chat(conversation)
    after = by_chat(by_messages(before))
    assert normal(after) == normal(before)


@some.often
@given(some.conversations())
def test_messages_to_chat_and_back(conversation):
    before = by_messages(by_chat(conversation))
    after = by_messages(by_chat(before))
    assert normal(after) == normal(before)


@some.often
@given(some.conversations(some.dialogues(some.texts | some.images | some.documents)))
def test_what_is_written_is_valid_on_both(conversation):
    check_chat(json.loads(chat_request.write(by_messages(conversation), TRAITS).body))
    check_messages(json.loads(messages_request.write(by_chat(conversation), TRAITS).body))


ANSWERS = some.answers(st.builds(Text, some.words))


@some.often
@given(ANSWERS)
def test_replies_to_messages_and_back(answer):
    before = chat_reply.read(chat_reply.write(answer))
    after = chat_reply.read(chat_reply.write(messages_reply.read(messages_reply.write(before))))
    assert after == before


@some.often
@given(some.streams(ANSWERS))
def test_streams_to_messages_and_back(steps):
    chat = chat_reply.Writer(include_usage=True, functions=False, created=0)
    before = through(chat, chat_reply.Reader(), steps)
    middle = through(messages_reply.Writer(), messages_reply.Reader(), before)
    chat = chat_reply.Writer(include_usage=True, functions=False, created=0)
    after = through(chat, chat_reply.Reader(), middle)
    assert some.fold(after) == some.fold(before)
    assert [type(step) for step in after].count(Done) == 1


def through(writer, reader, steps: list[Step]) -> list[Step]:
    """What a client of this API understands of the steps."""
    return [step for event in sse.split(b"".join(map(writer.feed, steps))) for step in reader.feed(event)]


def check_chat(body: dict) -> None:
    """OpenAI's rules: calls are answered at once and once each, nothing else is answered, ids are short."""
    waiting: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
            assert isinstance(message["content"], str)
            continue
        assert waiting == [], "a call was not answered"
        assert message["role"] in ("system", "user", "assistant")
        waiting = [call["id"] for call in message.get("tool_calls", ())]
        assert all(0 < len(call_id) <= 40 for call_id in waiting)
        assert message["content"] is not None or waiting
    assert waiting == []


def check_messages(body: dict) -> None:
    """Anthropic's rules: roles alternate from the user's on, results come first and for the calls just made."""
    waiting: list[str] = []
    for at, message in enumerate(body["messages"]):
        assert message["role"] == ("user", "assistant")[at % 2]
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        assert blocks
        kinds = [block["type"] for block in blocks]
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        assert kinds[: len(results)] == ["tool_result"] * len(results)
        assert sorted(results) == sorted(waiting)
        assert all(block["text"].strip() for block in blocks if block["type"] == "text")
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        assert all(re.fullmatch("[a-zA-Z0-9_-]+", call_id) for call_id in waiting)
    assert waiting == []


def reply_of(turn: int) -> Answer:
    """Two calls at once, until the last turn; ids as their providers make them, good and bad."""
    if turn == 19:
        return Answer("r19", "m", (Text("All done."),), "stop")
    ids = (f"toolu_{turn}{LONG * (turn % 3)}", f"functions.step:{turn}")
    calls = [ToolCall(call_id, "step", json.dumps({"n": turn})) for call_id in ids]
    return Answer(f"r{turn}", "m", (Text(f"Step {turn}."), *calls), "tool_calls")


def served(conversation: Conversation, turn: int) -> Answer:
    """The answer of a provider that speaks another API at every turn, read from its own reply."""
    if turn % 2:
        check_chat(json.loads(chat_request.write(conversation, TRAITS).body))
        return chat_reply.read(chat_reply.write(reply_of(turn)))
    check_messages(json.loads(messages_request.write(conversation, TRAITS).body))
    return messages_reply.read(messages_reply.write(reply_of(turn)))


def test_a_chat_client_s_loop_of_twenty_turns_over_both_apis():
    tools = [{"type": "function", "function": {"name": "step", "parameters": TOOL}}]
    history = [{"role": "system", "content": "Go on."}, {"role": "user", "content": "Start."}]
    for turn in range(20):
        request = json.dumps({"model": "m", "messages": history, "tools": tools}).encode()
        body = json.loads(chat_reply.write(served(chat_request.read(request), turn)))
        message = body["choices"][0]["message"]
        history.append(message)
        history += [
            {"role": "tool", "tool_call_id": call["id"], "content": f"did {call['function']['arguments']}"}
            for call in message.get("tool_calls", ())
        ]
    assert history[-1]["content"] == "All done."
    check_everything(chat_request.read(json.dumps({"model": "m", "messages": history}).encode()))


def test_an_anthropic_client_s_loop_of_twenty_turns_over_both_apis():
    tools = [{"name": "step", "input_schema": TOOL}]
    history = [{"role": "user", "content": "Start."}]
    for turn in range(20):
        request = json.dumps({"model": "m", "max_tokens": 99, "messages": history, "tools": tools}).encode()
        content = json.loads(messages_reply.write(served(messages_request.read(request), turn)))["content"]
        history.append({"role": "assistant", "content": content})
        calls = [block for block in content if block["type"] == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": f"did {json.dumps(call['input'])}"}
            for call in calls
        ]
        if results:
            history.append({"role": "user", "content": results})
    assert history[-1]["content"] == [{"type": "text", "text": "All done."}]
    check_everything(messages_request.read(json.dumps({"model": "m", "max_tokens": 9, "messages": history}).encode()))


def check_everything(conversation: Conversation) -> None:
    """Twenty turns, each call with its own result, however its id had to be changed on the way."""
    check_chat(json.loads(chat_request.write(conversation, TRAITS).body))
    check_messages(json.loads(messages_request.write(conversation, TRAITS).body))
    said = [message for message in conversation.messages if message.role == "assistant"]
    assert len(said) == 20
    for turn, message in enumerate(said[:-1]):
        calls = [part for part in message.parts if isinstance(part, ToolCall)]
        assert [json.loads(call.arguments) for call in calls] == [{"n": turn}] * 2
        answered = conversation.messages[conversation.messages.index(message) + 1].parts
        assert [part.call_id for part in answered] == [call.id for call in calls]
