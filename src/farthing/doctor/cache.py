"""The answer cache: whether what is configured is what happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lmdb

from farthing.doctor.finding import Finding, bad, ok, warn
from farthing.doctor.machine import There
from farthing.levers.recall.files import FORMAT
from farthing.policy import Policy

OFF = "the cache is off: "


def cache(policy: Policy, there: There | None) -> Iterator[Finding]:
    """Why it serves nothing, if it serves nothing. The files are not changed."""
    if not policy.cache.exact:
        yield ok("cache", "off, as configured ([cache] exact = false)")
        return
    running = next((line for line in there.ready.splitlines() if line.startswith(OFF)), None) if there else None
    problem = running or files_problem(Path(policy.store.cache))
    if problem is not None:
        yield bad("cache", f"configured, and not at work: {problem}", "mend it, then start again or kill -HUP")
    elif policy.mode == "observe":
        yield warn(
            "cache", "only counts what it would have saved: mode = observe", 'set mode = "save" to be answered from it'
        )
    else:
        yield ok("cache", f"on, at {policy.store.cache}")


def files_problem(path: Path) -> str | None:
    """Why the files cannot be used; ``None`` if they can, or there are none yet."""
    if not path.exists():
        return None
    if not path.is_dir():
        return f"{path} is a file, not a folder"
    if not (path / "data.mdb").exists():
        return None
    try:
        with lmdb.open(str(path), readonly=True, max_dbs=4) as env:
            about = env.open_db(b"about", create=False)
            with env.begin(db=about) as txn:
                found = txn.get(b"format")
    except (lmdb.Error, OSError) as problem:
        return f"{path} cannot be opened: {problem}"
    return None if found == FORMAT else f"{path} has the format of another version; the next start puts it aside"
