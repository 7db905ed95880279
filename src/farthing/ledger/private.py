"""Folders and files that hold what people have asked: only their owner may look, whatever the umask."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing. One that is there stays as it is. Raises ``OSError``."""
    for one in reversed([path, *path.parents]):
        if one == path or not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file if there is none. Raises ``OSError``."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
