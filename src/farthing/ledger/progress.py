"""How far the keeper has come, for those who wait for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from farthing.ledger.segments import segments

Marks = Mapping[str, int]
"""Name of a segment → how many bytes of it there are."""


def marks(journal: Path) -> Marks:
    """What lies in the journal now."""
    found: dict[str, int] = {}
    for one in segments(journal):
        try:
            found[one.path.name] = one.path.stat().st_size
        except FileNotFoundError:  # it has been read to its end
            continue
    return found


def reached(database: Path, journal: Path, marks: Marks) -> bool:
    """Whether the keeper has entered all of this. No, where there is no ledger yet, or it cannot be read."""
    left = {one.path.name for one in segments(journal)} & {name for name, size in marks.items() if size}
    if not left:
        return True
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as connection:
            offsets = dict(connection.execute("SELECT name, offset FROM segments"))
    except sqlite3.Error:
        return False
    # What is missing of both has been deleted between the two looks.
    still = {one.path.name for one in segments(journal)}
    return all(offsets.get(name, 0) >= marks[name] for name in left & still)
