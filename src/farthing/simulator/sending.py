"""Replies on the wire, with the faults that strike while they are sent. The booking stands here, too."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

import msgspec
from aiohttp import web

from farthing.simulator.anthropic_wire import event
from farthing.simulator.call import Event, Json, dump
from farthing.simulator.engine import Engine, Work
from farthing.simulator.faults import Cut
from farthing.simulator.openai_wire import sse

_TOGETHER = 8192
"""Events of a reply that takes no time are written together, up to so many bytes."""
_MISSING_BYTES = 16


async def send_plain(
    request: web.Request, engine: Engine, work: Work, headers: dict[str, str], reply: Json
) -> web.StreamResponse:
    """A reply in one piece. It is billed whole, even if nobody is there to take it."""
    fate = work.fate
    await asyncio.sleep(fate.stall_s + fate.ttft_s + fate.token_s * work.done.usage.output)
    engine.begin(work)
    engine.book(work)
    data = msgspec.json.encode(reply)
    if work.faults.malformed_json:
        data = data[: len(data) * 2 // 3]
    if not work.faults.wrong_content_length:
        return web.Response(body=data, headers=headers, content_type="application/json")
    response = web.StreamResponse(headers=headers)
    response.content_type = "application/json"
    response.content_length = len(data) + _MISSING_BYTES
    await response.prepare(request)
    await response.write(data)
    if request.transport is not None:
        request.transport.close()
    return response


async def send_stream(
    request: web.Request, engine: Engine, work: Work, headers: dict[str, str], events: list[Event]
) -> web.StreamResponse:
    """A stream. If it breaks off, by a fault or because the client left, only what was sent is billed."""
    fate = work.fate
    await asyncio.sleep(fate.ttft_s)
    engine.begin(work)
    response = web.StreamResponse(headers={**headers, "cache-control": "no-cache"})
    response.content_type = "text/event-stream"
    response.charset = "utf-8"
    cut, how = fate.cut(len(events))
    if work.faults.malformed_json:
        events = _spoilt(events)
    if work.faults.wrong_content_length:
        response.content_length = sum(len(each.data) for each in events) + _MISSING_BYTES
    ledger = _Booking(engine, work)
    stall = int(fate.stall_at * len(events)) if fate.stall_s else None
    try:
        await response.prepare(request)
        for group in _groups(events[:cut], one_by_one=bool(fate.token_s) or stall is not None):
            last = cut is None and group[-1] is events[-1]
            ledger.count(group)
            if last:
                ledger.close(complete=True)  # before the client can see the end
            seconds = fate.token_s * sum(each.tokens for each in group)
            seconds += fate.stall_s if ledger.events - 1 == stall else 0.0
            if seconds:
                await asyncio.sleep(seconds)
            await response.write(b"".join(each.data for each in group))
        if how == "error":
            await response.write(_error_event(work, ledger.fail()))
    except ConnectionError:  # the client left
        ledger.undo_last()
    finally:
        ledger.close(complete=False)
    _hang_up(request, work, how)
    return response


def _hang_up(request: web.Request, work: Work, how: Cut | None) -> None:
    if how == "drop":
        abort(request)
    elif work.faults.wrong_content_length and request.transport is not None:
        request.transport.close()


def abort(request: web.Request) -> None:
    """Ends the connection with a TCP reset."""
    if request.transport is None:
        return
    raw = request.transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


class _Booking:
    """Counts what was sent and books it once."""

    def __init__(self, engine: Engine, work: Work) -> None:
        self._engine = engine
        self._work = work
        self._sent = 0
        self._last = 0
        self._open = True
        self.events = 0

    def count(self, group: list[Event]) -> None:
        self._last = sum(each.tokens for each in group)
        self._sent += self._last
        self.events += len(group)

    def undo_last(self) -> None:
        self._sent -= self._last

    def fail(self) -> int:
        """The events so far; before the first one nothing was generated, and nothing is billed."""
        self._open = self._open and self.events > 0
        return self.events

    def close(self, *, complete: bool) -> None:
        if self._open:
            self._open = False
            self._engine.book(self._work, None if complete else self._sent)


def _groups(events: list[Event], *, one_by_one: bool) -> Iterator[list[Event]]:
    group: list[Event] = []
    size = 0
    for each in events:
        group.append(each)
        size += len(each.data)
        if one_by_one or size > _TOGETHER:
            yield group
            group, size = [], 0
    if group:
        yield group


def _spoilt(events: list[Event]) -> list[Event]:
    """The event in the middle loses its second half."""
    at = len(events) // 2
    data = events[at].data.rstrip()
    return [*events[:at], Event(data[: len(data) * 2 // 3] + b"\n\n", events[at].tokens), *events[at + 1 :]]


def _error_event(work: Work, number: int) -> bytes:
    message = "The server had an error while processing your request. Sorry about that!"
    if work.call.model.api == "anthropic":
        return event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}).data
    if work.path.endswith("/responses"):
        fields = {"code": "server_error", "message": message, "param": None, "sequence_number": number}
        return f"event: error\ndata: {dump({'type': 'error'} | fields)}\n\n".encode()
    return sse(dump({"error": {"message": message, "type": "server_error", "param": None, "code": None}}))
