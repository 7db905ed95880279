"""A stream of chat chunks, read step by step.

Steps tell of one part at a time, chunks of several: OpenAI numbers parallel calls, and their arguments may come mixed.
So each part has a place in a queue, and only the first is open. Text is over when something else begins; a call when
its arguments are whole (a JSON value that ends cannot go on), or at the end of all.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from farthing.wire import sse
from farthing.wire.reading import Json, count, is_json, loads, mapping, objects, string
from farthing.wire.translate.answer import (
    Alive,
    Closed,
    Counted,
    Done,
    Ended,
    Finish,
    Grown,
    Opened,
    Said,
    Signed,
    Started,
    Step,
)
from farthing.wire.translate.chat_words import (
    arguments_of,
    finish_of,
    index_of,
    plain_thought,
    spoken,
    thoughts_of,
    usage_of,
)
from farthing.wire.translate.conversation import Reasoning, Refusal, Text, ToolCall
from farthing.wire.translate.errors import streamed

_EMPTY: Final[dict[str, Said]] = {"text": Text(""), "reasoning": Reasoning(""), "refusal": Refusal("")}


class _Slot:
    """A part in the queue, and what has come of it that has not been told."""

    def __init__(self, kind: str, part: Said | None, index: int | None = None, call_id: str | None = None) -> None:
        self.kind, self.index, self.call_id = kind, index, call_id
        self.part = part
        """``None``: a call whose name has not come."""
        self.pending: list[Step] = []
        self.is_open = False
        self._said: list[str] = []

    @property
    def said(self) -> str:
        """All that has come."""
        return "".join(self._said)

    def grow(self, text: str) -> None:
        """More of it."""
        self.pending.append(Grown(text))
        self._said.append(text)

    def is_over(self) -> bool:
        """Whether nothing more can come, if something else has begun."""
        return self.kind != "call" or is_json(self.said.encode("utf-8", "replace"))

    def is_call(self, index: int | None, call_id: str | None) -> bool:
        """Whether more of the call with this number and id belongs here.

        Gemini's calls all have the number 0, but ids of their own; without number and id it is the last call.
        """
        if index is not None and self.index is not None and index != self.index:
            return False
        if call_id is not None and self.call_id is not None:
            return call_id == self.call_id
        return index is not None or call_id is None


class Reader:
    """Takes event after event; gives the steps that they stand for. Lenient: what is not understood is skipped."""

    def __init__(self) -> None:
        self._id = ""
        self._started = self._ended = self._failed = False
        self._queue: list[_Slot] = []
        self._calls: list[_Slot] = []

    def feed(self, event: bytes) -> list[Step]:
        """The steps that one event stands for."""
        data = sse.data_of(event)
        if self._failed:
            return []
        if data is None:
            return [Alive()] if event.startswith(b":") else []
        if data.strip() == b"[DONE]":
            return [*self._advance(last=True), Done()]
        chunk = mapping(loads(data))
        if chunk.get("error"):
            self._failed = True
            return [streamed("openai", data)]
        return self._chunk(chunk)

    def _chunk(self, chunk: Json) -> list[Step]:
        choice = next((one for one in objects(chunk.get("choices")) if not index_of(one)), None)
        usage = usage_of(chunk.get("usage"))
        if choice is None and usage is None:
            return []  # what Azure's filters say of the prompt, or nothing at all
        steps = self._start(chunk)
        if choice is not None and not self._ended:
            self._delta(mapping(choice.get("delta")))
            finish = finish_of(choice.get("finish_reason"), calls=bool(self._calls))
            steps += self._advance(last=finish is not None)
            steps += self._end(finish)
        if usage is not None:
            steps.append(Counted(usage))
        return steps

    def _start(self, chunk: Json) -> list[Step]:
        if self._started:
            return []
        self._started = True
        self._id = string(chunk.get("id")) or ""
        tier = string(chunk.get("service_tier"))
        model = string(chunk.get("model")) or ""
        return [Started(self._id, model, created=count(chunk.get("created")), service_tier=tier)]

    def _end(self, finish: Finish | None) -> list[Step]:
        if finish is None:
            return []
        self._ended = True
        return [Ended(finish)]

    def _delta(self, delta: Json) -> None:
        """Puts what a delta says where it belongs."""
        thought = plain_thought(delta)
        if thought is not None:
            self._words("reasoning").grow(thought)
        for block in thoughts_of(delta.get("thinking_blocks")):
            self._block(block, is_new=thought is None)
        for kind, text in spoken(delta.get("content")):
            self._words(kind).grow(text)
        if refusal := string(delta.get("refusal")):
            self._words("refusal").grow(refusal)
        for call in objects(delta.get("tool_calls")):
            self._call(index_of(call), string(call.get("id")), mapping(call.get("function")))
        if older := mapping(delta.get("function_call")):
            self._call(0, None, older)

    def _words(self, kind: str) -> _Slot:
        """The place of words: that of the last part if it is of this kind, else a new one."""
        last = self._queue[-1] if self._queue else None
        return last if last is not None and last.kind == kind else self._place(_Slot(kind, _EMPTY[kind]))

    def _block(self, block: Reasoning, *, is_new: bool) -> None:
        """A signature ends a thought. A block may say again what the plain field has said (not ``is_new``, or all)."""
        if block.redacted is not None:
            self._place(_Slot("redacted", block))
            return
        slot = self._words("reasoning")
        if is_new and block.text and block.text != slot.said:
            slot.grow(block.text)
        if block.signature is not None:
            slot.pending.append(Signed(block.signature))
            slot.kind = "signed"

    def _call(self, index: int | None, call_id: str | None, function: Json) -> None:
        slot = next((known for known in reversed(self._calls) if known.is_call(index, call_id)), None)
        if slot is None:
            slot = self._place(_Slot("call", None, index, call_id))
            self._calls.append(slot)
        if slot.part is None and (name := string(function.get("name"))):
            slot.part = ToolCall(call_id or made_up_id(self._id, len(self._calls) - 1), name, "")
        if arguments := arguments_of(function):
            slot.grow(arguments)

    def _place(self, slot: _Slot) -> _Slot:
        self._queue.append(slot)
        return slot

    def _advance(self, *, last: bool) -> list[Step]:
        """Tells of the first part in the queue and of those after it whose turn has come. ``last``: of all."""
        steps: list[Step] = []
        while self._queue:
            slot = self._queue[0]
            if slot.part is not None:
                if not slot.is_open:
                    slot.is_open = True
                    steps.append(Opened(slot.part))
                steps += slot.pending
                slot.pending.clear()
            if not last and (len(self._queue) == 1 or slot.part is None or not slot.is_over()):
                break
            if slot.is_open:
                steps.append(Closed())
            del self._queue[0]
        return steps


def made_up_id(reply_id: str, index: int) -> str:
    """An id for a call that came without one; always the same for the same reply and place.

    >>> made_up_id("chatcmpl-1", 0) == made_up_id("chatcmpl-1", 0) != made_up_id("chatcmpl-1", 1)
    True
    """
    return "call_" + blake2b(f"{reply_id}/{index}".encode("utf-8", "replace"), digest_size=12).hexdigest()
