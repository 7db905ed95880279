"""The settings: whether they can be read, what of them does nothing, and the price data."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from farthing.doctor.finding import Finding, bad, ok, warn
from farthing.errors import PriceError
from farthing.policy import Policy, Source
from farthing.prices.book import PriceBook

STALE_DAYS = 90
"""Prices change a few times a year."""
_DAY = 86_400


def settings(source: Source, policy: Policy) -> Iterator[Finding]:
    """Where they come from and what has no effect."""
    files = [str(path) for path in source.files(policy)]
    yield ok("settings", f"mode {policy.mode}, from {', '.join(files) or 'the defaults and the environment'}")
    for notice in policy.notices:
        yield warn("settings", notice, "nothing needs to be done; it is there for a later version")
    if source.env_file is not None and source.env_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warn(
            "settings", f"others can read {source.env_file}, which has keys in it", f"chmod 600 {source.env_file}"
        )


def prices(policy: Policy, now: float) -> Iterator[Finding]:
    """Whether they can be read, and how old they are. ``now``: seconds since the epoch."""
    own = Path(policy.prices.file) if policy.prices.file else None
    try:
        book = PriceBook.load(own)
    except PriceError as problem:
        yield bad("prices", str(problem), "mend the file that [prices] file names; farthing does not start with it")
        return
    if book.taken is None:
        yield warn("prices", f"{book.source}, of unknown age", "install a newer farthing")
        return
    days = int(now // _DAY) - (book.taken.toordinal() - 719_163)  # the epoch's own ordinal
    said = f"{book.source}, taken over {book.taken} ({days} days ago)" + (f", and {own}" if own else "")
    if days > STALE_DAYS:
        yield warn("prices", said, "install a newer farthing, or put what has changed into the file of [prices] file")
    else:
        yield ok("prices", said)
