"""Answers, and the steps in which a provider may have told them."""

from itertools import pairwise

from hypothesis import strategies as st

from farthing.types import Usage
from farthing.wire.translate.answer import (
    Alive,
    Answer,
    Closed,
    Counted,
    Done,
    Ended,
    Grown,
    Opened,
    Signed,
    Started,
)
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall

words = st.text(st.characters(codec="utf-8"), max_size=12)
counts = st.integers(0, 10**7)
usages = st.builds(
    Usage,
    **dict.fromkeys(
        (
            "input",
            "cache_read",
            "cache_write_5m",
            "cache_write_1h",
            "output",
            "input_audio",
            "cache_read_audio",
            "output_audio",
            "input_image",
            "output_image",
            "reasoning",
        ),
        counts,
    ),
)
reasonings = st.one_of(
    st.builds(Reasoning, words),
    st.builds(Reasoning, words, st.text("abc+/=", min_size=1)),
    st.builds(Reasoning, st.just(""), st.none(), words),
)
calls = st.builds(ToolCall, st.text("abc_1", min_size=1), st.text("abc_", min_size=1), words)
parts = st.one_of(st.builds(Text, words), st.builds(Refusal, words), calls, reasonings)
answers = st.builds(
    Answer,
    st.text(min_size=1),
    st.sampled_from(["gpt-4o", "claude-sonnet-4-5"]),
    st.lists(parts, max_size=5).map(tuple),
    st.sampled_from(["stop", "stop_sequence", "length", "tool_calls", "content_filter"]),
    st.none(),
    st.one_of(st.none(), usages),
    st.one_of(st.none(), st.integers(0, 2**31)),
    st.sampled_from([None, "standard", "default", "priority"]),
)


def chunks(text):
    """The text in pieces; now and then an empty one."""
    cuts = st.lists(st.integers(0, len(text)), max_size=4).map(lambda at: [0, *sorted(at), len(text)])
    return cuts.map(lambda at: [text[start:end] for start, end in pairwise(at)])


def told(part, draw):
    """One part, step by step: some of it may be there from the start."""
    text = part.arguments if isinstance(part, ToolCall) else part.text
    first, *rest = draw(chunks(text))
    steps = [Grown(piece) for piece in rest]
    match part:
        case ToolCall():
            opened = ToolCall(part.id, part.name, first)
        case Reasoning(signature=str() as signature):
            opened = Reasoning(first)
            steps.append(Signed(signature))
        case Reasoning():
            opened = Reasoning(first, None, part.redacted)
        case _:
            opened = type(part)(first)
    return [Opened(opened), *steps, Closed()]


@st.composite
def streamed(draw):
    """An answer and its steps."""
    answer = draw(answers)
    steps = [Started(answer.id, answer.model, None, answer.created, answer.service_tier)]
    for part in answer.parts:
        steps += told(part, draw)
        steps += draw(st.sampled_from([[], [Alive()]]))
    steps.append(Ended(answer.finish))
    if answer.usage is not None:
        steps += [Counted(Usage()), Counted(answer.usage)]
    return answer, [*steps, Done()]
