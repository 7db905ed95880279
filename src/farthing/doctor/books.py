"""The ledger: its version, its keeper, what waits, and what it does not know. Nothing is changed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from farthing.doctor.finding import Finding, bad, ok, warn
from farthing.ledger import pulse
from farthing.ledger.segments import claim, segments
from farthing.ledger.upgrade import VERSION, explained, version_of
from farthing.pipeline.health import keeper_problem
from farthing.policy import Policy

MOST_MODELS = 5


def ledger(policy: Policy) -> Iterator[Finding]:
    """The database itself."""
    path = Path(policy.store.path)
    if not path.exists():
        yield ok("ledger", f"there is none at {path} yet: farthing serve makes it")
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            found = version_of(connection)
            if found == VERSION:
                yield ok("ledger", f"{path}, schema {VERSION}, is of this version")
                yield from contents(connection)
            else:
                yield _other_version(path, found)
    except sqlite3.Error as problem:
        text, _, todo = explained(problem).partition(": ")
        yield bad("ledger", f"{path}: {text}", todo)


def _other_version(path: Path, found: str | None) -> Finding:
    if found is None:
        return bad("ledger", f"{path} is no ledger, or an empty one", "point [store] url at another file")
    if found < VERSION:
        return warn("ledger", f"{path} is of an older version (schema {found})", "copy it; the next start upgrades it")
    return bad("ledger", f"{path} is of a newer version (schema {found}, here {VERSION})", "install the newer farthing")


def contents(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What the ledger does not know, or could not read."""
    counted = dict(
        connection.execute("SELECT cost_source, count(*) FROM calls WHERE cost IS NULL GROUP BY cost_source").fetchall()
    )
    if unsettled := counted.get("unsettled", 0):
        yield warn(
            "unsettled",
            f"{unsettled:,} calls: how they ended is not known, their cost is not in the bill",
            "farthing reconcile closes them by the provider's own statement",
        )
    else:
        yield ok("unsettled", "none: every call has ended")
    if unpriced := counted.get("unpriced", 0):
        query = (
            "SELECT provider, coalesce(model_reported, model, '?'), count(*) AS n FROM calls WHERE cost IS NULL "
            "AND cost_source = 'unpriced' GROUP BY 1, 2 ORDER BY n DESC LIMIT ?"
        )
        names = [f"{provider}/{model} ({n:,})" for provider, model, n in connection.execute(query, (MOST_MODELS,))]
        yield warn(
            "unpriced",
            f"{unpriced:,} calls without a price: {', '.join(names)}",
            "put their prices into the file of [prices] file, then farthing prices reprice",
        )
    else:
        yield ok("unpriced", "none: every model has a price")
    corrupt = connection.execute("SELECT ifnull(sum(corrupt), 0) FROM segments").fetchone()[0]
    if corrupt:
        yield warn(
            "corrupt lines", f"{corrupt:,} lines of the journal were none", "keep a copy of the ledger; report it"
        )


def keeper(policy: Policy, now: float, *, serving: bool) -> Iterator[Finding]:
    """Whether what is written down gets into the ledger. ``serving``: a gateway runs here; ``now``: since the epoch."""
    path = pulse.lock_file(Path(policy.store.path))
    held, last = pulse.is_held(path), pulse.read(path)
    waiting = segments(Path(policy.store.journal))
    size = sum(one.path.stat().st_size for one in waiting if one.path.exists())
    said = f"{len(waiting)} files of the journal, {size / 1e6:,.1f} MB"
    if held:
        problem = keeper_problem(last, last.at if last else now, now)
        if problem:
            yield bad("keeper", problem, "its log says why; make room on the disk, or close what locks the ledger")
        else:
            yield ok("keeper", f"at work (process {last.pid})" if last else "at work")
    elif serving or writers(policy):
        yield bad("keeper", f"a gateway serves and no keeper is at work; {said} wait", "the gateway's log says why")
    elif size:
        yield warn("keeper", f"no gateway runs, and {said} wait", "farthing report, or the next start, takes them in")
    else:
        yield ok("keeper", "no gateway runs, and nothing waits")


def writers(policy: Policy) -> list[int]:
    """The numbers of the processes that write the journal now."""
    found: set[int] = set()
    for one in segments(Path(policy.store.journal)):
        handle = claim(one.path)
        if handle is not None:
            os.close(handle)
        elif one.path.exists():
            found.add(int(one.owner.partition("-")[2]))
    return sorted(found)
