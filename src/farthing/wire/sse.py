"""Server-sent events, split into raw events as their bytes arrive."""

from __future__ import annotations

import re

import msgspec

_SKIPPING = msgspec.json.Decoder(msgspec.Raw)
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_BOM = b"\xef\xbb\xbf"


class Events:
    """Cuts a byte stream into events. However the stream is split, the events are the same.

    Lines may end in LF, CRLF or CR; an event ends with a blank line. No byte is lost or changed:
    the events and ``rest`` joined are the stream.
    """

    __slots__ = ("_held", "_seen", "_with_cr")

    def __init__(self) -> None:
        self._held = bytearray()
        self._seen = 0
        self._with_cr = False

    @property
    def rest(self) -> bytes:
        """The bytes of the event that has not ended."""
        return bytes(self._held)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that end in this chunk, each with its blank line."""
        if not self._with_cr and b"\r" in chunk:
            self._with_cr = True
        if not self._held:
            events, used = self._cut(chunk, 0)
            self._held += chunk[used:] if used else chunk
        else:
            self._held += chunk
            events, used = self._cut(self._held, self._seen)
            del self._held[:used]
        self._seen = max(0, len(self._held) - 3)  # a blank line is at most four bytes: CR LF CR LF
        return events

    def _cut(self, buffer: bytes | bytearray, start: int) -> tuple[list[bytes], int]:
        """The events in the buffer, whose first ``start`` bytes end none, and how many bytes they take."""
        events: list[bytes] = []
        used = 0
        find = self._end_any if self._with_cr else _end_lf
        while (end := find(buffer, start)) > 0:
            events.append(bytes(buffer[used:end]))
            used = start = end
        return events, used

    @staticmethod
    def _end_any(buffer: bytes | bytearray, start: int) -> int:
        match = _BLANK_LINE.search(buffer, start)
        if match is None:
            return 0
        end = match.end()
        may_go_on = end == len(buffer) and buffer[end - 1] == 0x0D  # the LF of a CRLF may still come
        return 0 if may_go_on else end


def _end_lf(buffer: bytes | bytearray, start: int) -> int:
    at = buffer.find(b"\n\n", start)
    return at + 2 if at >= 0 else 0


def split(stream: bytes) -> list[bytes]:
    """The events of a whole recorded stream; one that has not ended comes last, as it is."""
    if b"\r" not in stream:
        *whole, rest = stream.split(b"\n\n")
        parts = [part + b"\n\n" for part in whole]
    else:
        events = Events()
        parts = events.feed(stream)
        rest = events.rest
    return [*parts, rest] if rest else parts


def data_of(event: bytes) -> bytes | None:
    r"""What the event says: its data lines joined by LF; ``None`` if it has none (a comment, a ping without data).

    >>> data_of(b'event: x\ndata: {"a":1}\n\n'), data_of(b": hello\n\n")
    (b'{"a":1}', None)
    """
    if event.startswith(b"data: ") and event.find(b"\n") >= len(event) - 2 and b"\r" not in event:
        return event[6:].rstrip(b"\n")
    values = _fields(event, b"data")
    return b"\n".join(values) if values else None


def is_sound(stream: bytes) -> bool:
    r"""Whether all that a recorded stream says is JSON, or ``[DONE]``. Data in several lines counts as unsound.

    >>> is_sound(b'data: {"a":1}\n\ndata: [DONE]\n\n'), is_sound(b'data: {"a"\n\n')
    (True, False)
    """
    lines = [line[5:] for line in stream.split(b"\n") if line.startswith(b"data:") and b"[DONE]" not in line[-8:]]
    try:
        return len(_SKIPPING.decode_lines(b"\n".join(lines))) == len(lines)
    except (msgspec.DecodeError, RecursionError):
        return False


def name_of(event: bytes) -> str | None:
    r"""The event's name, or ``None``.

    >>> name_of(b"event: ping\ndata: {}\n\n")
    'ping'
    """
    values = _fields(event, b"event")
    return values[-1].decode(errors="replace") if values else None


def render(data: bytes, name: str | None = None) -> bytes:
    r"""An event with this one line of data.

    >>> render(b"{}", "ping")
    b'event: ping\ndata: {}\n\n'
    """
    return b"data: %b\n\n" % data if name is None else b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _fields(event: bytes, field: bytes) -> list[bytes]:
    values: list[bytes] = []
    for line in event.removeprefix(_BOM).splitlines():
        name, _, value = line.partition(b":")
        if name == field:
            values.append(value.removeprefix(b" "))
    return values
