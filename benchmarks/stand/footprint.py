"""How heavy farthing is: import time and install size."""

from __future__ import annotations

import statistics
import subprocess
from pathlib import Path

from stand import peers

TIMED = "import time; start = time.perf_counter(); import farthing; print(time.perf_counter() - start)"


def import_ms(processes: int = 20) -> float:
    """Median over fresh processes of the time ``import farthing`` takes, in ms."""
    return statistics.median(float(_output(str(peers.farthing()), "-c", TIMED)) for _ in range(processes)) * 1000


def install_mb() -> float:
    """Size of the package with all it depends on in a fresh environment, in MB (10^6 bytes)."""
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_output(str(peers.farthing()), "-c", asked).strip())
    return sum(_bytes(entry) for entry in site.iterdir()) / 1e6


def _bytes(entry: Path) -> int:
    files = entry.rglob("*") if entry.is_dir() else [entry]
    return sum(file.stat().st_size for file in files if file.is_file())


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=True).stdout
