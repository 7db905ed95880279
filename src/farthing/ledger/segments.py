"""The journal's files: their names, who owns them, and reading them while they grow.

A segment is called ``<start>-<pid>-<seq>.jsonl``; its owner is ``<start>-<pid>``. While the owner lives it holds an
exclusive ``flock`` on its newest segment, which the kernel gives up however the process ends.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing.ledger.records import Entry

CHUNK = 8 << 20
"""Bytes read at once, if a line is not longer: one transaction."""
PIECE = 128 << 10
"""Bytes decoded at once."""

_NAME = re.compile(r"(\d+-\d+)-(\d+)\.jsonl")
_decoder = msgspec.json.Decoder(Entry)


class Segment(NamedTuple):
    """One file of the journal; sorted by owner, oldest first."""

    owner: str
    seq: int
    path: Path


class Chunk(NamedTuple):
    """Whole lines that were read; ``offset`` is where to go on."""

    data: bytes
    offset: int

    @property
    def entries(self) -> list[Entry]:
        """All that the lines say."""
        return [entry for piece in self.pieces() for entry in piece.entries]

    @property
    def corrupt(self) -> int:
        """How many lines are no entries."""
        return sum(piece.corrupt for piece in self.pieces())

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        """What the lines say, a little at a time: few entries stay in the processor's cache until they are entered."""
        start = 0
        while start < len(self.data):
            end = self.data.find(b"\n", start + size) + 1 or len(self.data)
            yield _decode(memoryview(self.data)[start:end])
            start = end


class Piece(NamedTuple):
    """Some entries; ``corrupt`` counts lines that are none."""

    entries: list[Entry]
    corrupt: int = 0


def segments(directory: Path) -> list[Segment]:
    """The segments in a directory; none if there is no such directory."""
    try:
        names = os.listdir(directory)  # noqa: PTH208 - twice as fast, several times a second
    except FileNotFoundError:
        return []
    found = ((_NAME.fullmatch(name), name) for name in names)
    return sorted(Segment(match[1], int(match[2]), directory / name) for match, name in found if match)


def claim(path: Path) -> int | None:
    """Lock a segment that nobody owns any more; the open file, or ``None`` while its owner lives or it is gone."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def read_entries(path: Path, offset: int = 0, *, ended: bool = False, size: int = CHUNK) -> Chunk:
    """The lines behind ``offset``, about ``size`` bytes of them; only whole lines are consumed.

    ``ended``: nobody writes to the file any more, so a last line without its newline is looked at, too.
    An empty chunk with the same offset: there is nothing more to read now.
    """
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        data = file.read(size)
        while b"\n" not in data and (more := file.read(size)):
            data += more
        whole = data.rfind(b"\n") + 1
        if ended and whole < len(data) and not file.read(1):
            whole = len(data)
    return Chunk(data[:whole], offset + whole)


def _decode(data: memoryview) -> Piece:
    try:
        return Piece(_decoder.decode_lines(data))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    entries: list[Entry] = []
    corrupt = 0
    for line in bytes(data).split(b"\n"):
        try:
            if line.strip():
                entries.append(_decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            corrupt += 1
    return Piece(entries, corrupt)
