"""Conversations, answers and streams for the property tests of every wire.

What comes by default both APIs can say; a wire that can say more hands in the parts for it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from farthing.types import Usage
from farthing.wire.translate.answer import (
    Answer,
    Closed,
    Counted,
    Done,
    Ended,
    Grown,
    Opened,
    Said,
    Signed,
    Started,
    Step,
)
from farthing.wire.translate.conversation import (
    Choice,
    Conversation,
    Document,
    Image,
    Message,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

often = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Conversations take their time to be made up, the more so on a busy machine."""
letters = st.characters(codec="utf-8")
words = st.text(letters, min_size=1, max_size=12).filter(lambda text: text.strip())
names = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
counts = st.integers(0, 10**6)
base64s = st.sampled_from(["aGVsbG8=", "JVBERi0="])
ttls = st.sampled_from([None, None, "5m", "1h"])
values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(letters, max_size=8)
objects = st.dictionaries(
    words, values | st.lists(values, max_size=2) | st.dictionaries(words, values, max_size=1), max_size=2
)
"""JSON objects, without floats: those are written in more than one way."""


def written(value: object) -> str:
    """As JSON."""
    return msgspec.json.encode(value).decode()


def raw(value: object) -> msgspec.Raw:
    """As JSON that is kept as it is."""
    return msgspec.Raw(msgspec.json.encode(value))


texts = st.builds(Text, words)
media = st.sampled_from(["image/png", "image/jpeg", "image/webp", "image/gif"])
images = st.builds(Image, media_type=media, data=base64s) | st.builds(Image, url=st.just("https://example.com/a.png"))
documents = st.builds(
    Document, media_type=st.just("application/pdf"), data=base64s, name=st.just("a.pdf")
)  # what OpenAI's chat takes
calls = st.builds(ToolCall, names, names, objects.map(written))
signed = st.builds(Reasoning, words, words) | st.builds(Reasoning, st.just(""), redacted=words)
schemas = st.sampled_from(
    [
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"anyOf": [{"type": "null"}]}}},
        {"type": "object", "properties": {}},
    ]
)
tools = st.builds(Tool, names, st.none() | words, schemas.map(raw))
choices = st.builds(Choice, st.sampled_from(["auto", "none", "any"])) | st.just(Choice("tool", "f"))


@st.composite
def results(draw: st.DrawFn, call_id: str, shown: st.SearchStrategy[Any], *, more: bool) -> ToolResult:
    """What a tool said. ``more``: whether it may also be an error."""
    parts = tuple(draw(st.lists(shown, min_size=1, max_size=2)))
    return ToolResult(call_id, parts, more and draw(st.booleans()))


@st.composite
def dialogues(
    draw: st.DrawFn,
    asked: st.SearchStrategy[Any] = texts | images,
    said: st.SearchStrategy[Any] = texts,
    shown: st.SearchStrategy[Any] = texts,
    called: st.SearchStrategy[ToolCall] = calls,
    thought: st.SearchStrategy[Any] | None = None,
    *,
    more: bool = False,
) -> tuple[Message, ...]:
    """Turns that start and end with the user; every call is answered at once. A role may speak twice in a row."""
    messages: list[Message] = []
    pending: list[ToolCall] = []
    for number in range(draw(st.integers(1, 3))):
        answers = [draw(results(call.id, shown, more=more)) for call in pending]
        parts = draw(st.lists(asked, min_size=0 if answers else 1, max_size=2))
        messages.append(Message("user", (*answers, *parts)))
        drawn = draw(st.lists(called, max_size=2, unique_by=lambda call: call.id))
        pending = [replace(call, id=f"{call.id}_{number}") for call in drawn]
        thoughts = draw(st.lists(thought, max_size=1)) if thought is not None else []
        words_ = draw(st.lists(said, min_size=0 if pending else 1, max_size=2))
        messages.append(Message("assistant", (*thoughts, *words_, *pending)))
    answers = [draw(results(call.id, shown, more=more)) for call in pending]
    messages.append(Message("user", (*answers, *draw(st.lists(asked, min_size=1, max_size=2)))))
    return tuple(messages)


@st.composite
def conversations(
    draw: st.DrawFn,
    messages: st.SearchStrategy[tuple[Message, ...]] | None = None,
    system: st.SearchStrategy[Text] = texts,
    offered: st.SearchStrategy[Tool] = tools,
) -> Conversation:
    """What both APIs can say."""
    on_offer = tuple(draw(st.lists(offered, max_size=2, unique_by=lambda tool: tool.name)))
    choice = draw(st.none() | choices) if on_offer else None
    if choice is not None and choice.mode == "tool":
        choice = Choice("tool", on_offer[0].name)
    return Conversation(
        model=draw(words),
        messages=draw(messages if messages is not None else dialogues()),
        system=tuple(draw(st.lists(system, max_size=2))),
        tools=on_offer,
        choice=choice,
        parallel=draw(st.sampled_from([None, False])) if on_offer and (not choice or choice.mode != "none") else None,
        max_output=draw(st.integers(1, 4096)),
        temperature=draw(st.none() | st.sampled_from([0.0, 0.5, 1.0])),
        stop=tuple(draw(st.lists(words, max_size=4))),
        stream=draw(st.booleans()),
        user=draw(st.none() | names.filter(str.isalpha)),
    )


