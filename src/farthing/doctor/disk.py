"""The disk: room, rights, and whether the journal can be written."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from farthing.doctor.finding import Finding, bad, ok, warn
from farthing.ledger import pulse
from farthing.policy import Policy
from farthing.policy.units import size

LITTLE = 1 << 30
HARDLY_ANY = 100 << 20
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def room(policy: Policy) -> Iterator[Finding]:
    """Free bytes where the ledger is, and whether the cache may take them all."""
    folder = _existing(Path(policy.store.path).absolute().parent)
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:,.1f} GB free at {folder}"
    if free < HARDLY_ANY:
        yield bad("disk", said, "make room: requests go on without it, but what they cost waits in memory")
    elif free < LITTLE or (policy.cache.exact and free < size(policy.cache.max_size)):
        yield warn("disk", said, f"make room, or lower [cache] max_size ({policy.cache.max_size})")
    else:
        yield ok("disk", said)


def journal(policy: Policy) -> Iterator[Finding]:
    """Whether it can be written: by writing."""
    folder = Path(policy.store.journal)
    try:
        with NamedTemporaryFile(dir=_existing(folder.absolute()), prefix=".doctor-") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        yield bad(
            "journal", f"{folder} cannot be written: {problem.strerror}", "mend its rights, or change [store] url"
        )
        return
    yield ok("journal", f"{folder} can be written")


def rights(policy: Policy) -> Iterator[Finding]:
    """What people have asked is its owner's alone."""
    store = policy.store
    files = [Path(one) for one in (store.path, store.keys, store.journal, store.cache)]
    files.append(pulse.lock_file(Path(store.path)))
    open_ones = [path for path in files if path.exists() and path.stat().st_mode & OTHERS]
    locked = [path for path in files if path.exists() and not os.access(path, os.R_OK | os.W_OK)]
    for path in open_ones:
        yield warn("rights", f"others can look into {path}", f"chmod go= {path}")
    for path in locked:
        yield bad("rights", f"{path} cannot be read and written", "run farthing as its owner, or mend its rights")
    if not open_ones and not locked:
        yield ok("rights", "what is there is its owner's alone")


def _existing(path: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(one for one in (path, *path.parents) if one.is_dir())
