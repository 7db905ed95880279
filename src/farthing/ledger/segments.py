"""The journal's files: their names, who owns them, and reading them while they grow.

A segment is called ``<start>-<pid>-<seq>.jsonl``; its owner is ``<start>-<pid>``. While the owner lives it holds an
exclusive ``flock`` on its newest segment, which the kernel gives up however the process ends.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing.ledger.records import Entry

CHUNK = 8 << 20
"""Bytes read at once, if a line is not longer."""

_NAME = re.compile(r"(\d+-\d+)-(\d+)\.jsonl")
_decoder = msgspec.json.Decoder(Entry)


class Segment(NamedTuple):
    """One file of the journal; sorted by owner, oldest first."""

    owner: str
    seq: int
    path: Path


class Chunk(NamedTuple):
    """What was read: ``offset`` is where to go on, ``corrupt`` counts lines that are no entries."""

    entries: list[Entry]
    offset: int
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
    """The entries behind ``offset``, about ``size`` bytes of them; only whole lines are consumed.

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
    return _decode(data[:whole], offset + whole)


def _decode(data: bytes, offset: int) -> Chunk:
    try:
        return Chunk(_decoder.decode_lines(data), offset)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    entries: list[Entry] = []
    corrupt = 0
    for line in data.split(b"\n"):
        try:
            if line.strip():
                entries.append(_decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            corrupt += 1
    return Chunk(entries, offset, corrupt)