def normal(conversation: Conversation) -> Any:
    """As plain values. Consecutive messages of one role are one, what is meant anyway is not said, needs and dropped
    fields are left out."""
    messages: list[Message] = []
    for message in conversation.messages:
        if messages and messages[-1].role == message.role:
            messages[-1] = replace(messages[-1], parts=messages[-1].parts + message.parts)
        else:
            messages.append(message)
    bare = replace(
        conversation,
        messages=tuple(messages),
        choice=None if conversation.choice == Choice("auto") else conversation.choice,
        parallel=None if conversation.parallel else conversation.parallel,
        needs=frozenset(),
        dropped=(),
    )
    return msgspec.json.decode(msgspec.json.encode(bare))


usages = st.builds(
    lambda fresh, read, five, hour, output, hidden, searches: Usage(
        input=fresh,
        cache_read=read,
        cache_write_5m=five,
        cache_write_1h=hour,
        output=output,
        reasoning=min(hidden, output),
        web_searches=searches,
    ),
    *[counts] * 6,
    st.integers(0, 3),
)
"""What Anthropic can say."""


@st.composite
def answers(
    draw: st.DrawFn,
    said: st.SearchStrategy[Said] = texts,
    thought: st.SearchStrategy[Said] | None = None,
    used: st.SearchStrategy[Usage] = usages,
) -> Answer:
    """A complete reply: perhaps thoughts, then words, then calls."""
    called = draw(st.lists(calls, max_size=2, unique_by=lambda call: call.id))
    thoughts = draw(st.lists(thought, max_size=2)) if thought is not None else []
    finish = draw(st.sampled_from(["tool_calls" if called else "stop", "length"]))
    return Answer(
        id=draw(names),
        model=draw(names),
        parts=(*thoughts, *draw(st.lists(said, max_size=2)), *called),
        finish=finish,
        usage=draw(used),
    )


def body_of(part: Said) -> str:
    """What of a part comes bit by bit."""
    return part.arguments if isinstance(part, ToolCall) else part.text


def opening_of(part: Said) -> Said:
    """A part as it begins."""
    match part:
        case ToolCall():
            return replace(part, arguments="")
        case Reasoning():
            return replace(part, text="", signature=None)
        case _:
            return replace(part, text="")


def steps_of(answer: Answer, sizes: Sequence[int] = (3,)) -> list[Step]:
    """The answer as it streams, in pieces of these sizes, over and over."""
    usage = answer.usage or Usage()
    steps: list[Step] = [Started(answer.id, answer.model, replace(usage, output=0, reasoning=0, web_searches=0))]
    for part in answer.parts:
        steps.append(Opened(opening_of(part)))
        body, at = body_of(part), 0
        while body:
            size = sizes[at % len(sizes)]
            steps.append(Grown(body[:size]))
            body, at = body[size:], at + 1
        if isinstance(part, Reasoning) and part.signature is not None:
            steps.append(Signed(part.signature))
        steps.append(Closed())
    if answer.finish is not None:
        steps.append(Ended(answer.finish, answer.stop_sequence))
    return [*steps, Counted(usage), Done()]


@st.composite
def streams(draw: st.DrawFn, complete: st.SearchStrategy[Answer] | None = None) -> list[Step]:
    """A well-formed stream."""
    answer = draw(complete if complete is not None else answers())
    return steps_of(answer, draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))


def fold(steps: Sequence[Step]) -> Answer:
    """The answer that a stream makes."""
    found = Answer("", "", (), None)
    for step in steps:
        match step:
            case Started():
                found = replace(found, id=step.id, model=step.model, usage=step.usage, created=step.created)
            case Opened():
                found = replace(found, parts=(*found.parts, step.part))
            case Grown() | Signed():
                found = replace(found, parts=(*found.parts[:-1], _grown(found.parts[-1], step)))
            case Ended():
                found = replace(found, finish=step.finish, stop_sequence=step.stop_sequence)
            case Counted():
                found = replace(found, usage=step.usage)
            case _:
                pass
    return found


def _grown(part: Said, step: Grown | Signed) -> Said:
    match part:
        case ToolCall() if isinstance(step, Grown):
            return replace(part, arguments=part.arguments + step.text)
        case Reasoning() if isinstance(step, Signed):
            return replace(part, signature=step.signature)
        case Text() | Reasoning() | Refusal() if isinstance(step, Grown):
            return replace(part, text=part.text + step.text)
        case _:
            raise AssertionError(f"{step} does not fit {part}")
