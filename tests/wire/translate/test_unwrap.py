"""The tool that stands for a schema is never seen by the client."""

import pytest

from farthing.types import Usage
from farthing.wire.translate.answer import Answer, Closed, Counted, Ended, Grown, Opened, Started
from farthing.wire.translate.conversation import Reasoning, Text, ToolCall
from farthing.wire.translate.unwrap import Unwrap, unwrapped

CALL = ToolCall("c1", "answer", '{"a":1}')
OTHER = ToolCall("c2", "get_weather", "{}")
BEGUN = Started("m", "claude")
THOUGHT = [Opened(Reasoning("hm")), Closed()]
PREAMBLE = [Opened(Text("")), Grown("Sure."), Closed()]


def answer(*parts, finish="tool_calls"):
    return Answer("m", "claude", parts, finish)


def streamed(steps, tool="answer"):
    unwrap = Unwrap(tool)
    return [out for step in steps for out in unwrap.feed(step)]


def call(part):
    return [Opened(ToolCall(part.id, part.name, "")), Grown(part.arguments), Closed()]


@pytest.mark.parametrize("tool", [None, "another"])
def test_what_has_no_such_call_is_left_as_it_is(tool):
    whole = answer(Text("hi"), OTHER)
    assert unwrapped(whole, tool) is whole
    assert streamed([BEGUN, *PREAMBLE, *call(OTHER), Ended("tool_calls")], tool) == [
        BEGUN, *PREAMBLE, *call(OTHER), Ended("tool_calls"),
    ]  # fmt: skip


def test_the_call_becomes_the_answer_and_what_was_said_before_it_goes():
    assert unwrapped(answer(Reasoning("hm"), Text("Sure."), CALL), "answer") == answer(
        Reasoning("hm"), Text('{"a":1}'), finish="stop"
    )
    steps = [BEGUN, *THOUGHT, *PREAMBLE, *call(CALL), Ended("tool_calls"), Counted(Usage(1))]
    assert streamed(steps) == [
        BEGUN, *THOUGHT, Opened(Text("")), Grown('{"a":1}'), Closed(), Ended("stop"), Counted(Usage(1)),
    ]  # fmt: skip


def test_a_real_call_stays_one():
    assert unwrapped(answer(Text("Let me look."), OTHER), "answer") == answer(Text("Let me look."), OTHER)
    steps = [BEGUN, *PREAMBLE, *call(OTHER), Ended("tool_calls")]
    assert streamed(steps) == steps


def test_the_answer_beside_a_real_call_still_wants_the_call_made():
    assert unwrapped(answer(CALL, OTHER), "answer").finish == "tool_calls"
    assert streamed([*call(CALL), *call(OTHER), Ended("tool_calls")])[-1] == Ended("tool_calls")


def test_an_answer_that_was_cut_keeps_its_reason():
    assert unwrapped(answer(CALL, finish="length"), "answer").finish == "length"
    assert streamed([*call(CALL), Ended("length")])[-1] == Ended("length")


def test_text_in_place_of_the_call_comes_through():
    steps = [BEGUN, *PREAMBLE, Ended("stop")]
    assert streamed(steps) == steps
