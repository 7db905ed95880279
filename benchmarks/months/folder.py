"""What has to be in the folder of a month."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stand.process import Unmet

ALWAYS = ("provider.py", "score.py", "prices.json", "simulator", "scoring")
LIBRARIES = ("aiohttp", "msgspec", "numpy")
"""Of provider and scorer, which run in this interpreter."""


@dataclass(frozen=True)
class Month:
    """``workload`` and ``docs`` are copies: a direct run writes its baseline beside the workload."""

    provider: Path
    scorer: Path
    workload: Path
    docs: Path


def month_in(folder: Path, split: str, scratch: Path) -> Month:
    """Raises ``Unmet`` saying what is missing."""
    names = [f"month-{split}.jsonl.gz", f"docs-{split}.json.gz"]
    if missing := [name for name in (*ALWAYS, *names) if not (folder / name).exists()]:
        there = sorted(path.name[6:-9] for path in folder.glob("month-*.jsonl.gz"))
        raise Unmet(f"{folder} lacks {', '.join(missing)}; splits that are there: {', '.join(there) or 'none'}")
    if absent := [name for name in LIBRARIES if find_spec(name) is None]:
        raise Unmet(f"provider and scorer need {', '.join(absent)}: pip install {' '.join(absent)}")
    baseline = folder / f"month-{split}.baseline.json"
    for path in [*(folder / name for name in names), *([baseline] if baseline.exists() else [])]:
        shutil.copyfile(path, scratch / path.name)
    return Month(folder / "provider.py", folder / "score.py", *(scratch / name for name in names))
