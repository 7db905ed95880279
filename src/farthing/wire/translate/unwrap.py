"""The tool that stands for an answer's JSON schema, taken away again: its call is the answer. Pure.

Models without structured output are made to call a tool whose parameters are the schema.
"""

from __future__ import annotations

import msgspec

from farthing.wire.translate.answer import Answer, Closed, Ended, Grown, Opened, Said, Step
from farthing.wire.translate.conversation import Text, ToolCall


def unwrapped(answer: Answer, tool: str | None) -> Answer:
    """The answer, with the tool's call as text."""
    if tool is None or not any(_is_call(part, tool) for part in answer.parts):
        return answer
    # What a model says before its forced call is no part of the JSON.
    others = [part for part in answer.parts if not isinstance(part, Text)]
    parts = tuple(
        Text(part.arguments) if _is_call(part, tool) and isinstance(part, ToolCall) else part for part in others
    )
    calls = any(isinstance(part, ToolCall) for part in parts)
    finish = "stop" if answer.finish == "tool_calls" and not calls else answer.finish
    return msgspec.structs.replace(answer, parts=parts, finish=finish)


class Unwrap:
    """The same for a stream. Text is held back until it is known that no call of the tool follows."""

    def __init__(self, tool: str | None) -> None:
        self._tool = tool
        self._held: list[Step] = []
        self._answered = self._called = self._inside = False

    def feed(self, step: Step) -> list[Step]:
        """The steps for the client."""
        if self._tool is None:
            return [step]
        match step:
            case Opened(part=ToolCall() as call) if call.name == self._tool:
                self._answered = True
                self._held.clear()
                return [Opened(Text(call.arguments))]
            case Opened(part=Text()):
                self._inside = True
                self._held.append(step)
                return []
            case Grown() | Closed() if self._inside:
                self._held.append(step)
                self._inside = not isinstance(step, Closed)
                return []
            case Opened(part=ToolCall()):
                self._called = True
                return [*self._release(), step]
            case Ended(finish="tool_calls") if self._answered and not self._called:
                return [*self._release(), Ended("stop")]
            case Ended():
                return [*self._release(), step]
            case _:
                return [step]

    def _release(self) -> list[Step]:
        held = [] if self._answered else list(self._held)
        self._held.clear()
        return held


def _is_call(part: Said, tool: str) -> bool:
    return isinstance(part, ToolCall) and part.name == tool
