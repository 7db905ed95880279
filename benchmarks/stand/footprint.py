"""How heavy farthing is: import time and install size."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from stand.peers import PEERS

REPO = Path(__file__).parents[2]
TIMED = "import time; start = time.perf_counter(); import farthing; print(time.perf_counter() - start)"
NOT_OURS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence")


def import_ms(processes: int = 20) -> float:
    """Median over fresh processes of the time ``import farthing`` takes, in ms."""
    return statistics.median(float(_output(sys.executable, "-c", TIMED)) for _ in range(processes)) * 1000


def install_mb() -> float:
    """Size of ``pip install .`` with all it depends on in a fresh environment, in MB (10^6 bytes)."""
    folder = PEERS / "farthing-fresh"
    _output(sys.executable, "-m", "venv", "--clear", str(folder))
    python = str(folder / "bin" / "python")
    _output(python, "-m", "pip", "install", "--quiet", str(REPO))
    site = Path(_output(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    ours = (entry for entry in site.iterdir() if not entry.name.startswith(NOT_OURS))
    return sum(_bytes(entry) for entry in ours) / 1e6


def _bytes(entry: Path) -> int:
    files = entry.rglob("*") if entry.is_dir() else [entry]
    return sum(file.stat().st_size for file in files if file.is_file())


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=True).stdout
