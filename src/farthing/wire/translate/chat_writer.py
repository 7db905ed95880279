"""Steps as a stream of chat chunks, as OpenAI sends them."""

from __future__ import annotations

import msgspec

from farthing.types import Usage
from farthing.wire import sse
from farthing.wire.openai_chat_replay import DONE
from farthing.wire.reading import Json
from farthing.wire.translate import errors
from farthing.wire.translate.answer import (
    Alive,
    Closed,
    Counted,
    Done,
    Ended,
    Failed,
    Grown,
    Opened,
    Said,
    Signed,
    Started,
    Step,
)
from farthing.wire.translate.chat_words import finish_word, thought_block, tier_word, usage_words
from farthing.wire.translate.conversation import Reasoning, Refusal, ToolCall

_PING = b": ping\n\n"


class Writer:
    """Takes step after step; gives the chunks for the client.

    ``include_usage``: the client asked for it. ``functions``: it speaks the older ``functions``. ``created``: seconds
    since the Unix epoch, for a provider that does not say it.
    """

    def __init__(self, *, include_usage: bool, functions: bool, created: int) -> None:
        self._include_usage, self._functions, self._created = include_usage, functions, created
        self._usage: Usage | None = None
        self._head: Json = {}
        self._open: Said | None = None
        self._thought: list[str] = []
        self._calls = self._thoughts = 0

    def feed(self, step: Step) -> bytes:
        """The bytes for one step; often none."""
        match step:
            case Grown():
                return self._grown(step.text)
            case Opened():
                return self._opened(step.part)
            case Started():
                return self._started(step)
            case Ended():
                return self._choice({}, finish_word(step.finish, functions=self._functions))
            case Done():
                return self._last() + DONE
            case _:
                return self._aside(step)

    def _aside(self, step: Signed | Closed | Counted | Failed | Alive) -> bytes:
        match step:
            case Signed():
                return self._block(Reasoning("".join(self._thought), step.signature))
            case Counted():
                self._usage = step.usage
            case Failed():
                return errors.event("openai", step)
            case Alive():
                return _PING
            case Closed():
                pass
        return b""

    def _started(self, step: Started) -> bytes:
        self._usage = step.usage
        self._head = {
            "id": step.id,
            "object": "chat.completion.chunk",
            "created": self._created if step.created is None else step.created,
            "model": step.model,
        }
        if (tier := tier_word(step.service_tier)) is not None:
            self._head["service_tier"] = tier
        return self._choice({"role": "assistant", "content": "", "refusal": None})

    def _opened(self, part: Said) -> bytes:
        self._open = part
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, Reasoning):
            self._thought = []
            if part.redacted is not None:
                return self._block(part)
        return self._grown(part.text)

    def _call(self, call: ToolCall) -> bytes:
        """The older ``function_call`` has room for one."""
        function = {"name": call.name, "arguments": call.arguments}
        self._calls += 1
        if self._functions:
            return self._choice({"function_call": function}) if self._calls == 1 else b""
        whole = {"index": self._calls - 1, "id": call.id, "type": "function", "function": function}
        return self._choice({"tool_calls": [whole]})

    def _grown(self, text: str) -> bytes:
        if not text:
            return b""
        match self._open:
            case Reasoning():
                self._thought.append(text)
                return self._choice({"reasoning_content": text})
            case Refusal():
                return self._choice({"refusal": text})
            case ToolCall():
                return self._arguments(text)
            case _:
                return self._choice({"content": text})

    def _arguments(self, text: str) -> bytes:
        if self._functions:
            return self._choice({"function_call": {"arguments": text}}) if self._calls == 1 else b""
        return self._choice({"tool_calls": [{"index": self._calls - 1, "function": {"arguments": text}}]})

    def _block(self, thought: Reasoning) -> bytes:
        """A whole block of thinking; the number lets the official client put several of them together."""
        numbered = {"index": self._thoughts} | thought_block(thought)
        self._thoughts += 1
        return self._choice({"thinking_blocks": [numbered]})

    def _choice(self, delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._chunk({"choices": [choice], "usage": None} if self._include_usage else {"choices": [choice]})

    def _last(self) -> bytes:
        if not self._include_usage or self._usage is None:
            return b""
        return self._chunk({"choices": [], "usage": usage_words(self._usage)})

    def _chunk(self, rest: Json) -> bytes:
        return sse.render(msgspec.json.encode(self._head | rest))
