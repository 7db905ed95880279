"""What a look finds."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "warn", "bad"]
"""``warn``: works, and will surprise somebody. ``bad``: does not work."""


class Finding(msgspec.Struct, frozen=True):
    """One line of the table."""

    check: str
    """What was looked at: a word or two."""
    state: State
    found: str
    """Never a secret."""
    todo: str = ""
    """The way out; empty if there is nothing to do."""


def ok(check: str, found: str) -> Finding:
    """As it should be."""
    return Finding(check, "ok", found)


def warn(check: str, found: str, todo: str) -> Finding:
    """Works, but."""
    return Finding(check, "warn", found, todo)


def bad(check: str, found: str, todo: str) -> Finding:
    """Does not work."""
    return Finding(check, "bad", found, todo)
