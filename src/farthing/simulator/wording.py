"""From an answer to a finished choice: stop sequences, output limits, tokens, ids."""

from __future__ import annotations

import random
import string

from farthing.simulator.answers import Answer, reasoning_tokens
from farthing.simulator.call import Call, Finish, Wording, dump
from farthing.simulator.tokens import count_tokens, pieces_of

_ALPHABET = string.digits + string.ascii_letters
_PER_TOOL_CALL = 3


class Ids:
    """Identifiers as the providers make them; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"ids:{seed}")  # noqa: S311 - ids, not secrets

    def new(self, prefix: str, length: int = 24) -> str:
        """The prefix and so many letters and digits."""
        return prefix + "".join(self._dice.choices(_ALPHABET, k=length))

    def hexadecimal(self, prefix: str, length: int = 32) -> str:
        """The prefix and so many hexadecimal digits."""
        return f"{prefix}{self._dice.getrandbits(4 * length):0{length}x}"


def finished(call: Call, answer: Answer, ids: Ids) -> Wording:
    """The answer as it is sent and billed."""
    text, stop = _stopped(answer.text, call.stop)
    think = answer.reasoning_tokens or (reasoning_tokens(call.ask) if call.think else 0)
    cost_of_tools = sum(tool_call_tokens(each.name, dump(each.arguments)) for each in answer.tool_calls)
    words = pieces_of(text)
    total = max(1, think + len(words) + cost_of_tools)
    limit = call.ask.max_output
    if limit is not None and total > limit:
        text = "".join(words[: max(0, limit - think)])
        return Wording(text, (), "length", limit, reasoning=min(think, limit))
    prefix, length = call.call_ids
    calls = tuple((ids.new(prefix, length), each) for each in answer.tool_calls)
    finish: Finish = "tool" if calls else "stop_sequence" if stop else "stop"
    return Wording(text, calls, finish, total, reasoning=think, stop_sequence=stop)


def tool_call_tokens(name: str, arguments: str) -> int:
    """What a tool call costs as output."""
    return _PER_TOOL_CALL + count_tokens(name) + count_tokens(arguments)


def _stopped(text: str, stop: tuple[str, ...]) -> tuple[str, str | None]:
    found = [(at, each) for each in stop if each and (at := text.find(each)) >= 0]
    if not found:
        return text, None
    at, each = min(found)
    return text[:at], each
